"""CORS of HTTP APIs: preflight, headers on answers, origins that are not allowed."""

from __future__ import annotations

from typing import Any

import pytest

CORS = {
    "allowOrigins": ["https://a.example", "https://*"],
    "allowMethods": ["GET", "post"],
    "allowHeaders": ["x-one"],
    "exposeHeaders": ["x-two"],
    "maxAge": 600,
    "allowCredentials": True,
}
PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}


@pytest.fixture
def door(make_door: Any, http: Any, lambda_proxy: Any) -> Any:
    return make_door(http({"/x": {"get": lambda_proxy()}}, body={"x-amazon-apigateway-cors": CORS}))


def test_preflight_is_answered_without_a_route(door: Any, get_header: Any) -> None:
    response = door.call("OPTIONS", "/x", PREFLIGHT)
    assert (response.status, response.body) == (204, b"")
    assert get_header(response, "access-control-allow-origin") == "https://a.example"
    assert get_header(response, "access-control-allow-methods") == "GET,POST"
    assert get_header(response, "access-control-allow-headers") == "x-one"
    assert get_header(response, "access-control-max-age") == "600"
    assert get_header(response, "access-control-allow-credentials") == "true"
    assert get_header(response, "apigw-requestid")
    assert not door.invoker.requests


def test_preflight_of_a_stranger_has_no_headers(door: Any, get_header: Any) -> None:
    response = door.call("OPTIONS", "/x", {**PREFLIGHT, "Origin": "http://evil.example"})
    assert response.status == 204
    assert get_header(response, "access-control-allow-origin") is None


def test_options_without_preflight_headers_is_routed(door: Any) -> None:
    assert door.call("OPTIONS", "/x").status == 404


def test_answers_carry_the_gateways_headers_not_the_functions(door: Any, get_header: Any) -> None:
    door.invoker.answer = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "mine", "x": "y"}}
    response = door.call("GET", "/x", {"Origin": "https://any.example"})
    values = [v for n, v in response.headers if n.lower() == b"access-control-allow-origin"]
    assert values == [b"https://any.example"]
    assert get_header(response, "access-control-expose-headers") == "x-two"
    assert get_header(response, "x") == "y"
    response = door.call("GET", "/x", {"Origin": "http://evil.example"})
    assert get_header(response, "access-control-allow-origin") is None


def test_refusals_carry_cors_headers_too(door: Any, get_header: Any) -> None:
    response = door.call("GET", "/nope", {"Origin": "https://a.example"})
    assert response.status == 404
    assert get_header(response, "access-control-allow-origin") == "https://a.example"


def test_any_origin(make_door: Any, http: Any, lambda_proxy: Any, get_header: Any) -> None:
    door = make_door(http({"/x": {"get": lambda_proxy()}}, CorsConfiguration={"AllowOrigins": ["*"]}))
    response = door.call("GET", "/x", {"Origin": "https://a.example"})
    assert get_header(response, "access-control-allow-origin") == "*"


def test_without_cors_the_functions_headers_stay(http_door: Any, get_header: Any) -> None:
    http_door.invoker.answer = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "mine"}}
    assert get_header(http_door.call("GET", "/users"), "access-control-allow-origin") == "mine"
