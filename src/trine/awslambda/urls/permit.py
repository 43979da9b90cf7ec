"""Who may call a function URL: its resource policy, and for AWS_IAM the caller's identity policies too.

Since October 2025 a URL needs two permissions, `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction` (developer guide,
"Control access to Lambda function URLs"); both are asked. Raises Forbidden, or an AwsError of the signature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trine.aws.errors import AwsError
from trine.http.message import Request
from trine.iam.access import Access
from trine.iam.caller import Caller
from trine.iam.evaluator import Question, evaluate
from trine.iam.policy import CompiledPolicy
from trine.iam.principals import Requester
from trine.trace import Trace

ROOM = "awslambda.urls.permit"
FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


class Forbidden(AwsError):
    """The caller may not use this URL."""

    code = "AccessDeniedException"
    status = 403


class UnknownUrl(AwsError):
    """There is no such URL. AWS refuses it like one that the caller may not use."""

    code = "AccessDeniedException"
    status = 403


def _questions(auth: str) -> Sequence[tuple[str, Mapping[str, Sequence[str]]]]:
    return (
        ("lambda:InvokeFunctionUrl", {"lambda:functionurlauthtype": (auth,)}),
        ("lambda:InvokeFunction", {"lambda:invokedviafunctionurl": ("true",)}),
    )


def permit_anybody(access: Access, arn: str, policy: CompiledPolicy | None, trace: Trace) -> None:
    """AuthType NONE: the resource policy must let everybody in. Raises Forbidden."""
    for action, context in _questions("NONE"):
        question = Question(Requester(), action.lower(), arn, context.get, resource_policy=policy)
        decision = evaluate(question)
        if decision.allowed:
            trace.step(ROOM, decision.statement.facts() if decision.statement is not None else None)
            continue
        reason = f"no statement of the function's resource policy allows {action} to everybody on {arn}"
        facts: dict[str, Any] = {"action": action, "resource": arn, "context": dict(context)}
        if decision.statement is not None:
            reason = f"a statement of the function's resource policy denies {action} on {arn}"
            facts.update(decision.statement.facts())
        if access.mode == "soft":
            trace.step(ROOM, {"soft": True, "wouldRefuse": reason, **facts})
            continue
        trace.refuse(ROOM, reason, **facts)
        raise Forbidden(FORBIDDEN)


def permit_signed(access: Access, request: Request, arn: str, policy: CompiledPolicy | None, trace: Trace) -> Caller:
    """AuthType AWS_IAM: the caller of a signed request, who is allowed. Raises Forbidden, or the signature's error."""
    try:
        caller = access.authenticate(request, "lambda", trace)
    except AwsError as error:
        if error.code.startswith("MissingAuthenticationToken"):
            raise Forbidden("Forbidden") from error
        raise
    for action, context in _questions("AWS_IAM"):
        try:
            access.authorize(caller, action, arn, context, policy, trace)
        except AwsError as error:
            raise Forbidden(FORBIDDEN) from error
    return caller
