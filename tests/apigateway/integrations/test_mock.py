"""MOCK integrations: SAM's CORS, templates on both sides, overrides, faults."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

SAM_CORS = {
    "type": "mock",
    "requestTemplates": {"application/json": '{\n  "statusCode" : 200\n}\n'},
    "responses": {
        "default": {
            "statusCode": "200",
            "responseTemplates": {"application/json": "{}\n"},
            "responseParameters": {
                "method.response.header.Access-Control-Allow-Origin": "'*'",
                "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
            },
        }
    },
}


@pytest.fixture
def mock(make_door: Any, rest: Any) -> Any:
    def make(integration: dict[str, Any], path: str = "/x") -> Any:
        operation = {"x-amazon-apigateway-integration": {"type": "MOCK", **integration}}
        return make_door(rest({path: {"x-amazon-apigateway-any-method": operation}}, stages=[{"StageName": "Prod", "Variables": {"v": "1"}}]))  # fmt: skip  # noqa: E501

    return make


def test_cors_as_sam_writes_it(mock: Any, get_header: Any) -> None:
    door = mock(SAM_CORS)
    response = door.call("OPTIONS", "/x")
    assert (response.status, response.body) == (200, b"{}\n")
    assert get_header(response, "Access-Control-Allow-Origin") == "*"
    assert get_header(response, "Access-Control-Allow-Methods") == "GET,OPTIONS"
    assert get_header(response, "content-type") == "application/json"
    assert get_header(response, "x-amzn-requestid")
    assert get_header(response, "x-amzn-trace-id") is None
    assert not door.invoker.requests


def test_the_status_chooses_the_response(mock: Any) -> None:
    door = mock(
        {
            "requestTemplates": {"application/json": "{\"statusCode\": $input.params('s')}"},
            "responses": {
                "default": {"statusCode": "200", "responseTemplates": {"application/json": "fine"}},
                "4\\d{2}": {"statusCode": "404", "responseTemplates": {"application/json": "lost $context.stage"}},
            },
        }
    )
    assert door.call("GET", "/x?s=200").body == b"fine"
    response = door.call("GET", "/x?s=418")
    assert (response.status, response.body) == (404, b"lost Prod")
    assert door.call("GET", "/x?s=abc").status == 500


def test_variables(mock: Any) -> None:
    template = """{"path":"$input.params().path.id","all":"$input.params('q')","h":"$input.params('X-H')",
"body":$input.json('$.a'),"deep":"$input.path('$.a.b')","raw":"$util.escapeJavaScript($input.body)",
"stage":"$stageVariables.v","ip":"$context.identity.sourceIp","enc":"$util.urlEncode('a b&')",
"b64":"$util.base64Encode('hi')","dec":"$util.base64Decode('aGk=')","json":"$util.parseJson('{"k":1}').k",
"method":"$context.httpMethod","res":"$context.resourcePath","none":"$context.authorizer.x"}"""
    door = mock(
        {
            "requestTemplates": {
                "application/json": "#set($context.responseOverride.header.X-Out = $input.json('$.a')){statusCode: 200}"
            },
            "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": template}}},
        },
        "/u/{id}",
    )
    response = door.call("POST", "/u/7?q=5", {"x-h": "head"}, b'{"a":{"b":"\xc3\xa4"}}')
    document = orjson.loads(response.body)
    assert document["path"] == "7"
    assert document["all"] == "5"
    assert document["h"] == "head"
    assert document["stage"] == "1"
    assert document["ip"] == "203.0.113.9"
    assert (document["enc"], document["b64"], document["dec"], document["json"]) == ("a+b%26", "aGk=", "hi", "1")
    assert (document["method"], document["res"], document["none"]) == ("POST", "/u/{id}", "")
    assert [v for n, v in response.headers if n == b"X-Out"] == ['{"b":"ä"}'.encode("latin-1")]


def test_overrides_of_status_and_headers(mock: Any, get_header: Any) -> None:
    answer = "#set($context.responseOverride.header.X-A = 'b')$context.responseOverride.status"
    door = mock(
        {
            "requestTemplates": {"application/json": "#set($context.responseOverride.status = 444){statusCode: 200}"},
            "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": answer}}},
        }
    )
    response = door.call("GET", "/x")
    assert (response.status, response.body, get_header(response, "x-a")) == (444, b"444", "b")


def test_passthrough_behaviours(mock: Any) -> None:
    templates = {
        "requestTemplates": {"application/json": "{statusCode: 200}"},
        "responses": {"default": {"statusCode": "200"}},
    }
    xml = {"Content-Type": "text/xml"}
    body = b'{"statusCode": 200}'
    assert mock({**templates, "passthroughBehavior": "when_no_match"}).call("POST", "/x", xml, body).status == 200
    for behaviour in ("when_no_templates", "never"):
        response = mock({**templates, "passthroughBehavior": behaviour}).call("POST", "/x", xml, body)
        assert (response.status, response.body) == (415, b'{"message": "Unsupported Media Type"}')
    assert mock({"passthroughBehavior": "when_no_templates", "responses": {"default": {"statusCode": "201"}}}).call("POST", "/x", xml, body).status == 201  # fmt: skip  # noqa: E501


def test_a_broken_template_is_told_at_load_and_answers_500(mock: Any) -> None:
    door = mock(
        {"requestTemplates": {"application/json": "#if(true)"}, "responses": {"default": {"statusCode": "200"}}}
    )
    assert door.apis[0].problems == ("ANY /x: line 1: a block is not closed by #end",)
    assert door.call("GET", "/x").status == 500


def test_a_broken_pattern_is_told_at_load(mock: Any) -> None:
    door = mock({"requestTemplates": {"application/json": "{}"}, "responses": {"(a+": {"statusCode": "200"}}})
    assert "not a regular expression" in door.apis[0].problems[0]


def test_a_template_that_fails_at_run_time(mock: Any) -> None:
    door = mock(
        {
            "requestTemplates": {"application/json": "$util.parseJson($input.body){statusCode: 200}"},
            "responses": {"default": {"statusCode": "200"}},
        }
    )
    response = door.call("POST", "/x", {}, b"no json")
    assert (response.status, response.body) == (500, b'{"message": "Internal server error"}')
    assert "parseJson" in door.refusal()["reason"]


def test_no_matching_response(mock: Any) -> None:
    door = mock(
        {"requestTemplates": {"application/json": "{statusCode: 200}"}, "responses": {"4..": {"statusCode": "400"}}}
    )
    assert door.call("GET", "/x").status == 500
    assert "no integration response matches" in door.refusal()["reason"]


def test_the_answer_follows_accept(mock: Any, get_header: Any) -> None:
    both = {"application/json": "json", "text/plain": "text"}
    door = mock({"requestTemplates": {"application/json": "{statusCode: 200}"}, "responses": {"default": {"statusCode": "200", "responseTemplates": both}}})  # fmt: skip  # noqa: E501
    response = door.call("GET", "/x", {"Accept": "text/plain"})
    assert (response.body, get_header(response, "content-type")) == (b"text", "text/plain")
    assert door.call("GET", "/x", {"Accept": "image/png"}).body == b"json"
