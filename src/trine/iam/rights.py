"""Granted and used rights of every role, side by side: what `trine policy` and the console show.

Enters the account's identities and the ledger of uses; leaves one `RoleRights` for each role, with advice. Calls to
services that Trine does not offer cannot be seen here: statements about those are left alone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from trine.iam.access import Access
from trine.iam.advice import Advice, advise
from trine.iam.directory import Directory, Identity
from trine.iam.ledger import Use


class RoleRights(Struct, frozen=True):
    """One role: its own policies by name, ARNs of AWS's that are attached, what was used, and what to make of it."""

    arn: str
    name: str
    policies: dict[str, str]
    attached: tuple[str, ...]
    uses: tuple[Use, ...]
    advice: Advice

    def as_document(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "role": self.arn,
            "name": self.name,
            "policies": dict(self.policies),
            "attached": list(self.attached),
            "uses": [
                {"action": use.action, "resource": use.resource, "allowed": use.allowed} for use in self.uses
            ],
            "smallest": [dict(statement) for statement in self.advice.statements],
            "unused": [
                {"policy": one.policy, "statement": one.statement, "sid": one.sid, "actions": list(one.actions),
                 "resources": list(one.resources), "whole": one.whole}
                for one in self.advice.unused
            ],
            "tooWide": [
                {"policy": one.policy, "statement": one.statement, "sid": one.sid, "pattern": one.pattern,
                 "needed": list(one.needed)}
                for one in self.advice.too_wide
            ],
            "missing": [{"action": action, "resource": resource} for action, resource in self.advice.missing],
        }  # fmt: skip


def rights_of(access: Access, observable: Collection[str]) -> list[RoleRights]:
    """Every role's rights, by name. `observable`: the services whose calls arrive here, by their action prefix."""
    uses = list(access.ledger.uses())
    roles = sorted(access.directory.identities["role"].values(), key=lambda role: role.name)
    return [_role(access.directory, role, uses, observable) for role in roles]


def _role(directory: Directory, role: Identity, uses: list[Use], observable: Collection[str]) -> RoleRights:
    policies = dict(role.inline)
    attached = []
    for arn in role.attached:
        if arn.startswith("arn:aws:iam::aws:"):
            attached.append(arn)
        else:
            policies[directory.policy(arn).name] = directory.policy(arn).document
    mine = tuple(use for use in uses if use.identity_arn == role.arn)
    advice = advise(role.arn, mine, policies, observable)
    return RoleRights(role.arn, role.name, policies, tuple(attached), mine, advice)
