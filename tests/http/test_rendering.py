"""Responses as bytes: pure, so no socket is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.http.errors import ResponseInvalid
from trine.http.message import Response
from trine.http.rendering import chunk, date_line, header_lines, render, render_without_body


def test_a_response_in_full() -> None:
    response = Response(201, [(b"X-One", b"1"), (b"x-one", b"2")], b"body", b"server: s\r\n")
    assert render(response, b"date: now\r\n") == (
        b"HTTP/1.1 201 Created\r\ndate: now\r\nserver: s\r\nX-One: 1\r\nx-one: 2\r\ncontent-length: 4\r\n\r\nbody"
    )


def test_a_status_without_a_phrase() -> None:
    assert render(Response(599), b"").startswith(b"HTTP/1.1 599 \r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_never_have_a_body(status: int) -> None:
    for rendered in (
        render(Response(status, (), b"body"), b""),
        render_without_body(Response(status, (), b"body"), b""),
    ):
        assert rendered.endswith(b"\r\n\r\n")
        assert b"content-length" not in rendered


def test_head_keeps_the_length() -> None:
    rendered = render_without_body(Response(200, (), b"body"), b"")
    assert rendered.endswith(b"content-length: 4\r\n\r\n")


def test_head_of_a_streamed_answer() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"never asked for"

    assert b"transfer-encoding: chunked\r\n\r\n" in render_without_body(Response(200, (), body()), b"")


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b", b"\n"])
def test_a_line_break_in_a_value_is_refused(value: bytes) -> None:
    with pytest.raises(ResponseInvalid):
        header_lines([(b"x", b"fine"), (b"x", value)])


@pytest.mark.parametrize(
    "name", [b"", b"a b", b"a:", b"a\r\nb", b"\xc3\xa9", b"Content-Length", b"connection", b"date"]
)
def test_names_that_handlers_may_not_write(name: bytes) -> None:
    for _ in range(2):
        with pytest.raises(ResponseInvalid):
            header_lines([(name, b"1")])


@pytest.mark.parametrize("status", [0, 99, 1000, -1])
def test_a_status_is_three_digits(status: int) -> None:
    with pytest.raises(ResponseInvalid):
        render(Response(status), b"")


def test_the_memory_of_names_is_bounded() -> None:
    from trine.http import rendering

    for index in range(rendering.KNOWN_NAMES_MAX + 100):
        assert header_lines([(b"x-%d" % index, b"1")]) == b"x-%d: 1\r\n" % index
    assert len(rendering._NAMES) <= rendering.KNOWN_NAMES_MAX


@given(st.integers(0, 4_102_444_800))
def test_the_date_is_that_of_the_standard_library(epoch_seconds: int) -> None:
    assert date_line(epoch_seconds) == f"date: {formatdate(epoch_seconds, usegmt=True)}\r\n".encode()


def test_a_chunk() -> None:
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
