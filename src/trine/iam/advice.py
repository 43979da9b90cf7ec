"""The smallest policy that the observed calls need, and the rights that nobody used. Pure.

Enters the uses of one role and its policy documents; leaves statements with exact actions and ARNs, a `LeadingKeys`
condition where every call kept to a narrow set of partition keys, and for each statement what of it went unused.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from trine.iam.ledger import Use
from trine.iam.matching import arn_glob, glob, tokenize, variables_of
from trine.iam.policy import parse_policy

LEADING_KEYS = "dynamodb:leadingkeys"
FIXED_KEYS_MAX = 3
"""Partition keys listed one by one; more than that need a prefix in common."""
PREFIX_ENDINGS = "#:/|_-."
"""Characters that end a prefix people give their partition keys, as in `USER#7`."""


class Unused(Struct, frozen=True):
    """What of one statement no call needed. `actions` and `resources` as the policy writes them."""

    policy: str
    statement: int
    sid: str | None
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    whole: bool
    """No call needed any of it: the statement can go."""


class TooWide(Struct, frozen=True):
    """A wildcard, and the exact actions or resources that were needed of it."""

    policy: str
    statement: int
    sid: str | None
    pattern: str
    needed: tuple[str, ...]


class Advice(Struct, frozen=True):
    """What to write instead of a role's policies."""

    identity_arn: str
    statements: tuple[Mapping[str, Any], ...]
    """Statements of the smallest policy, in the template's form."""
    unused: tuple[Unused, ...]
    too_wide: tuple[TooWide, ...]
    missing: tuple[tuple[str, str], ...]
    """(action, resource) that were refused; they are not in `statements`."""

    def document(self) -> dict[str, Any]:
        """The statements as a policy document."""
        return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in self.statements]}


def advise(
    identity_arn: str,
    uses: Iterable[Use],
    policies: Mapping[str, str | Mapping[str, Any]],
    observable: Collection[str] | None = None,
) -> Advice:
    """Advice for one role or user. `policies`: name → document, as they stand. MalformedPolicy if one is unsound.

    `observable` names the services whose calls can be seen at all (None: every one); of others nothing is said.
    """
    mine = [use for use in uses if use.identity_arn == identity_arn]
    granted = [use for use in mine if use.allowed]
    unused: list[Unused] = []
    too_wide: list[TooWide] = []
    for name, document in policies.items():
        parse_policy(document, "identity", name)
        for index, statement in enumerate(_statements(document)):
            if statement["Effect"] == "Allow" and is_observable(statement, observable):
                unused += _unused(name, index, statement, granted)
                too_wide += _too_wide(name, index, statement, granted)
    return Advice(
        identity_arn,
        smallest(granted),
        tuple(unused),
        tuple(too_wide),
        tuple(sorted({(use.action, use.resource) for use in mine if not use.allowed})),
    )


def is_observable(statement: Mapping[str, Any], observable: Collection[str] | None) -> bool:
    """Whether every action that `statement` names is of a service whose calls can be seen."""
    if observable is None:
        return True
    services = [action.partition(":")[0].lower() for action in _texts(statement, "Action")]
    return all(service in observable or service == "*" for service in services)


def smallest(uses: Sequence[Use]) -> tuple[Mapping[str, Any], ...]:
    """The fewest statements with exact actions and ARNs that allow `uses`; equal needs share a statement."""
    needs: dict[tuple[str, str], tuple[str, ...] | None] = {}
    for use in uses:
        needs[(use.action, use.resource)] = leading_keys(use)
    by_action: dict[tuple[str, tuple[str, ...] | None], set[str]] = {}
    for (action, resource), keys in needs.items():
        by_action.setdefault((action, keys), set()).add(resource)
    by_need: dict[tuple[tuple[str, ...], tuple[str, ...] | None], set[str]] = {}
    for (action, keys), resources in by_action.items():
        by_need.setdefault((tuple(sorted(resources)), keys), set()).add(action)
    statements = []
    for (resources_of, keys), actions in sorted(by_need.items(), key=lambda pair: (sorted(pair[1]), pair[0][0])):
        statement: dict[str, Any] = {
            "Effect": "Allow", "Action": _one_or_many(sorted(actions)), "Resource": _one_or_many(list(resources_of))
        }  # fmt: skip
        if keys is not None:
            statement["Condition"] = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}}
        statements.append(statement)
    return tuple(statements)


def leading_keys(use: Use) -> tuple[str, ...] | None:
    """Patterns that cover every partition key seen, when they are few or share a prefix; None: no condition fits."""
    values = use.values.get(LEADING_KEYS)
    if LEADING_KEYS not in use.always or not values or any(sign in value for value in values for sign in "*?$"):
        return None
    if len(values) <= FIXED_KEYS_MAX:
        return tuple(sorted(values))
    first, last = min(values), max(values)
    same = next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    prefix = first[:same]
    cut = max((prefix.rfind(sign) for sign in PREFIX_ENDINGS), default=-1)
    return (f"{prefix[: cut + 1]}*",) if cut > 0 else None


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _statements(document: str | Mapping[str, Any]) -> list[Mapping[str, Any]]:
    parsed = json.loads(document) if isinstance(document, str) else document
    raw = parsed["Statement"]
    return [raw] if isinstance(raw, Mapping) else list(raw)


def _texts(statement: Mapping[str, Any], name: str) -> list[str]:
    raw = statement.get(name, [])
    return [raw] if isinstance(raw, str) else list(raw)


def _covers_action(pattern: str, action: str) -> bool:
    return glob(tokenize(pattern.lower(), variables=False))(action.lower())


def _covers_resource(pattern: str, resource: str) -> bool:
    tokens = tokenize(pattern)
    return bool(variables_of(tokens)) or arn_glob(tokens)(resource)


def covers(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    """Whether an Allow statement grants `action` on `resource`, conditions aside."""
    return bool(_covered(statement, [Use("", action, resource, True)])) and "Condition" not in statement


def _covered(statement: Mapping[str, Any], uses: Sequence[Use]) -> list[Use]:
    """The uses that fall under a statement's actions and resources."""
    actions, resources = _texts(statement, "Action"), _texts(statement, "Resource")
    not_actions, not_resources = _texts(statement, "NotAction"), _texts(statement, "NotResource")

    def action_fits(use: Use) -> bool:
        if not_actions:
            return not any(_covers_action(pattern, use.action) for pattern in not_actions)
        return any(_covers_action(pattern, use.action) for pattern in actions)

    def resource_fits(use: Use) -> bool:
        if not_resources:
            return not any(_covers_resource(pattern, use.resource) for pattern in not_resources)
        return any(_covers_resource(pattern, use.resource) for pattern in resources)

    return [use for use in uses if action_fits(use) and resource_fits(use)]


def _unused(policy: str, index: int, statement: Mapping[str, Any], uses: Sequence[Use]) -> list[Unused]:
    covered = _covered(statement, uses)
    actions = [
        one for one in _texts(statement, "Action") if not any(_covers_action(one, use.action) for use in covered)
    ]
    resources = [
        one for one in _texts(statement, "Resource") if not any(_covers_resource(one, use.resource) for use in covered)
    ]
    if not actions and not resources and covered:
        return []
    return [Unused(policy, index, statement.get("Sid"), tuple(actions), tuple(resources), not covered)]


def _too_wide(policy: str, index: int, statement: Mapping[str, Any], uses: Sequence[Use]) -> list[TooWide]:
    covered = _covered(statement, uses)
    sid = statement.get("Sid")
    found = []
    for pattern in _texts(statement, "Action"):
        needed = sorted({use.action for use in covered if _covers_action(pattern, use.action)})
        if needed and ("*" in pattern or "?" in pattern):
            found.append(TooWide(policy, index, sid, pattern, tuple(needed)))
    for pattern in _texts(statement, "Resource"):
        needed = sorted({use.resource for use in covered if _covers_resource(pattern, use.resource)})
        if needed and ("*" in pattern or "?" in pattern) and needed != [pattern]:
            found.append(TooWide(policy, index, sid, pattern, tuple(needed)))
    return found
