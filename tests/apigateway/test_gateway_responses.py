"""Customized gateway responses: types, families, headers, templates."""

from __future__ import annotations

from typing import Any

import orjson
import pytest


@pytest.fixture
def door(make_door: Any, rest: Any, lambda_proxy: Any) -> Any:
    def make(**responses: Any) -> Any:
        stages = [{"StageName": "Prod", "Variables": {"v": "1"}}]
        body = {"x-amazon-apigateway-gateway-responses": responses}
        return make_door(rest({"/x": {"get": lambda_proxy()}}, body=body, stages=stages))

    return make


def test_headers_only_as_sam_writes_for_cors(door: Any, get_header: Any) -> None:
    parameters = {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}
    api = door(DEFAULT_4XX={"responseParameters": parameters})
    response = api.call("GET", "/nope")
    assert (response.status, response.body) == (403, b'{"message":"Missing Authentication Token"}')
    assert get_header(response, "Access-Control-Allow-Origin") == "*"
    assert get_header(response, "x-amzn-ErrorType") == "MissingAuthenticationTokenException"


def test_a_type_wins_over_its_family(door: Any) -> None:
    own = {"statusCode": "404", "responseTemplates": {"application/json": '{"lost":$context.error.messageString}'}}
    api = door(MISSING_AUTHENTICATION_TOKEN=own, DEFAULT_4XX={"statusCode": 418})
    response = api.call("GET", "/nope")
    assert (response.status, response.body) == (404, b'{"lost":"Missing Authentication Token"}')


def test_families(door: Any) -> None:
    api = door(DEFAULT_5XX={"statusCode": "500", "responseTemplates": {"application/json": "$context.error.message"}})
    api.invoker.answer = b"nonsense"
    response = api.call("GET", "/x")
    assert (response.status, response.body) == (500, b"Internal server error")
    assert api.call("GET", "/nope").status == 403


def test_variables_and_sources(door: Any, get_header: Any) -> None:
    template = (
        '{"id":"$context.requestId","type":"$context.error.responseType","ip":"${context.identity.sourceIp}",'
        '"path":"$context.path","v":"$stageVariables.v","none":"$context.nothing"}'
    )
    parameters = {
        "gatewayresponse.header.X-Origin": "method.request.header.Origin",
        "gatewayresponse.header.X-Query": "method.request.querystring.q",
        "gatewayresponse.header.X-Stage": "context.stage",
        "gatewayresponse.header.X-None": "method.request.header.Nothing",
        "gatewayresponse.header.X-V": "stageVariables.v",
    }
    api = door(DEFAULT_4XX={"responseTemplates": {"application/json": template}, "responseParameters": parameters})
    response = api.call("GET", "/nope?q=7", {"Origin": "https://a"})
    document = orjson.loads(response.body)
    assert document["id"] == get_header(response, "x-amzn-requestid")
    assert document["type"] == "MISSING_AUTHENTICATION_TOKEN"
    assert (document["ip"], document["path"], document["v"], document["none"]) == ("203.0.113.9", "/Prod/nope", "1", "")
    found = [get_header(response, f"X-{name}") for name in ("Origin", "Query", "Stage", "None", "V")]
    assert found == ["https://a", "7", "Prod", None, "1"]


def test_the_template_follows_accept(door: Any, get_header: Any) -> None:
    api = door(DEFAULT_4XX={"responseTemplates": {"application/json": "json", "application/xml": "<xml/>"}})
    response = api.call("GET", "/nope", {"Accept": "application/xml"})
    assert (response.body, get_header(response, "content-type")) == (b"<xml/>", "application/xml")
    assert api.call("GET", "/nope").body == b"json"


def test_a_header_that_cannot_be_sent_falls_back(door: Any) -> None:
    parameters = {"gatewayresponse.header.X-Q": "method.request.querystring.q"}
    api = door(DEFAULT_4XX={"statusCode": "400", "responseParameters": parameters})
    response = api.call("GET", "/nope?q=a%0D%0Ab:c")
    assert (response.status, response.body) == (403, b'{"message":"Missing Authentication Token"}')


def test_plain_resources(make_door: Any, rest: Any, resource: Any) -> None:
    node = {
        "RestApiId": "rest01",
        "ResponseType": "DEFAULT_4XX",
        "StatusCode": "404",
        "ResponseParameters": {"gatewayresponse.header.X": "'y'"},
        "ResponseTemplates": {"application/json": "z"},
    }
    door = make_door([*rest({}), resource("G", "AWS::ApiGateway::GatewayResponse", "g", node)])
    response = door.call("GET", "/nope")
    assert (response.status, response.body) == (404, b"z")
