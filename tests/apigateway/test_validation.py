"""Request validators: required parameters and models."""

from __future__ import annotations

from typing import Any

import pytest

USER = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "minLength": 1}, "friend": {"$ref": "#/definitions/user"}},
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def door(make_door: Any, rest: Any, lambda_proxy: Any) -> Any:
    def make(schema: Any = None, rule: Any = None, **more: Any) -> Any:
        parameters = [
            {"in": "body", "name": "user", "required": True, "schema": schema or {"$ref": "#/definitions/user"}},
            {"in": "query", "name": "qs1", "required": True, "type": "string"},
            {"in": "header", "name": "x-header-param", "required": True, "type": "string"},
            {"in": "path", "name": "id", "required": True, "type": "string"},
            {"in": "query", "name": "optional", "required": False},
        ]
        operation = lambda_proxy(parameters=parameters, **{"x-amazon-apigateway-request-validator": "v"})
        rule = rule or {"validateRequestBody": True, "validateRequestParameters": True}
        body = {"definitions": {"user": USER}, "x-amazon-apigateway-request-validators": {"v": rule}, **more}
        return make_door(rest({"/u/{id}": {"post": operation}}, body=body))

    return make


GOOD = {**JSON, "X-Header-Param": "1"}


def test_a_good_request(door: Any) -> None:
    response = door().call("POST", "/u/1?qs1=a", GOOD, b'{"name":"x","friend":{"name":"y"}}')
    assert response.status == 200


def test_missing_parameters(door: Any, get_header: Any) -> None:
    api = door()
    response = api.call("POST", "/u/1", JSON, b'{"name":"x"}')
    assert response.status == 400
    assert response.body == b'{"message": "Missing required request parameters: [x-header-param, qs1]"}'
    assert get_header(response, "x-amzn-ErrorType") == "BadRequestException"
    assert api.call("POST", "/u/1?qs1=", GOOD, b'{"name":"x"}').status == 400
    assert not api.invoker.requests


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"no json",
        b'{"name":1}',
        b'{"name":""}',
        b"[]",
        b'{"name":"x","friend":{}}',
        b"null",
        b'{"name":"x","friend":' + b'{"name":"x","friend":' * 900 + b"{}" + b"}" * 901,
    ],
)
def test_bodies_that_do_not_fit(door: Any, body: bytes) -> None:
    api = door()
    response = api.call("POST", "/u/1?qs1=a", GOOD, body)
    assert (response.status, response.body) == (400, b'{"message": "Invalid request body"}')
    assert api.refusal()["room"] == "apigateway.validation"


def test_other_media_types_are_not_validated(door: Any) -> None:
    headers = {"Content-Type": "text/plain", "X-Header-Param": "1"}
    assert door().call("POST", "/u/1?qs1=a", headers, b"free text").status == 200


def test_only_what_the_validator_says(door: Any) -> None:
    api = door(rule={"validateRequestBody": False, "validateRequestParameters": False})
    assert api.call("POST", "/u/1").status == 200
    api = door(rule={"validateRequestBody": True})
    assert api.call("POST", "/u/1", JSON, b'{"name":"x"}').status == 200
    assert api.call("POST", "/u/1", JSON, b"{}").status == 400


def test_models_by_url(door: Any) -> None:
    api = door(schema={"type": "array", "items": {"$ref": "https://apigateway.amazonaws.com/restapis/abc/models/user"}})
    assert api.call("POST", "/u/1?qs1=a", GOOD, b'[{"name":"x"}]').status == 200
    assert api.call("POST", "/u/1?qs1=a", GOOD, b"[{}]").status == 400


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "#/definitions/nobody"},
        {"$ref": "http://elsewhere.example/schema"},
        {"type": "object", "patternProperties": {"(a|aa": {}}},
        {"type": "string", "pattern": "("},
    ],
)
def test_models_that_cannot_be_used_are_told_at_load(door: Any, schema: Any) -> None:
    api = door(schema=schema)
    assert len(api.gateway.problems) == 1
    assert api.gateway.problems[0].startswith("POST /u/{id}: ")
    assert api.call("POST", "/u/1?qs1=a", GOOD, b"{}").status == 500


@pytest.mark.parametrize(
    ("schema", "body", "status"),
    [
        ({"type": "array", "uniqueItems": True}, b'[1, true, "1", {"a": [1]}, {"a": [2]}]', 200),
        ({"type": "array", "uniqueItems": True}, b"[1, 1.0]", 400),
        ({"type": "array", "uniqueItems": True}, b'[{"a": 1, "b": 2}, {"b": 2, "a": 1}]', 400),
        ({"type": "array", "uniqueItems": True}, b"[" + b",".join(b'{"a":%d}' % n for n in range(50_000)) + b"]", 200),
        ({"type": "string", "pattern": "b+"}, b'"abba"', 200),
        ({"type": "string", "pattern": "^b+$"}, b'"abba"', 400),
        ({"type": "string", "pattern": "x.*y.*z.*$"}, b'"' + b"xyz" * 100_000 + b'"', 200),
        ({"type": "string", "pattern": "x.*y.*z.*!$"}, b'"' + b"xyz" * 100_000 + b'"', 400),
        ({"type": "object", "patternProperties": {"^a.*b.*c$": {"type": "number"}}}, b'{"abc": 1}', 200),
        ({"type": "object", "patternProperties": {"^a.*b.*c$": {"type": "number"}}}, b'{"abc": "1"}', 400),
        ({"patternProperties": {"^(a|aa)+$": {}}, "additionalProperties": False}, b'{"aaa": 1}', 200),
        ({"patternProperties": {"^(a|aa)+$": {}}, "additionalProperties": False}, b'{"aaa": 1, "b": 1}', 400),
        ({"patternProperties": {"^(a|aa)+$": {}}}, b'{"' + b"a" * 60 + b'!": 1}', 400),
        ({"patternProperties": {"x": {}}, "additionalProperties": {"type": "number"}}, b'{"ax": "1", "b": "1"}', 400),
        ({"type": "object", "patternProperties": {"^a.*b$": {}}}, b'{"' + b"a" * 100_000 + b'": 1}', 400),
    ],
)
def test_keywords_that_a_client_could_make_slow(door: Any, schema: Any, body: bytes, status: int) -> None:
    assert door(schema=schema).call("POST", "/u/1?qs1=a", GOOD, body).status == status


def test_plain_resources(make_door: Any, resource: Any, function_arn: str) -> None:
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    method = {
        "RestApiId": "r",
        "ResourceId": "root",
        "HttpMethod": "POST",
        "RequestValidatorId": "val",
        "RequestParameters": {"method.request.header.X-A": True, "method.request.querystring.b": False},
        "RequestModels": {"application/json": "User"},
        "Integration": {"Type": "AWS_PROXY", "Uri": uri},
    }
    validator = {"RestApiId": "r", "ValidateRequestBody": True, "ValidateRequestParameters": True}
    door = make_door(
        [
            resource("A", "AWS::ApiGateway::RestApi", "r", {}),
            resource("V", "AWS::ApiGateway::RequestValidator", "val", validator),
            resource(
                "U",
                "AWS::ApiGateway::Model",
                "User",
                {"RestApiId": "r", "Name": "User", "Schema": USER | {"properties": {}}},
            ),
            resource("M", "AWS::ApiGateway::Method", "m", method),
            resource("S", "AWS::ApiGateway::Stage", "Prod", {"RestApiId": "r", "StageName": "Prod"}),
        ]
    )
    assert door.call("POST", "/", {"X-A": "1"}, b'{"name":1}').status == 200
    assert door.call("POST", "/", {"X-A": "1"}, b"{}").status == 400
    assert door.call("POST", "/", {}, b'{"name":1}').status == 400


def test_a_pattern_that_explodes_is_a_refusal_in_time(door: Any) -> None:
    api = door(schema={"type": "string", "pattern": "^(a|a)*$"})
    assert api.call("POST", "/u/1?qs1=a", GOOD, b'"aaa"').status == 200
    response = api.call("POST", "/u/1?qs1=a", GOOD, b'"' + b"a" * 60 + b'!"')
    assert (response.status, response.body) == (400, b'{"message": "Invalid request body"}')
    assert "takes too long" in api.refusal()["reason"]
