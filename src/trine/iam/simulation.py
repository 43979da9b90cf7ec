"""The policy simulator: what would the decision be, which statements speak, which context values are missing. Pure.

Enters policies and a list of actions and resources, leaves one `Outcome` for each pair. The decision itself is the
evaluator's; this room only gathers what explains it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trine.iam.evaluator import PolicySet, Question, applies, evaluate
from trine.iam.matching import Lookup
from trine.iam.policy import CompiledPolicy, Statement
from trine.iam.principals import Naming, Requester

Verdict = Literal["allowed", "explicitDeny", "implicitDeny"]
Position = tuple[int, int]
"""Line and column, both from 1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The simulated decision on one action and one resource."""

    action: str
    resource: str
    verdict: Verdict
    matched: tuple[Statement, ...]
    """The statements that decided: those that deny, or those that allow."""
    missing: tuple[str, ...]
    """Condition keys that a decision would read and nobody gave, as the policies spell them."""
    within_boundary: bool | None
    """Does the permissions boundary allow it? None without a boundary."""


def simulate(
    requester: Requester,
    policies: PolicySet,
    action: str,
    resource: str,
    context: Mapping[str, Sequence[str]],
    resource_policy: CompiledPolicy | None = None,
    *,
    same_account: bool = True,
) -> Outcome:
    """What the evaluator would say, and why. `context` by lower-case key."""
    lookup: Lookup = context.get
    question = Question(
        requester, action.lower(), resource, lookup, policies, resource_policy, same_account=same_account
    )
    decision = evaluate(question)
    statements = list(_statements(policies, resource_policy))
    verdict: Verdict = "allowed" if decision.allowed else "explicitDeny" if decision.explicit else "implicitDeny"
    matched = tuple(
        statement
        for statement in statements
        if verdict != "implicitDeny" and statement.allows is decision.allowed and applies(statement, question)
    )
    within = None
    if policies.boundary is not None:
        within = any(one.allows and applies(one, question) for one in policies.boundary.statements) and not any(
            not one.allows and applies(one, question) for one in policies.boundary.statements
        )
    return Outcome(action, resource, verdict, matched, _missing(statements, question), within)


def context_keys(policies: Sequence[CompiledPolicy]) -> list[str]:
    """Every condition key and variable that the policies read, as they spell them, by name."""
    return sorted(set(_spelled([one for policy in policies for one in policy.statements]).values()))


def _spelled(statements: Sequence[Statement]) -> dict[str, str]:
    """Lower-case key → spelling; a variable's key is only known in lower case."""
    names = {key: key for statement in statements for key in statement.keys}
    names |= {condition.key: condition.name for statement in statements for condition in statement.conditions}
    return names


def _missing(statements: Sequence[Statement], question: Question) -> tuple[str, ...]:
    spelled = _spelled(statements)
    needed = {
        key
        for one in statements
        if one.keys
        and (one.principals is None or one.principals.names(question.requester) is not Naming.NONE)
        and one.covers_action(question.action)
        and one.may_cover_resource(question.resource)
        for key in one.keys
    }
    return tuple(sorted(spelled[key] for key in needed if not question.lookup(key)))


def _statements(policies: PolicySet, resource_policy: CompiledPolicy | None) -> Iterator[Statement]:
    for policy in (*policies.identity, policies.boundary, *(policies.session or ()), resource_policy):
        if policy is not None:
            yield from policy.statements


def statement_places(document: str) -> list[tuple[Position, Position]]:
    """Where each statement of a (sound) policy document begins and ends in its text."""
    decoder = json.JSONDecoder()
    at = _skip(document, document.index("{") + 1)
    while document[at] != "}":
        key, at = decoder.raw_decode(document, at)
        at = _skip(document, at)  # the colon, and space around it
        if key != "Statement":
            _, at = decoder.raw_decode(document, at)
            at = _skip(document, at)
            continue
        if document[at] == "{":
            _, end = decoder.raw_decode(document, at)
            return [(_position(document, at), _position(document, end))]
        places = []
        at = _skip(document, at + 1)
        while document[at] != "]":
            _, end = decoder.raw_decode(document, at)
            places.append((_position(document, at), _position(document, end)))
            at = _skip(document, end)
        return places
    return []


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n,:":
        at += 1
    return at


def _position(text: str, at: int) -> Position:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
