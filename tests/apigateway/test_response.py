"""Proxy answers: what AWS accepts, what it infers, and what it calls malformed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.apigateway.errors import GatewayError
from trine.apigateway.response import http_response_v1, http_response_v2, rest_response

MALFORMED_REST = b'{"message": "Internal server error"}'
MALFORMED_HTTP = b'{"message":"Internal Server Error"}'


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"statusCode": 200}, 200, b""),
        ({}, 200, b""),
        ({"statusCode": "201"}, 201, b""),
        ({"statusCode": 200, "headers": None}, 200, b""),
        ({"headers": {"a": "b"}}, 200, b""),
        ({"statusCode": 200, "body": None}, 200, b""),
        ({"statusCode": 200, "body": 12}, 200, b"12"),
        ({"statusCode": 200, "body": True}, 200, b"true"),
        ({"statusCode": 418, "body": "grüße"}, 418, "grüße".encode()),
        ({"statusCode": 200, "body": "x", "multiValueHeaders": None, "isBase64Encoded": None}, 200, b"x"),
    ],
)
def test_rest_accepts(rest_door: Any, answer: Any, status: int, body: bytes) -> None:
    rest_door.invoker.answer = answer
    response = rest_door.call("GET", "/users")
    assert (response.status, response.body) == (status, body)


@pytest.mark.parametrize(
    "answer",
    [
        [], "justAString", 12, b"null", b"not json", b"",
        {"statusCode": 200, "wrongValue": "value"},
        {"statusCode": "test"}, {"statusCode": 103}, {"statusCode": 600}, {"statusCode": [200]}, {"statusCode": True},
        {"statusCode": 200, "multiValueHeaders": {"a": "not a list"}},
        {"statusCode": 200, "headers": {"a": ["list"]}}, {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "body": {"an": "object"}}, {"statusCode": 200, "body": ["a"]},
        {"statusCode": 200, "headers": {"a\r\nSet-Cookie": "x"}}, {"statusCode": 200, "headers": {"a": "x\r\ny: z"}},
        {"statusCode": 200, "headers": {"": "x"}},
    ],
)  # fmt: skip
def test_rest_calls_malformed(rest_door: Any, get_header: Any, answer: Any) -> None:
    rest_door.invoker.answer = answer
    response = rest_door.call("GET", "/users")
    assert (response.status, response.body) == (502, MALFORMED_REST)
    assert get_header(response, "x-amzn-ErrorType") == "InternalServerErrorException"
    assert "malformed Lambda proxy response" in rest_door.refusal()["reason"]


def test_rest_headers_merge_and_default(rest_door: Any, get_header: Any) -> None:
    rest_door.invoker.answer = {
        "statusCode": 200,
        "multiValueHeaders": {"tesT-Multi": ["one", "two"]},
        "headers": {"test-multi": "three", "flag": True, "number": 1},
    }
    response = rest_door.call("GET", "/users")
    assert [v for n, v in response.headers if n == b"tesT-Multi"] == [b"one", b"two", b"three"]
    assert get_header(response, "flag") == "true"
    assert get_header(response, "number") == "1"
    assert get_header(response, "content-type") == "application/json"


def test_the_same_value_in_both_headers_is_sent_once(rest_door: Any) -> None:
    rest_door.invoker.answer = {"statusCode": 200, "multiValueHeaders": {"A": ["1"]}, "headers": {"a": "1"}}
    response = rest_door.call("GET", "/users")
    assert [v for n, v in response.headers if n.lower() == b"a"] == [b"1"]


def test_rest_remaps_what_belongs_to_the_gateway(rest_door: Any, get_header: Any) -> None:
    names = ["Authorization", "Connection", "Content-Length", "Date", "Server", "WWW-Authenticate", "User-Agent"]
    rest_door.invoker.answer = {"statusCode": 401, "headers": dict.fromkeys([*names, "Transfer-Encoding"], "x")}
    response = rest_door.call("GET", "/users")
    for name in names:
        assert get_header(response, "x-amzn-Remapped-" + name) == "x"
        assert get_header(response, name) is None
    assert get_header(response, "transfer-encoding") is None


def test_http_infers_from_any_json_without_status_code(http_door: Any, get_header: Any) -> None:
    for answer in [{"message": "hi"}, "Hello", 12, None, [1], {}]:
        payload = orjson.dumps(answer)
        http_door.invoker.answer = payload
        response = http_door.call("GET", "/users")
        assert (response.status, response.body) == (200, payload)
        assert get_header(response, "content-type") == "application/json"


def test_http_structured_answer(http_door: Any, get_header: Any) -> None:
    http_door.invoker.answer = {"statusCode": 201, "body": "x", "cookies": ["a=1", "b=2; Secure"], "other": 1}
    response = http_door.call("GET", "/users")
    assert (response.status, response.body) == (201, b"x")
    assert get_header(response, "content-type") == "text/plain;charset=UTF-8"
    assert [v for n, v in response.headers if n == b"Set-Cookie"] == [b"a=1", b"b=2; Secure"]


@pytest.mark.parametrize(
    "answer", [b"not json", {"statusCode": "x"}, {"statusCode": 200, "body": {}}, {"statusCode": 200, "cookies": "a"}]
)
def test_http_malformed(http_door: Any, get_header: Any, answer: Any) -> None:
    http_door.invoker.answer = answer
    response = http_door.call("GET", "/users")
    assert (response.status, response.body) == (500, MALFORMED_HTTP)
    assert get_header(response, "x-amzn-errortype") is None


def test_http_format_1_0_infers_nothing(http_door: Any) -> None:
    http_door.invoker.answer = {"message": "hi"}
    assert http_door.call("GET", "/old/1").status == 500
    http_door.invoker.answer = {"statusCode": 200, "body": "hi"}
    assert http_door.call("GET", "/old/1").body == b"hi"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "statusCode": JSON, "headers": JSON, "multiValueHeaders": JSON, "body": JSON, "isBase64Encoded": JSON,
        "cookies": JSON,
    },
)  # fmt: skip


@given(st.one_of(JSON, ANSWERS), st.booleans())
@settings(max_examples=300)
def test_no_answer_breaks_the_gateway(answer: Any, binary: bool) -> None:
    payload = orjson.dumps(answer)
    for make in (lambda p: rest_response(p, binary_wanted=binary), http_response_v1, http_response_v2):
        try:
            response = make(payload)
        except GatewayError:
            continue
        assert 100 <= response.status <= 599
        assert isinstance(response.body, bytes)
        for name, value in response.headers:
            assert b"\n" not in name + value
            assert b"\r" not in name + value
