"""A server as a whole: addresses, crowds, failing handlers, and how it ends."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from trine.clock import ManualClock
from trine.http.errors import ListenFailed, PortInUse, RequestRefused
from trine.http.loop import run
from trine.http.message import Request, Response
from trine.http.server import serve

Open = Callable[..., Any]
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"


def fine(request: Request) -> Response:
    return Response(200, (), b"fine")


async def ask_unix(path: Path) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(LAST)
    answer = await reader.read()
    writer.close()
    return answer


def test_a_port_in_use_has_a_name(open_door: Open) -> None:
    async def main() -> None:
        async with open_door() as door:
            assert door.server.port > 0
            with pytest.raises(PortInUse) as caught:
                await serve(fine, "127.0.0.1", door.server.port, clock=ManualClock())
            assert (caught.value.host, caught.value.port) == ("127.0.0.1", door.server.port)
            assert isinstance(caught.value, ListenFailed)

    run(main())


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_ours(host: str) -> None:
    with pytest.raises(ListenFailed):
        run(serve(fine, host, 0, clock=ManualClock()))


def test_two_bound_sockets_but_one_listener(open_door: Open) -> None:
    async def main() -> None:
        bound = [socket.socket() for _ in range(2)]
        for sock in bound:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound[0].bind(("127.0.0.1", 0))
        bound[1].bind(bound[0].getsockname())
        async with open_door(fine, sock=bound[0]) as door:
            assert door.server.port == bound[0].getsockname()[1]
            assert (await door.say(LAST)).endswith(b"fine")
            with pytest.raises(PortInUse):
                await serve(fine, sock=bound[1], clock=ManualClock())

    run(main())


def test_a_unix_socket_comes_and_goes(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "door"
        peers = []

        def handler(request: Request) -> Response:
            peers.append((request.peer_host, request.peer_port))
            return Response(200, (), b"fine")

        server = await serve(handler, unix_path=path, clock=ManualClock())
        assert server.port == 0
        assert (await ask_unix(path)).endswith(b"fine")
        assert peers == [("127.0.0.1", 0)]
        with pytest.raises(ListenFailed):
            await serve(handler, unix_path=path, clock=ManualClock())
        assert (await ask_unix(path)).endswith(b"fine"), "the living one was left alone"
        await server.close()
        assert not path.exists()
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(path))
        dead.close()
        server = await serve(handler, unix_path=path, clock=ManualClock())
        assert (await ask_unix(path)).endswith(b"fine"), "one that a killed server left behind is replaced"
        await server.close()

    run(main())


def test_a_thousand_idle_connections_and_one_that_asks(open_door: Open) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))  # both ends live in this process

    async def main() -> None:
        async with open_door(fine, connections=1100) as door:
            crowd = await asyncio.gather(*(door.connect() for _ in range(1000)))
            await door.until(lambda: door.server.connections_count == 1000)
            for _ in range(20):
                assert (await door.say(LAST)).endswith(b"fine")
            door.clock.advance(60)
            assert door.server.connections_count == 1000
            door.clock.advance(400)
            await door.until(lambda: door.server.connections_count == 0)
            for _, writer in crowd:
                writer.close()

    run(main())


def test_one_connection_too_many(open_door: Open) -> None:
    async def main() -> None:
        async with open_door(fine, connections=2) as door:
            crowd = [await door.connect() for _ in range(2)]
            await door.until(lambda: door.server.connections_count == 2)
            assert (await door.say(b"")).startswith(b"HTTP/1.1 503 ")
            crowd.pop()[1].close()
            await door.until(lambda: door.server.connections_count == 1)
            assert (await door.say(LAST)).endswith(b"fine")
            crowd.pop()[1].close()

    run(main())


def test_errors_are_answered_in_the_doors_own_words(open_door: Open, caplog: pytest.LogCaptureFixture) -> None:
    def words(status: int, reason: str) -> Response:
        if status == 413:
            raise RuntimeError("the words failed")
        if status == 431:
            return Response(431, [(b"x", b"a\r\nb")])
        return Response(status, [(b"x-door", b"mine")], reason.encode())

    def broken(request: Request) -> Any:
        if request.path == b"/header":
            return Response(200, [(b"x", b"a\r\nset-cookie: b")])
        if request.path == b"/nothing":
            return wrong()
        if request.path == b"/string":
            return "no answer"
        raise RuntimeError("on purpose")

    async def wrong() -> Any:
        return None

    async def main() -> None:
        async with open_door(broken, error_response=words, body_bytes=10, headers_count=9) as door:
            for path in (b"/last", b"/header", b"/nothing", b"/string"):
                answer = await door.say(LAST.replace(b"/last", path))
                assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
                assert b"\r\nx-door: mine\r\n" in answer
                assert b"set-cookie" not in answer
            assert b"x-door: mine" in await door.say(b"\0")
            answer = await door.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 413 "), "plain words where the door's own fail"
            answer = await door.say(b"POST / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 10 + b"\r\n")
            assert answer.startswith(b"HTTP/1.1 500 ")

    run(main())
    assert "on purpose" in caplog.text
    assert "answered NoneType" in caplog.text
    assert "answered str" in caplog.text


def test_a_cancelled_handler_is_answered(open_door: Open) -> None:
    async def main() -> None:
        async def cancelled() -> Response:
            raise asyncio.CancelledError

        async with open_door(lambda _: cancelled()) as door:
            assert (await door.say(LAST)).startswith(b"HTTP/1.1 500 ")

    run(main())


def test_close_lets_work_finish_within_the_grace(open_door: Open) -> None:
    async def main() -> None:
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        asked = []

        def handler(request: Request) -> asyncio.Future[Response]:
            asked.append(request)
            return answer

        async with open_door(handler) as door:
            port = door.server.port
            idle_reader, idle_writer = await door.connect()
            reader, writer = await door.connect()
            writer.write(GET % 1)
            await door.until(lambda: asked and door.server.connections_count == 2)
            closing = asyncio.ensure_future(door.server.close(grace_seconds=10))
            assert await idle_reader.read() == b""
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            assert not closing.done()
            answer.set_result(Response(200, (), b"done"))
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            assert body == b"done"
            assert b"connection: close" in head
            await closing
            await door.server.close()
            writer.close()
            idle_writer.close()

    run(main())


def test_close_cuts_what_outlives_the_grace(open_door: Open) -> None:
    async def main() -> None:
        ended = []

        async def never() -> Response:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.append("task")
            raise AssertionError

        async def endless() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 1000
                    await asyncio.sleep(0)
            finally:
                ended.append("stream")

        def handler(request: Request) -> Any:
            return never() if request.path == b"/1" else Response(200, (), endless())

        async with open_door(handler) as door:
            pairs = [await door.connect() for _ in range(2)]
            for index, (_, writer) in enumerate(pairs, 1):
                writer.write(GET % index)
            await pairs[1][0].readuntil(b"xxx")
            await door.until(lambda: door.server._in_flight)
            closing = asyncio.ensure_future(door.server.close(grace_seconds=10))
            for _ in range(20):
                await asyncio.sleep(0)
            assert not closing.done()
            door.clock.advance(11)
            await closing
            await door.until(lambda: len(ended) == 2)
            assert door.server.connections_count == 0
            for _, writer in pairs:
                writer.close()

    run(main())


def test_the_watch_stands_still_without_connections(open_door: Open) -> None:
    async def main() -> None:
        async with open_door(fine) as door:
            assert not door.clock._timers
            assert b"date: " in await door.say(LAST)
            await door.until(lambda: door.server.connections_count == 0)
            assert all(timer.cancelled for timer in door.clock._timers)

    run(main())


def test_a_refusal_names_status_and_reason() -> None:
    refusal = RequestRefused(431, "Too many headers")
    assert str(refusal) == "431 Too many headers"


def test_asyncio_s_own_loop_serves_too(open_door: Open) -> None:
    async def main() -> None:
        async with open_door(fine) as door:
            assert (await door.say(GET % 1 + LAST)).count(b"fine") == 2
            assert (await door.say(GET % 1, shut=True)).endswith(b"fine")
            assert (await door.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")).startswith(
                b"HTTP/1.1 413"
            )

    asyncio.run(main())
