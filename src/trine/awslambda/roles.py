"""What this wing asks of `iam`: credentials of execution roles, and whether a service or a role may do something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from trine.iam.caller import Caller
from trine.iam.policy import CompiledPolicy
from trine.iam.principal import Session
from trine.trace import Trace


class RoleKeeper(Protocol):
    """What this wing needs of `iam.access.Access`."""

    def assume_role_for_service(
        self,
        role_arn: str,
        session_name: str,
        service: str,
        duration_seconds: int = ...,
        source_arn: str | None = ...,
    ) -> Session:
        """Temporary credentials of a role for a service."""

    def revoke(self, session: Session) -> None:
        """End a session now."""

    def caller_of(self, session: Session) -> Caller:
        """The caller that a session makes."""

    def authorize(self, caller: Caller, action: str, resource_arn: str) -> None:
        """Nothing when the caller may do it, else AccessDenied."""

    def authorize_service(
        self,
        service: str,
        action: str,
        resource_arn: str,
        resource_policy: CompiledPolicy | None,
        context: Mapping[str, Sequence[str]] | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Nothing when a service may do it by the resource policy, else AccessDenied."""
