"""Answers by the request's manners: old clients, HEAD, the last one of a connection, streamed bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from trine.http.errors import ResponseInvalid
from trine.http.framing import framed, is_old
from trine.http.message import Headers, Request, Response

DATE = b"date: today\r\n"


class Pieces:
    """A streamed body that nobody needs to read here."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"piece"


def request(method: str = "GET", version: str = "1.1") -> Request:
    return Request(method, b"/", Headers(), version=version)


@pytest.mark.parametrize(
    ("asked", "keep_alive", "line"),
    [
        (request(), True, b""),
        (request(), False, b"connection: close\r\n"),
        (request(version="1.0"), True, b"connection: keep-alive\r\n"),
        (request(version="1.0"), False, b"connection: close\r\n"),
        (None, False, b"connection: close\r\n"),
    ],
)
def test_the_connection_line_follows_the_version(asked: Request | None, keep_alive: bool, line: bytes) -> None:
    data, body = framed(asked, Response(200, body=b"ab"), DATE, keep_alive)
    assert (data, body) == (b"HTTP/1.1 200 OK\r\n" + DATE + line + b"content-length: 2\r\n\r\nab", None)


@pytest.mark.parametrize(
    ("version", "framing"), [("1.1", b"transfer-encoding: chunked\r\n\r\n"), ("1.0", b"connection: keep-alive\r\n\r\n")]
)
def test_a_streamed_body_stays_behind(version: str, framing: bytes) -> None:
    pieces = Pieces()
    data, body = framed(request(version=version), Response(200, body=pieces), DATE, True)
    assert (data, body) == (b"HTTP/1.1 200 OK\r\n" + DATE + framing, pieces)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_a_body_that_is_not_wanted_is_not_handed_on(method: str, status: int) -> None:
    data, body = framed(request(method), Response(status, body=Pieces()), DATE, True)
    assert body is None
    assert data.endswith(b"\r\n\r\n")
    assert b"piece" not in data


def test_headers_that_no_answer_may_have_are_refused() -> None:
    with pytest.raises(ResponseInvalid):
        framed(request(), Response(200, [(b"x", b"a\r\nb")]), DATE, True)


def test_who_is_old() -> None:
    assert [is_old(asked) for asked in (None, request(), request(version="1.0"))] == [False, False, True]
