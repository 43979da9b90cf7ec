"""Compression both ways, and archives that unpack too far."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest


@pytest.fixture
def door(make_door: Any, rest: Any, lambda_proxy: Any) -> Any:
    door = make_door(rest({"/x": {"get": lambda_proxy(), "post": lambda_proxy()}}, MinimumCompressionSize=10))
    door.invoker.answer = {"statusCode": 200, "body": "hello " * 10}
    return door


@pytest.mark.parametrize(
    ("accept", "coding"),
    [("gzip", "gzip"), ("deflate, gzip;q=0.5", "gzip"), ("deflate", "deflate"), ("*", "gzip"), ("br", None),
     ("gzip;q=0", None), (None, None)],
)  # fmt: skip
def test_answers(door: Any, get_header: Any, accept: str | None, coding: str | None) -> None:
    response = door.call("GET", "/x", {"Accept-Encoding": accept} if accept else {})
    assert get_header(response, "content-encoding") == coding
    unpack = {"gzip": gzip.decompress, "deflate": zlib.decompress, None: bytes}[coding]
    assert unpack(response.body) == b"hello " * 10


def test_small_answers_and_encoded_ones_stay(door: Any, get_header: Any) -> None:
    door.invoker.answer = {"statusCode": 200, "body": "small"}
    assert get_header(door.call("GET", "/x", {"Accept-Encoding": "gzip"}), "content-encoding") is None
    door.invoker.answer = {"statusCode": 200, "body": "x" * 50, "headers": {"Content-Encoding": "br"}}
    response = door.call("GET", "/x", {"Accept-Encoding": "gzip"})
    assert (get_header(response, "content-encoding"), response.body) == ("br", b"x" * 50)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)])
def test_requests_are_unpacked(door: Any, coding: str, pack: Any) -> None:
    event = door.event("POST", "/x", {"Content-Encoding": coding}, pack(b'{"a":1}'))
    assert event["body"] == '{"a":1}'
    assert ("Content-Encoding" in event["headers"]) == (coding == "identity")


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("br", b"x", 415),
        ("gzip", b"no archive", 400),
        ("gzip", gzip.compress(b"x" * 100, mtime=0)[:-9], 400),
        ("gzip", gzip.compress(b"\0" * 20_000_000, mtime=0), 413),
    ],
)
def test_bad_archives(door: Any, coding: str, body: bytes, status: int) -> None:
    assert door.call("POST", "/x", {"Content-Encoding": coding}, body).status == status


def test_without_the_setting_nothing_is_touched(rest_door: Any, get_header: Any) -> None:
    rest_door.invoker.answer = {"statusCode": 200, "body": "x" * 5_000}
    response = rest_door.call("GET", "/users", {"Accept-Encoding": "gzip"})
    assert get_header(response, "content-encoding") is None
