"""Text and base64, both ways, in both API kinds."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import pytest

PNG = b"\x89PNG\r\n\x1a\n\x00\xff"


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", None])
def test_rest_text_stays_text(rest_door: Any, media_type: str | None) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    event = rest_door.event("POST", "/users", headers, "grüße".encode())
    assert (event["body"], event["isBase64Encoded"]) == ("grüße", False)


def test_rest_damages_binary_that_was_not_declared(rest_door: Any) -> None:
    event = rest_door.event("POST", "/users", {"Content-Type": "image/png"}, PNG)
    assert (event["body"], event["isBase64Encoded"]) == (PNG.decode("utf-8", "replace"), False)


@pytest.mark.parametrize(
    ("declared", "sent", "binary"),
    [
        ("image/png", "image/png", True),
        ("image~1png", "image/png; x=y", True),
        ("image/*", "image/gif", True),
        ("*/*", "anything/at-all", True),
        ("*/png", "image/png", False),
        ("*/png", "*/png", False),
        ("image/png", "image/jpeg", False),
    ],
)
def test_rest_binary_media_types_in(
    make_door: Any, rest: Any, lambda_proxy: Any, declared: str, sent: str, binary: bool
) -> None:
    door = make_door(rest({"/x": {"post": lambda_proxy()}}, BinaryMediaTypes=[declared]))
    event = door.event("POST", "/x", {"Content-Type": sent}, b"abc")
    assert (event["body"], event["isBase64Encoded"]) == (("YWJj", True) if binary else ("abc", False))


def test_an_empty_body_is_null_whatever_the_types(make_door: Any, rest: Any, lambda_proxy: Any) -> None:
    door = make_door(rest({"/x": {"post": lambda_proxy()}}, BinaryMediaTypes=["*/*"]))
    event = door.event("POST", "/x")
    assert (event["body"], event["isBase64Encoded"]) == (None, False)


@pytest.mark.parametrize(
    ("media_type", "text"),
    [
        ("application/json; charset=utf-8", True),
        ("text/html", True),
        ("application/problem+json", True),
        ("application/xml", True),
        ("application/javascript", True),
        (None, True),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
        ("image/png", False),
    ],
)
def test_http_bodies_go_by_content_type(http_door: Any, media_type: str | None, text: bool) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    event = http_door.event("POST", "/users", headers, b"a=1")
    assert (event["body"], event["isBase64Encoded"]) == (("a=1", False) if text else ("YT0x", True))


def test_http_text_that_is_not_utf8_goes_as_base64(http_door: Any) -> None:
    event = http_door.event("POST", "/users", {"Content-Type": "text/plain"}, PNG)
    assert event["isBase64Encoded"] is True
    assert b64decode(event["body"]) == PNG


@pytest.mark.parametrize(
    ("declared", "accept", "binary"),
    [
        (["image/png"], "image/png", True),
        (["image/png"], "image/png,image/*,*/*;q=0.8", True),
        (["image/png"], "image/webp,image/png,*/*;q=0.8", False),
        (["image/png"], "image/*", False),
        (["image/png"], "*/*", False),
        (["application/*"], "application/whatever", True),
        (["application/*"], "application/*", True),
        (["*/test"], "random/test", False),
        (["*/*"], None, True),
        ([], "image/png", False),
    ],
)
def test_rest_binary_answers_as_recorded_on_aws(
    make_door: Any, rest: Any, lambda_proxy: Any, declared: list[str], accept: str | None, binary: bool
) -> None:
    door = make_door(rest({"/x": {"get": lambda_proxy()}}, BinaryMediaTypes=declared))
    encoded = b64encode(PNG).decode()
    door.invoker.answer = {"statusCode": 200, "body": encoded, "isBase64Encoded": True}
    response = door.call("GET", "/x", {"Accept": accept} if accept else {})
    assert response.body == (PNG if binary else encoded.encode())


def test_http_binary_answers(http_door: Any) -> None:
    http_door.invoker.answer = {"statusCode": 200, "body": b64encode(PNG).decode(), "isBase64Encoded": True}
    assert http_door.call("GET", "/users").body == PNG


def test_a_body_wrongly_marked_as_base64(http_door: Any) -> None:
    http_door.invoker.answer = {"statusCode": 200, "body": "%%%", "isBase64Encoded": True}
    assert http_door.call("GET", "/users").status == 500
