"""May an `Actor` do this: a service with a role's rights, or by a resource policy alone.

Enters an actor, an action and a resource, leaves nothing or AccessDenied. Sessions of roles are kept while they last,
so that a poller that asks a thousand times assumes its role once.
"""

from __future__ import annotations

from trine.aws.actor import Actor
from trine.aws.errors import AwsError
from trine.iam.access import Access
from trine.iam.errors import AccessDenied
from trine.iam.policy import CompiledPolicy
from trine.iam.principal import Session
from trine.trace import Trace

ACTORS_MAX = 1_000
"""Sessions that are kept. Trine's own bound."""
SESSION_NAME_MIN_CHARACTERS = 2
"""STS API reference, `RoleSessionName`; the name of a function may be shorter."""
MARGIN_SECONDS = 60
"""A session that ends sooner than this is replaced."""


class Acting:
    """Authorization of actors, over `Access`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._sessions: dict[Actor, Session] = {}

    def authorize(
        self,
        actor: Actor,
        action: str,
        resource_arn: str,
        policy: CompiledPolicy | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Nothing when `actor` may do `action`, else AccessDenied (also when its role cannot be assumed)."""
        if actor.role_arn is None:
            context = {
                "aws:SourceArn": (actor.source_arn,),
                "aws:SourceAccount": (self._access.place.account_id,),
                "aws:SecureTransport": ("true",),
            }
            self._access.authorize_service(actor.service, action, resource_arn, policy, context, trace)
            return
        caller = self._access.caller_of(self._session(actor, actor.role_arn))
        # Services reach each other by TLS, whatever the clients of this machine do.
        context = {"aws:SourceArn": (actor.source_arn,), "aws:SecureTransport": ("true",)}
        self._access.authorize(caller, action, resource_arn, context, policy, trace)

    def _session(self, actor: Actor, role_arn: str) -> Session:
        session = self._sessions.get(actor)
        left = 0.0 if session is None or session.revoked else session.expires_at - self._access.clock.now()
        if session is not None and left > MARGIN_SECONDS:
            return session
        try:
            session = self._access.assume_role_for_service(
                role_arn,
                actor.session_name.ljust(SESSION_NAME_MIN_CHARACTERS, "-"),
                actor.service,
                source_arn=actor.source_arn,
            )
        except AwsError as error:
            raise AccessDenied(
                actor.service.partition(".")[0], f"{actor.service} cannot assume the role {role_arn}: {error.message}"
            ) from error
        if len(self._sessions) >= ACTORS_MAX:
            self._access.revoke(self._sessions.pop(next(iter(self._sessions))))
        self._sessions[actor] = session
        return session
