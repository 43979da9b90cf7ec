"""The client against our own server and against raw sockets that misbehave."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from trine.clock import ManualClock
from trine.http.client import Client
from trine.http.errors import AnswerInvalid, AnswerTooLarge, CallTimedOut, ConnectFailed, ResponseInvalid
from trine.http.limits import CallLimits
from trine.http.loop import run
from trine.http.message import Request, Response

Open = Callable[..., Any]


def mirror(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in b"streamed":
            yield bytes([byte])

    if request.path == b"/stream":
        return Response(200, (), pieces())
    if request.path == b"/empty":
        return Response(204)
    seen = b"%b %b %b" % (request.method.encode(), request.target, request.headers.get(b"host") or b"")
    return Response(202, [(b"X-Seen", seen), (b"x-own", request.headers.get(b"x-own") or b"")], request.body)


def test_calls(open_door: Open) -> None:
    async def main() -> None:
        async with open_door(mirror) as door:
            client = Client(door.clock)
            url = f"http://127.0.0.1:{door.server.port}"
            answer = await client.call("POST", url + "/a?b=c", [(b"X-Own", b"1")], b"body")
            assert (answer.status, answer.body) == (202, b"body")
            assert answer.headers.get(b"x-seen") == b"POST /a?b=c 127.0.0.1:%d" % door.server.port
            assert answer.headers.get(b"x-own") == b"1"
            answer = await client.call("GET", url, [(b"Host", b"other")])
            assert answer.headers.get(b"x-seen") == b"GET / other"
            assert (await client.call("HEAD", url)).body == b""
            assert (await client.call("GET", url + "/stream")).body == b"streamed"
            assert (await client.call("GET", url + "/empty")).status == 204
            await door.until(lambda: door.server.connections_count == 0)

    run(main())


async def against(speech: bytes | None, limits: CallLimits | None = None, method: str = "GET") -> Any:
    """Call a server that says `speech` and closes; None: it says nothing and stays."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if speech is None:
            clock.advance(100)
            await reader.read()
        else:
            writer.write(speech)
        writer.close()

    clock = ManualClock()
    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        return await Client(clock, limits).call(method, f"http://127.0.0.1:{port}/")
    finally:
        server.close()


@pytest.mark.parametrize(
    ("speech", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: trailer\r\n\r\n", b"hi"),
    ],
)
def test_answers_of_every_shape(speech: bytes, body: bytes) -> None:
    answer = run(against(speech))
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers.get(b"x") is None


@pytest.mark.parametrize(
    "speech",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
def test_broken_answers_have_a_name(speech: bytes) -> None:
    with pytest.raises(AnswerInvalid):
        run(against(speech))


@pytest.mark.parametrize(
    "speech",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 900_000,
    ],
)
def test_long_answers_have_a_name(speech: bytes) -> None:
    with pytest.raises(AnswerTooLarge):
        run(against(speech, CallLimits(body_bytes=100, head_bytes=200)))


def test_silence_ends() -> None:
    with pytest.raises(CallTimedOut):
        run(against(None))


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectFailed):
            run(Client(ManualClock()).call("GET", f"http://127.0.0.1:{taken.getsockname()[1]}/"))


@pytest.mark.parametrize("limits", [CallLimits(connect_timeout_seconds=1), CallLimits(total_timeout_seconds=1)])
def test_a_connection_that_never_opens(limits: CallLimits) -> None:
    async def main() -> None:
        clock = ManualClock()
        # A listener whose queue is full leaves the next connection hanging.
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            waiting = []
            for _ in range(3):
                waiting.append(socket.socket())
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex(deaf.getsockname())
            call = asyncio.ensure_future(
                Client(clock, limits).call("GET", f"http://127.0.0.1:{deaf.getsockname()[1]}/")
            )
            for _ in range(20):
                await asyncio.sleep(0)
            clock.advance(1.5)
            with pytest.raises(CallTimedOut):
                await call
            for client in waiting:
                client.close()

    run(main())


def test_a_cancelled_call_lets_go(open_door: Open) -> None:
    async def main() -> None:
        async with open_door(lambda _: asyncio.get_running_loop().create_future()) as door:
            call = asyncio.ensure_future(Client(door.clock).call("GET", f"http://127.0.0.1:{door.server.port}/"))
            await door.until(lambda: door.server._in_flight)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    run(main())


@pytest.mark.parametrize("url", ["ftp://a/", "http:///x", "a", "http://a/b c"])
def test_bad_urls(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL"):
        run(Client(ManualClock()).call("GET", url))


def test_what_must_not_go_out() -> None:
    client = Client(ManualClock())
    with pytest.raises(ResponseInvalid):
        run(client.call("GET", "http://127.0.0.1:1/", [(b"x", b"a\r\nb: c")]))
    with pytest.raises(ValueError, match="method"):
        run(client.call("GET /x", "http://127.0.0.1:1/"))
