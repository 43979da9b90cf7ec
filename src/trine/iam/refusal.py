"""A refusal in AWS's own sentence, and as facts for the trace. Pure.

Enters a `Decision` with its question, leaves text and facts: the statement that denied, or the kind of policy in which
an allow is missing and the statements that nearly allowed. Sentences after the IAM User Guide, "Troubleshoot access
denied error messages".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from trine.iam.evaluator import Decision, Layer, Question
from trine.iam.policy import CompiledPolicy, Statement
from trine.iam.principals import Naming

NEAR_MISSES_MAX = 10
"""Statements shown that nearly allowed."""
VALUES_SHOWN_MAX = 10
"""Values shown of one condition key."""

_NOUNS: dict[Layer, tuple[str, str]] = {
    "identity": ("identity-based policy", "an identity-based policy"),
    "resource": ("resource-based policy", "a resource-based policy"),
    "boundary": ("permissions boundary", "a permissions boundary"),
    "session": ("session policy", "a session policy"),
    "endpoint": ("VPC endpoint policy", "a VPC endpoint policy"),
}


def refusal_sentence(who: str, action: str, resource: str, decision: Decision, *, service: bool = False) -> str:
    """`User: … is not authorized to perform: … on resource: … because …`, as AWS says it."""
    noun, with_article = _NOUNS["resource" if service and not decision.explicit else decision.layer]
    because = (
        f"with an explicit deny in {with_article}"
        if decision.explicit
        else f"because no {noun} allows the {action} action"
    )
    subject = f"{'Service' if service else 'User'}: {who}"
    return f"{subject} is not authorized to perform: {action} on resource: {resource} {because}"


def refusal_facts(
    who: str, action: str, question: Question, decision: Decision, policies: Iterable[CompiledPolicy]
) -> dict[str, Any]:
    """What decided: the denying statement with its place, or the layer without an allow and what came near it.

    `policies` are all that were looked at. Values of condition keys are shown, shortened: the caller sent them.
    """
    looked_at = list(policies)
    facts: dict[str, Any] = {
        "principal": who,
        "action": action,
        "resource": question.resource,
        "policies": [f"{policy.kind}:{policy.name}" for policy in looked_at],
    }
    if question.requester.principal is not None:
        facts["identity"] = question.requester.principal.identity_arn
    if decision.statement is not None:
        facts["deniedBy"] = {"layer": decision.layer, **decision.statement.facts()}
    else:
        facts["missing"] = {
            "layer": decision.layer, "Effect": "Allow", "Action": action, "Resource": question.resource
        }  # fmt: skip
        near = [miss for _, miss in zip(range(NEAR_MISSES_MAX), _near_misses(looked_at, question), strict=False)]
        if near:
            facts["nearMisses"] = near
    return facts


def _near_misses(policies: Iterable[CompiledPolicy], question: Question) -> Iterator[dict[str, Any]]:
    """Allowing statements that name the action and failed on the principal, the resource or a condition."""
    for policy in policies:
        for statement in policy.statements:
            if statement.allows and statement.covers_action(question.action):
                reason = _reason(statement, question)
                if reason is not None:
                    yield {"layer": policy.kind, **statement.facts(), **reason}


def _reason(statement: Statement, question: Question) -> dict[str, Any] | None:
    if statement.principals is not None and statement.principals.names(question.requester) is Naming.NONE:
        return {"failed": "Principal"}
    if not statement.covers_resource(question.resource, question.lookup):
        patterns = [pattern.text for pattern in statement.resources]
        return {
            "failed": "NotResource" if statement.not_resource else "Resource",
            "wanted": patterns[:VALUES_SHOWN_MAX],
        }
    for condition in statement.conditions:
        if not condition.holds(question.lookup):
            given = question.lookup(condition.key)
            return {
                "failed": "Condition",
                "operator": condition.operator,
                "key": condition.name,
                "wanted": list(condition.values[:VALUES_SHOWN_MAX]),
                "given": [value[:256] for value in given[:VALUES_SHOWN_MAX]] if given is not None else None,
            }
    return None
