"""Every answer of the gateway itself, provoked: status, body and headers as docs/api-gateway.md has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from trine.apigateway import errors
from trine.apigateway.errors import Refusal
from trine.apigateway.quota import Quota, QuotaLedger
from trine.apigateway.throttle import Buckets
from trine.apigateway.usage_plans import ApiKey, UsagePlan, UsagePlans
from trine.aws.errors import AwsError
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.message import Response
from trine.iam.access import Access
from trine.iam.signing import sign

START = 1_800_000_000.0
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:hello"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
KNOWN = {name: value for name, value in vars(errors).items() if isinstance(value, Refusal)}
DENIAL = {
    "principalId": "nobody",
    "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:other/*"}]},
}  # fmt: skip


class Lab:
    """An API of one kind with one guarded route, and what a scenario may turn on it."""

    def __init__(self, make_door: Any, template: Any, proxy: Any, *, rest: bool) -> None:
        self.make_door, self.template, self.proxy, self.rest = make_door, template, proxy, rest

    def door(self, operation: dict[str, Any] | None = None, body: dict[str, Any] | None = None, **options: Any) -> Any:
        stages = options.pop("stages", None)
        properties = options.pop("properties", {})
        paths = {"/x": {"post": operation or self.proxy()}}
        return self.make_door(self.template(paths, body=body, stages=stages, **properties), **options)

    def guarded(self, **options: Any) -> Any:
        authorizer = {"type": "request", "authorizerUri": URI, "authorizerPayloadFormatVersion": "1.0",
                      "identitySource": "method.request.header.Authorization" if self.rest
                      else "$request.header.Authorization"}  # fmt: skip
        return self._secured({"x-amazon-apigateway-authorizer": authorizer}, **options)

    def signed(self, **options: Any) -> Any:
        return self._secured({"x-amazon-apigateway-authtype": "awsSigv4"}, **options)

    def _secured(self, more: dict[str, Any], **options: Any) -> Any:
        scheme = {"S": {"type": "apiKey", "in": "header", "name": "Authorization", **more}}
        body = {"securityDefinitions": scheme} if self.rest else {"components": {"securitySchemes": scheme}}
        return self.door(self.proxy(security=[{"S": []}]), body, **options)

    def integrated(self, **integration: Any) -> Any:
        return self.door({"x-amazon-apigateway-integration": integration, "responses": {}})

    @staticmethod
    def signature(clock: ManualClock, access: Access, wait_seconds: float = 0.0) -> list[tuple[str, str]]:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = access.put_role({"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}, "caller")
        session = access.assume_role_for_service(role, "session", "lambda.amazonaws.com", 900)
        clock.advance(wait_seconds)
        pairs = sign(session, "execute-api", "us-east-1", "POST", b"/x", [(b"host", b"h")], b"",
                     clock.now())  # fmt: skip
        return [(name.decode(), value.decode()) for name, value in pairs]


def call(door: Any, target: str = "/x", headers: Any = None, body: bytes = b"", method: str = "POST") -> Response:
    answer: Response = door.call(method, target, headers, body)
    return answer


def missing_route(lab: Lab) -> Response:
    return call(lab.door(), "/nowhere")


def unknown_api(lab: Lab) -> Response:
    return call(lab.door(), "/_apis/gone/x")


def no_key(lab: Lab) -> Response:
    body = {"securityDefinitions": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}
    return call(lab.door(lab.proxy(security=[{"api_key": []}]), body))


def denied(lab: Lab) -> Response:
    door = lab.guarded()
    door.invoker.answer = DENIAL
    return call(door, headers={"Authorization": "t"})


def no_identity(lab: Lab) -> Response:
    return call(lab.guarded())


def bad_signature(lab: Lab) -> Response:
    clock = ManualClock(START)
    access = Access(clock, SeededIds(5))
    headers = [(name, value.replace("Signature=", "Signature=0")) for name, value in lab.signature(clock, access)]
    headers = [(n, v[:-1] if n == "authorization" else v) for n, v in headers]
    return call(lab.signed(access=access), headers=headers)


def expired(lab: Lab) -> Response:
    clock = ManualClock(START)
    access = Access(clock, SeededIds(5))
    headers = lab.signature(clock, access, wait_seconds=1_000.0)
    return call(lab.signed(access=access), headers=headers)


def broken_authorizer(lab: Lab) -> Response:
    door = lab.guarded()
    door.invoker.answer = {"what": "ever"}
    return call(door, headers={"Authorization": "t"})


def odd_target(lab: Lab) -> Response:
    return call(lab.door(), "nowhere")


def bad_body(lab: Lab) -> Response:
    parameter = {"in": "body", "name": "M", "schema": {"type": "object", "required": ["a"]}}
    validated = {"parameters": [parameter], "x-amazon-apigateway-request-validator": "all"}
    rules = {"all": {"validateRequestBody": True, "validateRequestParameters": True}}
    return call(lab.door(lab.proxy(**validated), {"x-amazon-apigateway-request-validators": rules}), body=b"{}")


def bad_parameters(lab: Lab) -> Response:
    parameter = {"in": "header", "name": "x-a", "required": True, "type": "string"}
    validated = {"parameters": [parameter], "x-amazon-apigateway-request-validator": "all"}
    rules = {"all": {"validateRequestBody": True, "validateRequestParameters": True}}
    return call(lab.door(lab.proxy(**validated), {"x-amazon-apigateway-request-validators": rules}))


def large_body(lab: Lab) -> Response:
    return call(lab.door(), body=b"x" * (10 * 1024 * 1024 + 1))


def long_target(lab: Lab) -> Response:
    return call(lab.door(), "/x?" + "a" * 9_000)


def long_headers(lab: Lab) -> Response:
    return call(lab.door(), headers={"x-a": "a" * 11_000})


def other_media_type(lab: Lab) -> Response:
    never = {"type": "mock", "passthroughBehavior": "never", "requestTemplates": {"application/json": "{}"}}
    return call(lab.integrated(**never), headers={"Content-Type": "text/csv"})


def throttled(lab: Lab) -> Response:
    limits = {"ThrottlingRateLimit": 0.001, "ThrottlingBurstLimit": 1}
    stage = (
        {"StageName": "Prod", "MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", **limits}]}
        if lab.rest
        else {"StageName": "$default", "DefaultRouteSettings": limits}
    )
    door = lab.door(stages=[stage])
    assert call(door).status == 200
    return call(door)


def used_up(lab: Lab) -> Response:
    clock = ManualClock(START)
    plan = UsagePlan("p", "p", {("rest01", "Prod"): {}}, quota=Quota(1, "DAY"), key_ids=("k",))
    usage = UsagePlans([plan], [ApiKey("k", "k", "v" * 20)], QuotaLedger(clock), Buckets(clock))
    body = {"securityDefinitions": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}
    door = lab.door(lab.proxy(security=[{"api_key": []}]), body, usage=usage)
    assert call(door, headers={"x-api-key": "v" * 20}).status == 200
    return call(door, headers={"x-api-key": "v" * 20})


def not_built(lab: Lab) -> Response:
    return call(lab.integrated(type="http_proxy", connectionType="VPC_LINK", uri="https://x.example"))


def nonsense(lab: Lab) -> Response:
    door = lab.door()
    door.invoker.answer = [1]
    return call(door)


def refused_function(lab: Lab, code: str = "AccessDeniedException", status: int = 403) -> Response:
    door = lab.door()
    door.invoker.answer = AwsError("no", code=code, status=status)
    return call(door)


def busy_function(lab: Lab) -> Response:
    return refused_function(lab, "TooManyRequestsException", 429)


def nobody_there(lab: Lab) -> Response:
    return call(lab.integrated(type="http_proxy", httpMethod="POST", uri="http://127.0.0.1:9/x"))


def too_slow(lab: Lab) -> Response:
    door = lab.door()
    door.invoker.answer = None

    async def run() -> Response:
        waiting = door.start("POST", "/x")
        door.clock.advance(31)
        answer: Response = await waiting
        return answer

    return asyncio.run(run())


def our_fault(lab: Lab) -> Response:
    door = lab.door()
    door.invoker.answer = ZeroDivisionError("a fault of our own")
    return call(door)


SCENARIOS: dict[str, Callable[[Lab], Response]] = {
    "MISSING_AUTHENTICATION_TOKEN": missing_route,
    "RESOURCE_NOT_FOUND": unknown_api,
    "FORBIDDEN": no_key,
    "ACCESS_DENIED": denied,
    "UNAUTHORIZED": no_identity,
    "INVALID_SIGNATURE": bad_signature,
    "EXPIRED_TOKEN": expired,
    "AUTHORIZER_CONFIGURATION_ERROR": broken_authorizer,
    "BAD_REQUEST": odd_target,
    "BAD_REQUEST_BODY": bad_body,
    "BAD_REQUEST_PARAMETERS": bad_parameters,
    "REQUEST_TOO_LARGE": large_body,
    "URI_TOO_LONG": long_target,
    "HEADERS_TOO_LARGE": long_headers,
    "UNSUPPORTED_MEDIA_TYPE": other_media_type,
    "THROTTLED": throttled,
    "QUOTA_EXCEEDED": used_up,
    "API_CONFIGURATION_ERROR": not_built,
    "MALFORMED_RESPONSE": nonsense,
    "INTEGRATION_REFUSED": refused_function,
    "INTEGRATION_THROTTLED": busy_function,
    "INTEGRATION_FAILURE": nobody_there,
    "INTEGRATION_TIMEOUT": too_slow,
    "INTERNAL_ERROR": our_fault,
}
REST_ONLY = frozenset({"FORBIDDEN", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "UNSUPPORTED_MEDIA_TYPE",
                       "QUOTA_EXCEEDED"})  # fmt: skip
"""HTTP APIs have no API keys, validators, quotas and mapping templates."""
UNPLACED = frozenset({"RESOURCE_NOT_FOUND", "BAD_REQUEST"})
"""Refused before any API was found: in an HTTP API's words whatever the kind."""


def test_no_refusal_is_forgotten() -> None:
    assert list(SCENARIOS) == list(KNOWN)


@pytest.mark.parametrize("name", SCENARIOS)
def test_rest(make_door: Any, rest: Any, lambda_proxy: Any, name: str) -> None:
    refusal = KNOWN[name]
    response = SCENARIOS[name](Lab(make_door, rest, lambda_proxy, rest=True))
    if name in UNPLACED:
        assert (response.status, response.body) == _http_answer(refusal)
        assert _names(response) == ["content-type", "apigw-requestid"]
        return
    message = refusal.message
    if name == "BAD_REQUEST_PARAMETERS":
        message = "Missing required request parameters: [x-a]"
    expected = errors.message_body(message, spaced=refusal.spaced, capital=name == "ACCESS_DENIED")
    assert (response.status, response.body) == (refusal.status, expected)
    assert _names(response) == ["content-type", "x-amzn-errortype", "x-amzn-requestid", "x-amz-apigw-id"]
    assert (b"x-amzn-ErrorType", refusal.error_type.encode()) in response.headers


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - REST_ONLY))
def test_http(make_door: Any, http: Any, lambda_proxy: Any, name: str) -> None:
    response = SCENARIOS[name](Lab(make_door, http, lambda_proxy, rest=False))
    assert (response.status, response.body) == _http_answer(KNOWN[name])
    assert _names(response) == ["content-type", "apigw-requestid"]


def _http_answer(refusal: Refusal) -> tuple[int, bytes]:
    return refusal.http_status, errors.message_body(refusal.http_message, spaced=False)


def _names(response: Response) -> list[str]:
    return [name.decode().lower() for name, _ in response.headers]
