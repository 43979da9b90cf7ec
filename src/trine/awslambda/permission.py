"""A function's resource policy: `AWS::Lambda::Permission` properties in, the document that AWS makes of them out.

Pure. The document is what GetPolicy shows and what `iam` evaluates for services and other accounts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from trine.aws.arn import Place
from trine.awslambda import limits
from trine.awslambda.errors import InvalidParameterValue
from trine.awslambda.function import split_name
from trine.iam.policy import CompiledPolicy, parse_policy

_ACCOUNT = re.compile(r"\d{12}")
_ACTION = re.compile(r"lambda:[*]|lambda:[A-Za-z]+|[*]")


def statement_of(permission: Mapping[str, Any], function_arn: str, place: Place, sid: str) -> dict[str, Any]:
    """One statement, in the form that AddPermission writes: its resource is the function, or the version or alias that
    the permission names. Raises InvalidParameterValue."""
    action = permission.get("Action")
    principal = permission.get("Principal")
    if not isinstance(action, str) or not _ACTION.fullmatch(action):
        raise InvalidParameterValue(f"Action must be a Lambda action, not {action!r}")
    if not isinstance(principal, str) or not principal:
        raise InvalidParameterValue("Principal is mandatory for a permission")
    conditions: dict[str, dict[str, str]] = {}
    for member, operator, key in (
        ("SourceArn", "ArnLike", "AWS:SourceArn"),
        ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
        ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
        ("InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"),
    ):
        value = permission.get(member)
        if value is not None:
            text = str(value).lower() if operator == "Bool" else str(value)
            conditions.setdefault(operator, {})[key] = text
    statement: dict[str, Any] = {
        "Sid": str(permission.get("StatementId") or sid),
        "Effect": "Allow",
        "Principal": principal_of(principal, place),
        "Action": action,
        "Resource": resource_of(permission, function_arn, place),
    }
    if conditions:
        statement["Condition"] = conditions
    return statement


def resource_of(permission: Mapping[str, Any], function_arn: str, place: Place) -> str:
    """The ARN that a permission is about: with the version or alias of its Qualifier or of its FunctionName."""
    qualifier = permission.get("Qualifier")
    if qualifier is None and permission.get("FunctionName") is not None:
        try:
            qualifier = split_name(str(permission["FunctionName"]), place)[1]
        except ValueError:
            raise InvalidParameterValue(f"{permission['FunctionName']!r} is no name of a function") from None
    return function_arn if qualifier is None else f"{function_arn}:{qualifier}"


def principal_of(text: str, place: Place) -> Any:
    """A Principal element of what AddPermission calls a principal: everybody, an account, an ARN, or a service."""
    if text == "*":
        return "*"
    if _ACCOUNT.fullmatch(text):
        return {"AWS": f"arn:{place.partition}:iam::{text}:root"}
    return {"AWS": text} if text.startswith("arn:") else {"Service": text}


def resource_policies(
    permissions: Sequence[Mapping[str, Any]], function_arn: str, place: Place
) -> dict[str, tuple[str, CompiledPolicy]]:
    """Text and compiled form of each policy by the ARN it hangs on: the function, its versions and its aliases each
    have their own. Raises InvalidParameterValue, MalformedPolicy."""
    statements: dict[str, list[dict[str, Any]]] = {}
    for number, permission in enumerate(permissions, 1):
        statement = statement_of(permission, function_arn, place, f"permission-{number}")
        statements.setdefault(statement["Resource"], []).append(statement)
    return {arn: _policy(arn, found) for arn, found in statements.items()}


def _policy(arn: str, statements: Sequence[Mapping[str, Any]]) -> tuple[str, CompiledPolicy]:
    text = json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": statements}, separators=(",", ":"))
    if len(text.encode()) > limits.RESOURCE_POLICY_MAX_BYTES:
        raise InvalidParameterValue(f"The final policy size ({len(text)}) is bigger than the limit (20480).")
    return text, parse_policy(text, "resource", arn)
