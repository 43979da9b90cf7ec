"""A refusal in AWS's own sentence, and as facts for the trace. Pure.

Enters a `Decision`, leaves text. Sentences after the IAM User Guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trine.iam.evaluator import Decision, Layer

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


def refusal_facts(who: str, action: str, resource: str, decision: Decision, looked_at: Sequence[str]) -> dict[str, Any]:
    """What decided: the denying statement with its place, or the kind of policy in which an allow is missing."""
    facts: dict[str, Any] = {"principal": who, "action": action, "resource": resource, "policies": list(looked_at)}
    if decision.statement is not None:
        facts["deniedBy"] = {"layer": decision.layer, **decision.statement.facts()}
    else:
        facts["missing"] = {"layer": decision.layer, "Effect": "Allow", "Action": action, "Resource": resource}
    return facts
