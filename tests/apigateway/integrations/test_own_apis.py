"""APIs of one stack that call one another by their AWS names, and circles of them."""

from __future__ import annotations

from typing import Any

import orjson

HOST = "https://{}.execute-api.us-east-1.amazonaws.com"


def proxy_to(uri: str, **more: Any) -> dict[str, Any]:
    return {"x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "ANY", "uri": uri, **more}}


def test_one_api_calls_another(make_door: Any, rest: Any, http: Any, lambda_proxy: Any, get_header: Any) -> None:
    outer = rest({"/outer": {"post": proxy_to(HOST.format("http01") + "/inner?b=2")}})
    inner = http({"/inner": {"post": lambda_proxy(integration={"payloadFormatVersion": "2.0"})}})
    door = make_door([*outer, *inner])
    response = door.call("POST", "/outer?a=1", {"X-One": "1"}, b"hello")
    assert (response.status, response.body) == (200, b"hello")
    event = door.invoker.event
    assert (event["rawPath"], event["body"]) == ("/inner", "hello")
    assert event["queryStringParameters"] == {"a": "1", "b": "2"}
    assert event["headers"]["x-one"] == "1"
    assert event["requestContext"]["domainName"] == "http01.execute-api.us-east-1.amazonaws.com"
    assert get_header(response, "x-amzn-RequestId")
    door.invoker.answer = {"statusCode": 404, "body": orjson.dumps({"no": 1}).decode()}
    assert door.call("POST", "/outer").status == 404


def test_a_circle_is_cut(make_door: Any, rest: Any) -> None:
    door = make_door(rest({"/me": {"get": proxy_to(HOST.format("rest01") + "/Prod/me")}}))
    response = door.call("GET", "/me")
    assert (response.status, response.body) == (504, b'{"message": "Network error communicating with endpoint"}')
    reasons = [trace.refusal["reason"] for trace in door.traces.latest("apigateway") if trace.refusal]
    assert any("more than 10 deep" in reason for reason in reasons)
    assert len(list(door.traces.latest("apigateway"))) == 11


def test_an_api_of_another_stack_is_out_of_reach(make_door: Any, rest: Any) -> None:
    door = make_door(rest({"/x": {"get": proxy_to("http://other.execute-api.localhost.invalid/Prod/x")}}))
    assert door.call("GET", "/x").status == 504
