"""Principal and NotPrincipal of resource and trust policies.

Enters `"*"` or `{"AWS": …, "Service": …, "Federated": …}`, leaves a `PrincipalPattern` that says how closely a
requester is named: directly, through its account, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from msgspec import Struct

from trine.iam.errors import MalformedPolicy
from trine.iam.principal import Principal

_ACCOUNT = re.compile(r"\d{12}")
_ACCOUNT_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")
_IDENTITY_ARN = re.compile(
    r"arn:aws[a-z-]*:(?:iam::\d{12}:(?:user|role)/|sts::\d{12}:(?:assumed-role|federated-user)/)[^*?]+"
)
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,28}")


class Naming(IntEnum):
    """How a policy names the requester, from not at all to its very session."""

    NONE = 0
    ACCOUNT = 1
    """Through its account: that delegates to the account's own identity policies."""
    ROLE = 2
    """By the role: boundary and session policy of the session still limit it."""
    DIRECT = 3
    """The user, the session itself, or everybody."""


class Requester(NamedTuple):
    """Who asks, in the words of a Principal element: an identity, a service, or a federated provider."""

    principal: Principal | None = None
    service: str | None = None
    federated: str | None = None


class PrincipalPattern(Struct, frozen=True):
    """A compiled Principal or NotPrincipal."""

    everybody: bool
    accounts: frozenset[str]
    identities: frozenset[str]
    services: frozenset[str]
    federated: frozenset[str]
    negated: bool

    def names(self, requester: Requester) -> Naming:
        """How this element names `requester`; for NotPrincipal everyone not listed is named directly."""
        naming = self._naming(requester)
        if not self.negated:
            return naming
        return Naming.NONE if naming else Naming.DIRECT

    def _naming(self, requester: Requester) -> Naming:
        if self.everybody:
            return Naming.DIRECT
        if requester.service is not None:
            return Naming.DIRECT if requester.service in self.services else Naming.NONE
        if requester.federated is not None:
            return Naming.DIRECT if requester.federated in self.federated else Naming.NONE
        principal = requester.principal
        if principal is None:
            return Naming.NONE
        user_id = principal.user_id
        if principal.arn in self.identities or (user_id and user_id in self.identities):
            return Naming.DIRECT
        if principal.role_arn is not None and (
            principal.role_arn in self.identities or user_id.partition(":")[0] in self.identities
        ):
            return Naming.ROLE
        return Naming.ACCOUNT if principal.account_id in self.accounts else Naming.NONE


def compile_principals(raw: Any, *, negated: bool, place: str) -> PrincipalPattern:
    """Compile a Principal element. MalformedPolicy when it names nobody IAM could know."""
    if raw == "*":
        return PrincipalPattern(True, frozenset(), frozenset(), frozenset(), frozenset(), negated)
    if not isinstance(raw, Mapping) or not raw:
        raise MalformedPolicy("Invalid principal in policy.", place)
    everybody = False
    accounts, identities, services, federated = set(), set(), set(), set()
    for kind, entry in raw.items():
        values = [entry] if isinstance(entry, str | int) else entry
        if not isinstance(values, list | tuple) or not values:
            raise MalformedPolicy("Invalid principal in policy.", f"{place}.{kind}")
        for value in map(str, values):
            if kind == "AWS" and value == "*":
                everybody = True
            elif kind == "AWS" and (found := _ACCOUNT_ARN.fullmatch(value)):
                accounts.add(found[1])
            elif kind == "AWS" and _ACCOUNT.fullmatch(value):
                accounts.add(value)
            elif kind == "AWS" and (_IDENTITY_ARN.fullmatch(value) or _UNIQUE_ID.fullmatch(value)):
                identities.add(value)
            elif kind == "Service" and "." in value and "*" not in value:
                services.add(value)
            elif kind == "Federated" and value:
                federated.add(value)
            else:
                raise MalformedPolicy(f'Invalid principal in policy: "{kind}":"{value}"', f"{place}.{kind}")
    return PrincipalPattern(
        everybody, frozenset(accounts), frozenset(identities), frozenset(services), frozenset(federated), negated
    )
