"""One client at the door: order, bounds, manners, and going away. Real sockets; time stands until it is moved."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from trine.http.errors import BodyBroken
from trine.http.loop import run
from trine.http.message import Request, Response
from trine.http.protocol import BODY

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
Open = Callable[..., Any]


class Waiting:
    """A handler whose answers come when the test says so."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.answers: dict[bytes, asyncio.Future[Response]] = {}

    def __call__(self, request: Request) -> asyncio.Future[Response]:
        self.asked.append(request.target)
        future = self.answers[request.target] = asyncio.get_running_loop().create_future()
        return future

    def answer(self, target: bytes) -> None:
        self.answers[target].set_result(Response(200, (), target))


def by_path(request: Request) -> Any:
    """Paths choose how the answer is made: plain, task, future, stream, or a failure."""
    body = request.target + request.body

    async def soon() -> Response:
        await asyncio.sleep(0)
        return Response(200, (), body)

    async def pieces() -> AsyncIterator[bytes]:
        yield b""
        for index in range(len(body)):
            yield body[index : index + 1]
            await asyncio.sleep(0)

    async def fails() -> Response:
        raise RuntimeError("on purpose")

    kind = request.path.rpartition(b"/")[2]
    if kind == b"task":
        return soon()
    if kind == b"stream":
        return Response(200, (), pieces())
    if kind == b"raise":
        raise RuntimeError("on purpose")
    if kind == b"fail":
        return fails()
    if kind == b"future":
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, Response(200, (), body))
        return future
    return Response(200, (), body)


def test_keep_alive_and_the_date(open_door: Open, answer_of: Open) -> None:
    async def main() -> None:
        async with open_door() as door:
            reader, writer = await door.connect()
            for index in range(3):
                writer.write(GET % index)
                status, headers, body = await answer_of(reader)
                assert (status, headers[b"x-target"], body) == (200, b"/%d" % index, b"GET ")
                assert headers[b"date"] == b"Fri, 15 Jan 2027 08:00:%02d GMT" % index
                door.clock.advance(1.0)
            writer.close()

    run(main())


KINDS = (b"plain", b"task", b"stream", b"future", b"raise", b"fail", b"plain", b"stream", b"task")


def test_pipelined_answers_keep_their_order(open_door: Open, answer_of: Open) -> None:
    async def main() -> None:
        targets = [b"/%d/%s" % (index, kind) for index, kind in enumerate(KINDS * 8)]
        data = b"".join(b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" % target for target in targets)
        for size in (len(data), 1000, 61):
            async with open_door(by_path, in_flight_requests=4) as door:
                reader, writer = await door.connect()
                for start in range(0, len(data), size):
                    writer.write(data[start : start + size])
                    await writer.drain()
                for target in targets:
                    status, _, body = await answer_of(reader)
                    if target.endswith((b"raise", b"fail")):
                        assert status == 500
                    else:
                        assert (status, body) == (200, target + b"hi")
                writer.close()

    run(main())


def test_an_answer_that_is_waited_for_alone_is_framed_as_every_other(open_door: Open, answer_of: Open) -> None:
    waiting = Waiting()

    async def main() -> None:
        async with open_door(waiting) as door:
            reader, writer = await door.connect()
            responses = (
                Response(200, [(b"x", b"1")], b"one"), Response(200, [(b"x", b"split\r\n")], b"two"),
                Response(204), Response(200),
            )  # fmt: skip
            found = []
            for number, response in enumerate(responses):
                target = b"/%d" % number
                writer.write(GET % number)
                await door.until(lambda target=target: target in waiting.answers)
                waiting.answers[target].set_result(response)
                status, headers, body = await answer_of(reader)
                assert b"date" in headers
                found.append((status, headers.get(b"x"), body))
            assert found == [(200, b"1", b"one"), (500, None, found[1][2]), (204, None, b""), (200, None, b"")]
            writer.close()

    run(main())


def test_a_connection_has_few_requests_in_flight(open_door: Open, answer_of: Open) -> None:
    async def main() -> None:
        handler = Waiting()
        async with open_door(handler, in_flight_requests=4) as door:
            reader, writer = await door.connect()
            writer.write(b"".join(GET % index for index in range(40)))
            await door.until(lambda: len(handler.asked) == 4)
            handler.answer(b"/1")
            for _ in range(10):
                await asyncio.sleep(0)
            assert len(handler.asked) == 4, "the front is not answered yet: nothing leaves, nothing begins"
            for index in range(40):
                if index != 1:
                    await door.until(lambda target=b"/%d" % index: target in handler.answers)
                    handler.answer(b"/%d" % index)
                status, _, body = await answer_of(reader)
                assert (status, body) == (200, b"/%d" % index)
                assert len(handler.asked) <= index + 6
            writer.close()

    run(main())


def test_a_client_that_half_closes_is_answered(open_door: Open) -> None:
    async def main() -> None:
        handler = Waiting()
        async with open_door(handler) as door:
            answering = asyncio.ensure_future(door.say(GET % 1 + GET % 2, shut=True))
            await door.until(lambda: len(handler.asked) == 2)
            handler.answer(b"/2")
            await asyncio.sleep(0)
            handler.answer(b"/1")
            answer = await answering
            assert answer.count(b"HTTP/1.1 200 OK") == 2
            assert answer.index(b"/1") < answer.index(b"/2")
            await door.until(lambda: door.server.connections_count == 0)
        async with open_door() as door:
            assert (await door.say(GET % 1, shut=True)).startswith(b"HTTP/1.1 200 OK")
            assert await door.say(b"", shut=True) == b""
            assert await door.say(b"GET / HT", shut=True) == b""

    run(main())


@pytest.mark.parametrize("abruptly", [True, False])
def test_a_client_that_goes_away_hurts_nobody(
    open_door: Open, abruptly: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        handler = Waiting()
        async with open_door(handler) as door:
            _, writer = await door.connect()
            writer.write(GET % 1 + GET % 2)
            await door.until(lambda: len(handler.asked) == 2)
            if abruptly:
                reset_on_close = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_on_close)
                writer.transport.abort()
                await door.until(lambda: door.server.connections_count == 0)
            else:
                writer.close()
                await writer.wait_closed()
            handler.answer(b"/2")
            handler.answers[b"/1"].set_exception(RuntimeError("nobody listens"))
            await door.until(lambda: door.server.connections_count == 0)
            answering = asyncio.ensure_future(door.say(LAST))
            await door.until(lambda: len(handler.asked) == 3)
            handler.answer(b"/last")
            assert (await answering).endswith(b"/last")

    run(main())
    assert "handler of GET b'/1' failed" in caplog.text, "a failure is logged even where nobody is left to be told"


def test_expect_continue_in_its_place(open_door: Open) -> None:
    async def main() -> None:
        head = b"POST /%b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: %b\r\nContent-Length: 2\r\n\r\n"
        async with open_door() as door:
            reader, writer = await door.connect()
            writer.write(head % (b"x", b"keep-alive"))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"ok" + LAST)
            assert (await reader.read()).count(b"HTTP/1.1 200 OK") == 2
            writer.close()
        handler = Waiting()
        async with open_door(handler) as door:
            reader, writer = await door.connect()
            writer.write(GET % 1 + head % (b"x", b"close"))
            await door.until(lambda: handler.asked)
            handler.answer(b"/1")
            answer = await reader.readuntil(b"100 Continue\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 OK"), "the answer before it goes first"
            writer.write(b"ok")
            await door.until(lambda: len(handler.asked) == 2)
            handler.answer(b"/x")
            assert (await reader.read()).endswith(b"/x")
            writer.close()

    run(main())


def test_head_and_http_1_0(open_door: Open) -> None:
    async def main() -> None:
        async with open_door(by_path) as door:
            for kind, framing in ((b"plain", b"content-length: 6"), (b"stream", b"transfer-encoding: chunked")):
                answer = await door.say(b"HEAD /%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % kind)
                assert answer.endswith(b"\r\n\r\n")
                assert framing in answer
            answer = await door.say(b"GET /plain HTTP/1.0\r\n\r\n")
            assert answer.endswith(b"\r\n\r\n/plain")
            assert b"connection: close" in answer
            answer = await door.say(b"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert answer.endswith(b"\r\n\r\n/stream"), (
                "no chunks for HTTP/1.0: the end of the connection ends the body"
            )
            reader, writer = await door.connect()
            writer.write(b"GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert b"connection: keep-alive" in await reader.readuntil(b"/plain")
            writer.write(LAST)
            assert (await reader.read()).endswith(b"/last")
            writer.close()

    run(main())


def test_a_refusal_comes_behind_the_answers_before_it(open_door: Open) -> None:
    async def main() -> None:
        handler = Waiting()
        async with open_door(handler, in_flight_requests=1) as door:
            reader, writer = await door.connect()
            writer.write(GET % 1 + GET % 2 + b"\0\r\n\r\n" + GET % 3)
            await door.until(lambda: handler.asked)
            handler.answer(b"/1")
            await door.until(lambda: len(handler.asked) == 2)
            handler.answer(b"/2")
            answer = await reader.read()
            assert [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [200, 200, 400]
            assert handler.asked == [b"/1", b"/2"], "nothing behind the fault is taken"
            writer.close()

    run(main())


def test_a_refused_client_can_read_why_while_it_still_sends(open_door: Open) -> None:
    async def main() -> None:
        async with open_door(body_bytes=1000) as door:
            head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n"
            reader, writer = await door.connect()
            writer.write(head)
            writer.write(b"x" * 3_000_000)
            await writer.drain()
            assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
            writer.close()
            await door.until(lambda: door.server.connections_count == 0)
            # One that never closes is cut when the time to read is over.
            reader, writer = await door.connect()
            writer.write(head)
            assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
            door.clock.advance(10)
            await door.until(lambda: door.server.connections_count == 0)
            writer.close()

    run(main())


@pytest.mark.parametrize(
    "sent", [b"G", b"GET / HTTP/1.1\r\nHo", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx"]
)
def test_a_slow_client_gets_408(open_door: Open, sent: bytes) -> None:
    async def main() -> None:
        async with open_door(head_timeout_seconds=10, body_timeout_seconds=10, idle_timeout_seconds=500) as door:
            reader, writer = await door.connect()
            writer.write(sent[:-1])
            (connection,) = await until_connected(door)
            await door.until(lambda: connection._phase != 0 or len(sent) == 1)
            door.clock.advance(5)
            writer.write(sent[-1:])
            await door.until(lambda: connection._phase != 0)
            door.clock.advance(4)
            assert door.server.connections_count == 1
            door.clock.advance(8)
            assert (await reader.read()).startswith(b"HTTP/1.1 408 Request Timeout")
            writer.close()

    run(main())


async def until_connected(door: Any) -> list[Any]:
    await door.until(lambda: door.server.connections_count)
    return list(door.server._connections)


def test_an_idle_client_is_let_go_and_a_busy_one_is_not(open_door: Open, answer_of: Open) -> None:
    async def main() -> None:
        handler = Waiting()
        async with open_door(handler, idle_timeout_seconds=20) as door:
            idle_reader, idle_writer = await door.connect()
            reader, writer = await door.connect()
            writer.write(GET % 1)
            await door.until(lambda: handler.asked and door.server.connections_count == 2)
            door.clock.advance(30)
            assert await idle_reader.read() == b"", "closed without a word"
            door.clock.advance(3000)
            handler.answer(b"/1")
            assert (await answer_of(reader))[2] == b"/1", "a handler may take its time"
            door.clock.advance(15)
            writer.write(GET % 2)
            await door.until(lambda: len(handler.asked) == 2)
            handler.answer(b"/2")
            assert (await answer_of(reader))[2] == b"/2"
            door.clock.advance(30)
            assert await reader.read() == b""
            writer.close()
            idle_writer.close()

    run(main())


def greedy_socket(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    return client


def test_a_client_that_does_not_read_is_held_back_and_cut(open_door: Open) -> None:
    async def main() -> None:
        asked = []

        def large(request: Request) -> Response:
            asked.append(request.target)
            return Response(200, (), b"x" * 100_000)

        async with open_door(large, write_timeout_seconds=30, write_buffer_bytes=64 * 1024) as door:
            client = greedy_socket(door.server.port)
            client.sendall(b"".join(GET % index for index in range(1000)))
            (connection,) = await until_connected(door)
            await door.until(lambda: connection._paused_since >= 0)
            for _ in range(50):
                await asyncio.sleep(0)
            assert len(asked) < 400, "nothing more is asked of handlers for a client that does not read"
            door.clock.advance(20)
            assert door.server.connections_count == 1
            door.clock.advance(20)
            await door.until(lambda: door.server.connections_count == 0)
            client.close()

    run(main())


def test_a_slow_reader_gets_everything_in_the_end(open_door: Open) -> None:
    async def main() -> None:
        def large(request: Request) -> Response:
            return Response(200, (), request.target.ljust(50_000, b"."))

        async with open_door(large, write_buffer_bytes=64 * 1024) as door:
            client = greedy_socket(door.server.port)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, b"".join(GET % index for index in range(200)) + LAST)
            answer = bytearray()
            while data := await loop.sock_recv(client, 65536):
                answer += data
            parts = bytes(answer).split(b"HTTP/1.1 200 OK")[1:]
            targets = [part.partition(b"\r\n\r\n")[2] for part in parts]
            assert [target.rstrip(b".") for target in targets] == [b"/%d" % index for index in range(200)] + [b"/last"]
            assert {len(target) for target in targets} == {50_000}
            client.close()

    run(main())


def test_a_stream_waits_for_its_reader_and_ends_with_it(open_door: Open) -> None:
    async def main() -> None:
        sent, closed = [], []

        async def endless() -> AsyncIterator[bytes]:
            try:
                while True:
                    sent.append(1)
                    yield b"x" * 10_000
            finally:
                closed.append(True)

        async with open_door(lambda _: Response(200, (), endless()), write_buffer_bytes=64 * 1024) as door:
            client = greedy_socket(door.server.port)
            client.sendall(GET % 1)
            (connection,) = await until_connected(door)
            await door.until(lambda: connection._paused_since >= 0)
            count = len(sent)
            for _ in range(50):
                await asyncio.sleep(0)
            assert len(sent) == count < 1000
            client.close()
            await door.until(lambda: door.server.connections_count == 0 and closed)

    run(main())


def test_a_stream_that_fails_breaks_off(open_door: Open, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError("on purpose")

        async with open_door(lambda _: Response(200, (), broken())) as door:
            reader, writer = await door.connect()
            writer.write(GET % 1)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readuntil(b"\r\n0\r\n\r\n")
            writer.close()

    run(main())
    assert "a streamed answer failed" in caplog.text


class Body:
    """A streamed body that notes when it is told to close."""

    def __init__(self, *pieces: bytes, broken: bool = False) -> None:
        self.pieces = pieces
        self.broken = broken
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.broken:
            raise BodyBroken("the source broke off")

    async def aclose(self) -> None:
        self.closed += 1


def test_a_body_whose_source_broke_off_sends_what_it_had(open_door: Open, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        body = Body(b"all", b"there was", broken=True)
        async with open_door(lambda _: Response(200, (), body)) as door:
            reader, writer = await door.connect()
            writer.write(GET % 1)
            answer = await reader.read()
            assert answer.endswith(b"3\r\nall\r\n9\r\nthere was\r\n")
            assert body.closed == 1
            writer.close()

    run(main())
    assert "failed" not in caplog.text


@pytest.mark.parametrize("status", [200, 204])
def test_a_body_that_is_not_wanted_is_told(open_door: Open, status: int) -> None:
    async def main() -> None:
        body = Body(b"never sent")
        async with open_door(lambda _: Response(status, (), body)) as door:
            reader, writer = await door.connect()
            writer.write(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"never sent" not in await reader.readuntil(b"\r\n\r\n")
            await door.until(lambda: body.closed == 1)
            writer.close()

    run(main())


def test_a_body_that_comes_when_the_client_has_gone_is_told(open_door: Open) -> None:
    async def main() -> None:
        body = Body(b"too late")
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        async with open_door(lambda _: answer) as door:
            _, writer = await door.connect()
            writer.write(GET % 1)
            await until_connected(door)
            peer = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
            writer.transport.abort()
            await door.until(lambda: door.server.connections_count == 0)
            answer.set_result(Response(200, (), body))
            await door.until(lambda: body.closed == 1)

    run(main())


def test_bodies_under_way_hold_no_more_than_the_server_allows(open_door: Any) -> None:
    mebibyte = 1024 * 1024

    async def run() -> None:
        async with open_door(bodies_bytes=6 * mebibyte) as door:
            clients = [await door.connect() for _ in range(4)]
            head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (4 * mebibyte)
            for _, writer in clients[:2]:  # both together: less than is allowed, in two pieces each
                writer.write(head + b"a" * 1000)
                await writer.drain()
            await door.until(lambda: sum(c.parser.phase == BODY for c in door.server._connections) == 2)
            for _, writer in clients[:2]:
                writer.write(b"a" * (5 * mebibyte // 2))
                await writer.drain()
            await door.until(lambda: sum(c.parser.body_bytes for c in door.server._connections) == 5 * mebibyte)
            reader, writer = clients[2]
            writer.write(head + b"a" * 1000)
            await writer.drain()
            await door.until(lambda: sum(c.parser.phase == BODY for c in door.server._connections) == 3)
            writer.write(b"a" * (3 * mebibyte))
            assert (await reader.readline()).startswith(b"HTTP/1.1 503 ")
            for reader, writer in clients[:2]:  # those who were there first go on
                writer.write(b"a" * (4 * mebibyte - 1000 - 5 * mebibyte // 2))
                assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            reader, writer = clients[3]
            writer.write(head + b"a" * 4 * mebibyte)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            for _, writer in clients:
                writer.close()

    asyncio.run(run())
