"""The corridor: refusals with AWS's bodies, ids, timeouts, clients that go away, traces that explain."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from trine.aws.errors import AwsError
from trine.aws.invoke import InvokeResponse

FAILED = b'{"errorMessage":"boom","errorType":"ValueError"}'


def test_rest_unknown_route(rest_door: Any, get_header: Any) -> None:
    for method, path in [("GET", "/nope"), ("DELETE", "/users")]:
        response = rest_door.call(method, path)
        assert (response.status, response.body) == (403, b'{"message":"Missing Authentication Token"}')
        assert get_header(response, "x-amzn-ErrorType") == "MissingAuthenticationTokenException"
        assert get_header(response, "content-type") == "application/json"
    assert rest_door.refusal()["room"] == "apigateway.router"
    assert not rest_door.invoker.requests


def test_http_unknown_route(http_door: Any, get_header: Any) -> None:
    response = http_door.call("GET", "/nope")
    assert (response.status, response.body) == (404, b'{"message":"Not Found"}')
    assert get_header(response, "apigw-requestid")


@pytest.mark.parametrize(
    ("answer", "rest_status", "http_status"),
    [
        (InvokeResponse(200, FAILED, "i", "Unhandled"), 502, 500),
        (AwsError("Rate Exceeded.", code="TooManyRequestsException", status=429), 500, 503),
        (AwsError("no permission", code="AccessDeniedException", status=403), 500, 500),
        (AwsError("gone", code="ResourceNotFoundException", status=404), 500, 500),
        (RuntimeError("a fault of ours"), 500, 500),
    ],
)
def test_failing_functions(rest_door: Any, http_door: Any, answer: Any, rest_status: int, http_status: int) -> None:
    rest_door.invoker.answer = http_door.invoker.answer = answer
    response = rest_door.call("GET", "/users")
    assert (response.status, response.body) == (rest_status, b'{"message": "Internal server error"}')
    response = http_door.call("GET", "/users")
    message = b"Service Unavailable" if http_status == 503 else b"Internal Server Error"
    assert (response.status, response.body) == (http_status, b'{"message":"%b"}' % message)
    assert rest_door.refusal()["reason"]


def test_an_event_too_large_for_lambda(rest_door: Any) -> None:
    rest_door.invoker.answer = AwsError("too large", code="RequestTooLargeException", status=413)
    response = rest_door.call("GET", "/users")
    assert (response.status, response.body) == (413, b'{"message":"Request Too Long"}')


def test_function_errors_are_named_on_the_trace(rest_door: Any) -> None:
    rest_door.invoker.answer = InvokeResponse(200, FAILED, "i-1", "Unhandled")
    rest_door.call("GET", "/users")
    refusal = rest_door.refusal()
    assert refusal["reason"] == "the function failed: ValueError: boom"
    assert refusal["invocation"] == "i-1"


def test_limits(rest_door: Any, http_door: Any) -> None:
    big = b"x" * (10 * 1024 * 1024 + 1)
    assert rest_door.call("POST", "/users", body=big).body == b'{"message":"Request Too Long"}'
    response = http_door.call("POST", "/users", body=big)
    assert (response.status, response.body) == (413, b'{"message":"Request Entity Too Large"}')
    assert http_door.call("POST", "/users", body=big[:-1]).status == 200
    assert rest_door.call("GET", "/users", {"X-Long": "x" * 10_300}).status == 431
    assert rest_door.call("GET", "/users?" + "x" * 8_200).status == 414
    assert rest_door.call("GET", "users").status == 400


def test_rest_request_ids(rest_door: Any, get_header: Any) -> None:
    response = rest_door.call("GET", "/users")
    context = rest_door.invoker.event["requestContext"]
    assert get_header(response, "x-amzn-RequestId") == context["requestId"]
    assert get_header(response, "x-amz-apigw-id") == context["extendedRequestId"]
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", get_header(response, "X-Amzn-Trace-Id"))
    trace = rest_door.traces.find(context["requestId"])
    assert trace.outcome == 200
    assert trace.title == "GET /Prod/users"
    assert [step.room for step in trace.steps] == [
        "apigateway.router", "apigateway.event", "apigateway.integration", "apigateway.response",
    ]  # fmt: skip


def test_http_request_ids(http_door: Any, get_header: Any) -> None:
    response = http_door.call("GET", "/users")
    assert get_header(response, "apigw-requestid") == http_door.invoker.event["requestContext"]["requestId"]


@pytest.mark.parametrize(
    ("door_name", "seconds", "status", "body"),
    [
        ("rest_door", 29, 504, b'{"message": "Endpoint request timed out"}'),
        ("http_door", 30, 503, b'{"message":"Service Unavailable"}'),
    ],
)
def test_the_gateway_answers_at_its_own_time_limit(
    request: pytest.FixtureRequest, door_name: str, seconds: int, status: int, body: bytes
) -> None:
    door = request.getfixturevalue(door_name)
    door.invoker.answer = None

    async def scenario() -> None:
        answer = door.start("GET", "/users")
        door.clock.advance(seconds - 0.001)
        assert not answer.done()
        door.clock.advance(0.001)
        response = await answer
        assert (response.status, response.body) == (status, body)
        assert not door.invoker.pending[0].cancelled()  # the function goes on
        door.invoker.pending[0].set_result(InvokeResponse(200, b"{}", "late"))
        await asyncio.sleep(0)
        assert next(door.traces.latest("apigateway")).outcome == status

    asyncio.run(scenario())


def test_a_shorter_timeout_of_the_template(make_door: Any, http: Any, lambda_proxy: Any) -> None:
    door = make_door(http({"/x": {"get": lambda_proxy(integration={"timeoutInMillis": 5_000})}}))
    door.invoker.answer = None

    async def scenario() -> None:
        answer = door.start("GET", "/x")
        door.clock.advance(5)
        assert (await answer).status == 503

    asyncio.run(scenario())


def test_a_client_that_goes_away_hurts_nothing(rest_door: Any) -> None:
    rest_door.invoker.answer = None

    async def scenario() -> None:
        answer = rest_door.start("GET", "/users")
        answer.cancel()
        rest_door.invoker.pending[0].set_result(InvokeResponse(200, b'{"statusCode":200}', "i"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        trace = next(rest_door.traces.latest("apigateway"))
        assert trace.outcome == 499
        rest_door.clock.advance(60)

    asyncio.run(scenario())


def test_a_function_that_answers_later(rest_door: Any) -> None:
    rest_door.invoker.answer = None

    async def scenario() -> None:
        answer = rest_door.start("GET", "/users")
        rest_door.clock.advance(28)
        rest_door.invoker.pending[0].set_result(InvokeResponse(200, b'{"statusCode":204}', "i"))
        assert (await answer).status == 204
        rest_door.clock.advance(60)

    asyncio.run(scenario())


def test_what_is_not_built_says_so(make_door: Any, rest: Any) -> None:
    door = make_door(rest({"/x": {"get": {"x-amazon-apigateway-integration": {"type": "teleport"}}}}))
    assert door.apis[0].problems == ("GET /x: integration type TELEPORT is unknown",)
    response = door.call("GET", "/x")
    assert (response.status, response.body) == (500, b'{"message": "Internal server error"}')
    assert door.refusal()["reason"] == "integration type TELEPORT is unknown"


def test_routes_are_listed(rest_door: Any, function_arn: str) -> None:
    listing = rest_door.gateway.routes()
    assert [(r.method, r.path, r.url_path) for r in listing] == [
        ("GET", "/users", "/_apis/rest01/Prod/users"),
        ("POST", "/users", "/_apis/rest01/Prod/users"),
        ("GET", "/users/{id}", "/_apis/rest01/Prod/users/{id}"),
        ("ANY", "/files/{proxy+}", "/_apis/rest01/Prod/files/{proxy+}"),
    ]
    assert {r.target for r in listing} == {function_arn}
    assert all(r.is_default for r in listing)


def test_a_fault_of_our_own_is_a_500_with_a_trace(rest_door: Any, caplog: Any) -> None:
    def explode(_: Any) -> None:
        raise ZeroDivisionError

    rest_door.invoker.answer = explode
    assert rest_door.call("GET", "/users").status == 500
    assert "the gateway failed at GET /Prod/users" in caplog.text
    assert "fault of the gateway" in rest_door.refusal()["reason"]
