"""Resource policies of REST APIs: who may call at all, before any authorizer runs.

Enters the policy of the template, whose resources may be short (`execute-api:/Prod/GET/*`); leaves a compiled policy,
and for each request nothing or a `GatewayError` 403 in AWS's words. A policy that exists must allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trine.apigateway.errors import ACCESS_DENIED, API_CONFIGURATION_ERROR, GatewayError
from trine.apigateway.exchange import Exchange
from trine.aws.arn import Place
from trine.iam.caller import secure_transport
from trine.iam.errors import MalformedPolicy
from trine.iam.evaluator import Decision, Question, evaluate
from trine.iam.policy import CompiledPolicy, parse_policy
from trine.iam.principals import Requester

ROOM = "apigateway.resource-policy"


def condition_values(exchange: Exchange) -> Mapping[str, tuple[str, ...]]:
    """The condition keys a request brings, by lower-case name."""
    now = datetime.fromtimestamp(int(exchange.now_seconds), UTC)
    values = {
        "aws:sourceip": (exchange.source_ip,),
        "aws:securetransport": (secure_transport(exchange.source_ip),),
        "aws:currenttime": (f"{now:%Y-%m-%dT%H:%M:%SZ}",),
        "aws:epochtime": (str(int(exchange.now_seconds)),),
    }
    endpoint = exchange.deployed.endpoint
    if endpoint is not None:
        values["aws:sourcevpce"] = (endpoint.id,)
        if endpoint.vpc_id:
            values["aws:sourcevpc"] = (endpoint.vpc_id,)
    for name, key in ((b"user-agent", "aws:useragent"), (b"referer", "aws:referer")):
        value = exchange.request.headers.get(name)
        if value is not None:
            values[key] = (value.decode("latin-1"),)
    return values


def masked(arn: str, account_id: str) -> str:
    """`arn` as refusals show it: `********9012` for the account."""
    return arn.replace(f":{account_id}:", f":{'*' * 8}{account_id[-4:]}:", 1)


class ResourcePolicy:
    """The resource policy of one API."""

    def __init__(self, document: Mapping[str, Any], api_id: str, place: Place) -> None:
        self.problem = ""
        self.compiled: CompiledPolicy | None = None
        try:
            self.compiled = parse_policy(_expand(document, api_id, place), "resource", "resource policy")
        except MalformedPolicy as error:
            self.problem = f"the API's resource policy is malformed: {error.message}"

    def check_anonymous(self, exchange: Exchange, arn: str) -> None:
        """GatewayError 403 unless the policy allows a caller without IAM identity to request `arn`."""
        if self.compiled is None:
            raise GatewayError(API_CONFIGURATION_ERROR, self.problem, room=ROOM)
        values = condition_values(exchange)
        question = Question(
            Requester(), "execute-api:invoke", arn, values.get, resource_policy=self.compiled, same_account=True
        )
        decision = evaluate(question)
        if not decision.allowed:
            raise refused(decision, "anonymous", arn, exchange.deployed.place.account_id)
        exchange.trace.step(ROOM, decision.statement.facts() if decision.statement else None)


def refused(decision: Decision, who: str, arn: str, account_id: str) -> GatewayError:
    """The 403 of a resource policy."""
    message = f"User: {who} is not authorized to perform: execute-api:Invoke on resource: {masked(arn, account_id)}"
    if decision.statement is not None:
        message += " with an explicit deny"
        reason = "a statement of the API's resource policy denies this request"
        return GatewayError(ACCESS_DENIED, reason, message=message, room=ROOM, **decision.statement.facts())
    reason = "no statement of the API's resource policy allows this request"
    return GatewayError(ACCESS_DENIED, reason, message=message, room=ROOM, resource=arn)


def _expand(document: Mapping[str, Any], api_id: str, place: Place) -> dict[str, Any]:
    """The document with `execute-api:/…` written out as ARNs of this API."""
    statements = document.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list):
        return dict(document)
    expanded = []
    for statement in statements:
        if isinstance(statement, Mapping):
            statement = {
                name: _resources(value, api_id, place) if name in ("Resource", "NotResource") else value
                for name, value in statement.items()
            }
        expanded.append(statement)
    return {**document, "Statement": expanded}


def _resources(value: Any, api_id: str, place: Place) -> Any:
    if isinstance(value, list):
        return [_resources(entry, api_id, place) for entry in value]
    if isinstance(value, str) and value.startswith("execute-api:"):
        return place.execute_api(api_id, value.removeprefix("execute-api:").lstrip("/") or "*")
    return value
