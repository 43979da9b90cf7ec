"""Lambda behind mapping templates: requests, answers, selection patterns, asynchronous invocation."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from trine.aws.errors import AwsError
from trine.aws.invoke import InvokeResponse


@pytest.fixture
def custom(make_door: Any, rest: Any, lambda_proxy: Any) -> Any:
    def make(**integration: Any) -> Any:
        integration.setdefault("responses", {"default": {"statusCode": "200"}})
        operation = lambda_proxy(integration={"type": "aws", **integration})
        return make_door(rest({"/u/{id}": {"x-amazon-apigateway-any-method": operation}}))

    return make


def failed(message: str) -> InvokeResponse:
    return InvokeResponse(200, orjson.dumps({"errorMessage": message, "errorType": "E"}), "inv-1", "Unhandled")


def test_passing_through(custom: Any, get_header: Any) -> None:
    door = custom()
    door.invoker.answer = {"message": "hello"}
    response = door.call("POST", "/u/1", {}, b'{"a":1}')
    assert (response.status, response.body) == (200, b'{"message":"hello"}')
    assert get_header(response, "content-type") == "application/json"
    assert get_header(response, "x-amzn-trace-id")
    assert door.invoker.event == {"a": 1}
    door.call("GET", "/u/1")
    assert door.invoker.event == {}


def test_request_template(custom: Any) -> None:
    template = '{"id": "$input.params(\'id\')", "q": "$input.params(\'q\')", "all": $input.json(\'$\')}'
    door = custom(requestTemplates={"application/json": template})
    door.call("POST", "/u/7?q=x", {}, b'{"a":[1]}')
    assert door.invoker.event == {"id": "7", "q": "x", "all": {"a": [1]}}
    assert door.invoker.requests[-1].caller.source_arn.endswith(":rest01/Prod/POST/u/{id}")


def test_a_body_that_is_no_json(custom: Any, get_header: Any) -> None:
    door = custom()
    response = door.call("POST", "/u/1", {}, b"no json")
    assert response.status == 400
    assert b"Could not parse request body into json" in response.body
    assert get_header(response, "x-amzn-ErrorType") == "BadRequestException"
    assert not door.invoker.requests


def test_selection_patterns(custom: Any) -> None:
    door = custom(
        responses={
            "default": {"statusCode": "200", "responseTemplates": {"application/json": '{"ok":$input.json("$.a")}'}},
            ".*four hundred.*": {
                "statusCode": "400",
                "responseTemplates": {"application/json": '{"why":"$input.path("$.errorMessage")"}'},
                "responseParameters": {"method.response.header.X-Kind": "integration.response.body.errorType"},
            },
        }
    )
    door.invoker.answer = {"a": "four hundred"}
    assert door.call("GET", "/u/1").body == b'{"ok":"four hundred"}'
    door.invoker.answer = failed("Error: four hundred!")
    response = door.call("GET", "/u/1")
    assert (response.status, response.body) == (400, b'{"why":"Error: four hundred!"}')
    assert (b"X-Kind", b"E") in response.headers
    door.invoker.answer = failed("something else")
    assert door.call("GET", "/u/1").status == 200  # an error that no pattern takes uses the default response


def test_asynchronous(custom: Any) -> None:
    door = custom(requestParameters={"integration.request.header.X-Amz-Invocation-Type": "'Event'"})
    door.invoker.answer = InvokeResponse(202, b"", "inv-1")
    assert door.call("POST", "/u/1").status == 200
    assert door.invoker.requests[-1].invocation_type == "Event"


def test_refused_invocations(custom: Any) -> None:
    door = custom()
    door.invoker.answer = AwsError("no", code="AccessDeniedException", status=403)
    response = door.call("GET", "/u/1")
    assert (response.status, response.body) == (500, b'{"message": "Internal server error"}')


def test_no_default_response(custom: Any) -> None:
    door = custom(responses={".*x.*": {"statusCode": "400"}})
    assert door.call("GET", "/u/1").status == 500
    assert "no default" in door.refusal()["reason"]
