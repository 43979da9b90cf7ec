"""Answers that are read while they come: pieces, pauses, and every way in which they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from trine.clock import ManualClock
from trine.http.client import Client
from trine.http.client_stream import Pieces, StreamedAnswer
from trine.http.errors import AnswerInvalid, AnswerTooLarge, BodyBroken, CallTimedOut, ConnectFailed
from trine.http.limits import CallLimits
from trine.http.loop import run
from trine.http.message import Request, Response

Open = Callable[..., Any]
HEAD = b"HTTP/1.1 200 OK\r\nX-A: b\r\n"


async def rest_of(answer: StreamedAnswer) -> bytes:
    return b"".join([piece async for piece in answer.body])


def test_pieces_come_one_by_one(open_door: Open) -> None:
    async def main() -> None:
        more = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            await more.wait()
            yield b"second"

        def handler(request: Request) -> Response:
            return Response(201, [(b"X-A", b"b")], pieces() if request.path == b"/s" else b"whole")

        async with open_door(handler) as door:
            client = Client(door.clock)
            url = f"http://127.0.0.1:{door.server.port}"
            answer = await client.open("GET", url + "/s")
            assert (answer.status, answer.headers.get(b"x-a")) == (201, b"b")
            assert await anext(answer.body) == b"first"
            more.set()
            assert await rest_of(answer) == b"second"
            assert await rest_of(await client.open("GET", url + "/whole")) == b"whole"
            assert await rest_of(await client.open("HEAD", url + "/whole")) == b""
            await door.until(lambda: door.server.connections_count == 0)

    run(main())


async def against(speech: bytes, limits: CallLimits | None = None, *, stay: bool = False) -> Any:
    """Open a call to a server that says `speech`, and read it to its end. `stay`: it does not close."""
    clock = ManualClock()
    stopped = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(speech)
        await writer.drain()
        if stay:
            await stopped.wait()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        answer = await Client(clock).open("GET", f"http://127.0.0.1:{port}/", limits=limits)
        if stay:
            assert await anext(answer.body) == b"so far"
            clock.advance(11)
        return await rest_of(answer)
    finally:
        stopped.set()
        server.close()


@pytest.mark.parametrize(
    ("speech", "body"),
    [
        (HEAD + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc"),
        (HEAD + b"\r\nuntil the end", b"until the end"),
        (HEAD + b"Content-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
def test_whole_bodies(speech: bytes, body: bytes) -> None:
    assert asyncio.run(against(speech)) == body


@pytest.mark.parametrize(
    "speech",
    [HEAD + b"Content-Length: 30\r\n\r\nabc", HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
     HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"],
)  # fmt: skip
def test_bodies_that_break_off(speech: bytes) -> None:
    with pytest.raises(BodyBroken):
        asyncio.run(against(speech))


def test_a_body_that_takes_too_long() -> None:
    with pytest.raises(BodyBroken, match="in time"):
        asyncio.run(against(HEAD + b"Content-Length: 30\r\n\r\nso far", stay=True))


def test_heads_that_are_none() -> None:
    with pytest.raises(AnswerInvalid):
        asyncio.run(against(b"nonsense\r\n\r\n"))
    with pytest.raises(AnswerTooLarge):
        asyncio.run(against(HEAD + b"X: " + b"y" * 5_000 + b"\r\n\r\n", CallLimits(head_bytes=1_000)))
    with pytest.raises(ConnectFailed):
        asyncio.run(Client(ManualClock()).open("GET", "http://127.0.0.1:9/"))
    with pytest.raises(ValueError, match="not an http"):
        asyncio.run(Client(ManualClock()).open("GET", "ftp://x/"))


def test_a_server_that_says_nothing() -> None:
    async def main() -> None:
        clock = ManualClock()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            clock.advance(11)
            await reader.read()
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        with pytest.raises(CallTimedOut):
            await Client(clock).open("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        server.close()

    asyncio.run(main())


def test_a_slow_reader_holds_the_other_side_back() -> None:
    held: list[bool] = []
    ended: list[bool] = []

    async def main() -> None:
        pieces = Pieces(held.append, lambda: ended.append(True))
        for _ in range(5):
            pieces.feed(b"x" * 100_000)
        assert held == [True]
        for _ in range(5):
            await anext(pieces)
        assert held == [True, False]
        await pieces.aclose()
        pieces.feed(b"too late")
        with pytest.raises(StopAsyncIteration):
            await anext(pieces)
        assert ended == [True]

    asyncio.run(main())
