"""A WebSocket on a real socket: real clients, clients that break the rules, and a clock that tests move."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame, Opcode

from trine.clock import ManualClock
from trine.http.errors import RequestRefused
from trine.http.handshake import open_handshake
from trine.http.loop import run
from trine.http.message import Headers, Request, Response, Switch
from trine.http.websocket import QueueFull, SocketClosed, WebSocket, WebSocketLimits

Open = Callable[..., Any]
OPENING = (
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ACCEPTED = b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The answer of RFC 6455, 1.3, to its own example key."""


class Ear:
    """Notes what it hears; answers each message with itself unless told otherwise."""

    def __init__(self, echo: bool = True) -> None:
        self.messages: list[str] = []
        self.closes: list[tuple[int, str]] = []
        self.opened = 0
        self.echo = echo
        self.done: list[Callable[[], None]] = []
        self.hold = False
        self.socket: WebSocket

    def on_open(self) -> None:
        self.opened += 1

    def on_message(self, text: str, done: Callable[[], None]) -> None:
        self.messages.append(text)
        if self.echo:
            self.socket.send(text.encode())
        if self.hold:
            self.done.append(done)
        else:
            done()

    def on_close(self, code: int, reason: str) -> None:
        self.closes.append((code, reason))


def listening(ear: Ear, **limits: Any) -> Callable[[Request], Response]:
    def handler(request: Request) -> Response:
        try:
            opening = open_handshake(request)
        except RequestRefused as refused:
            return Response(refused.status, [], refused.reason.encode())
        ear.socket = WebSocket(ear, WebSocketLimits(**limits))
        return Switch(ear.socket, opening.head)

    return handler


def frame(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    """One masked frame, whatever its opcode may not do."""
    size, mask = len(data), b"\x01\x02\x03\x04"
    length = bytes([128 + size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    if size > 65_535:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([128 * fin + opcode]) + length + mask + bytes(b ^ mask[at % 4] for at, b in enumerate(data))


async def opened(door: Any, after: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await door.connect()
    writer.write(OPENING + after)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    assert ACCEPTED in head
    return reader, writer


async def close_code(reader: asyncio.StreamReader) -> int:
    """The code of the close frame that ends what the server sends."""
    data = await reader.read()
    at = data.rfind(b"\x88")
    assert at >= 0, data
    return int.from_bytes(data[at + 2 : at + 4], "big")


def test_messages_go_both_ways(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear()
        async with open_door(listening(ear)) as door, connect(f"ws://127.0.0.1:{door.server.port}/chat") as client:
            for text in ("hello", "", "grüße ☃", "x" * 32_768):
                await client.send(text)
                assert await client.recv() == text
            pong = await client.ping()
            await pong
            await client.close(1000, "bye")
            await door.until(lambda: ear.closes)
            assert ear.closes == [(1000, "bye")]
            assert ear.opened == 1
            await door.until(lambda: door.server.connections_count == 0)

    run(main())


def test_a_long_message_comes_and_goes_in_frames(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear()
        async with open_door(listening(ear)) as door, connect(f"ws://127.0.0.1:{door.server.port}/") as client:
            text = "é" * 65_536  # 128 KB, and a frame's end inside a character
            data = text.encode()
            await client.send(
                part
                for part in [
                    text[:16_000],
                    text[16_000:32_000],
                    text[32_000:48_000],
                    text[48_000:64_000],
                    text[64_000:],
                ]
            )
            frames = [part async for part in client.recv_streaming(decode=False)]
            assert b"".join(frames) == data
            assert max(map(len, frames)) == 32_768

    run(main())


def test_frames_sent_before_the_answer_are_not_lost(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear()
        plain = listening(ear)

        async def slowly(request: Request) -> Response:
            await asyncio.sleep(0)
            return plain(request)

        for handler in (plain, slowly):
            async with open_door(handler) as door:
                reader, writer = await opened(door, frame(TEXT, b"early"))
                assert await reader.readexactly(7) == b"\x81\x05early"
                writer.close()
        assert ear.messages == ["early", "early"]

    run(main())


def test_a_refused_opening_leaves_http_going(open_door: Open) -> None:
    async def main() -> None:
        async def refuse(request: Request) -> Response:
            await asyncio.sleep(0)
            return Response(403 if request.path == b"/chat" else 200, (), request.path)

        last = b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        async with open_door(refuse) as door:
            answer = await door.say(OPENING + OPENING + last)
            assert answer.count(b"HTTP/1.1 403 ") == 2
            assert answer.endswith(b"/next")
            assert (await door.say(OPENING + b"\x81\x05early")).startswith(b"HTTP/1.1 403 ")

    run(main())


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ((b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8"), 400),
        ((b"Sec-WebSocket-Version: 13\r\n", b""), 400),
        ((b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ="), 400),
        ((b"Sec-WebSocket-Key", b"X-Key"), 400),
        ((b"Connection: Upgrade", b"Connection: keep-alive"), 426),
        ((b"Upgrade: websocket", b"Upgrade: h2c"), 426),
        ((b"GET", b"POST"), 405),
    ],
)
def test_wrong_openings(open_door: Open, changed: tuple[bytes, bytes], status: int) -> None:
    async def main() -> None:
        async with open_door(listening(Ear())) as door:
            opening = OPENING.replace(*changed).replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n")
            reader, writer = await door.connect()
            writer.write(opening)
            assert (await reader.readline()).startswith(b"HTTP/1.1 %d " % status)
            writer.close()

    run(main())


def test_an_opening_is_read_in_one_piece() -> None:
    pairs = [(b"Host", b"a"), (b"Upgrade", b"WebSocket"), (b"Connection", b"keep-alive, Upgrade"),
             (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="), (b"Sec-WebSocket-Version", b"13"),
             (b"Sec-WebSocket-Protocol", b"a, b"), (b"sec-websocket-protocol", b"c")]  # fmt: skip
    opening = open_handshake(Request("GET", b"/", Headers(pairs)))
    assert opening.subprotocols == ("a", "b", "c")
    assert ACCEPTED in opening.head


def test_101_without_an_upgrade_is_a_fault_of_the_handler(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear()
        async with open_door(lambda request: Switch(WebSocket(ear, WebSocketLimits()), b"")) as door:
            answer = await door.say(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 500 ")

    run(main())


BROKEN = {
    "no mask": (Frame(TEXT, b"hello").serialize(mask=False), 1002),
    "a reserved bit": (b"\xc1" + frame(TEXT, b"hello")[1:], 1002),
    "an unknown opcode": (b"\x83" + frame(TEXT, b"hello")[1:], 1002),
    "a long ping": (b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126, 1002),
    "a ping in pieces": (frame(PING, b"x", fin=False), 1002),
    "continuation of nothing": (frame(CONT, b"x"), 1002),
    "text within text": (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
    "not UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "UTF-8 cut short": (frame(TEXT, "é".encode()[:1]), 1007),
    "binary": (frame(BINARY, b"\x00\x01"), 1003),
    "a frame of 32 KB and a byte": (frame(TEXT, b"x" * 32_769), 1009),
    "a length of 2 to the 62": (b"\x81\xff" + (2**62).to_bytes(8, "big") + b"\0\0\0\0", 1009),
    "a message of 128 KB and a byte": (
        frame(TEXT, b"x" * 32_768, fin=False) + frame(CONT, b"x" * 32_768, fin=False) * 3 + frame(CONT, b"x"), 1009,
    ),
    "empty fragments without end": (frame(TEXT, b"", fin=False) + frame(CONT, b"", fin=False) * 1_100, 1008),
    "a close code that nobody may send": (frame(CLOSE, (1006).to_bytes(2, "big")), 1002),
    "a close frame of one byte": (frame(CLOSE, b"x"), 1002),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_frames(open_door: Open, name: str) -> None:
    async def main() -> None:
        data, code = BROKEN[name]
        ear = Ear()
        async with open_door(listening(ear)) as door:
            reader, writer = await opened(door)
            writer.write(data)
            assert await close_code(reader) == code
            assert ear.messages == []
            assert [told for told, _ in ear.closes] == [code]
            writer.close()
            await door.until(lambda: door.server.connections_count == 0)

    run(main())


def test_a_client_that_says_goodbye_without_a_word(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear()
        async with open_door(listening(ear)) as door:
            reader, writer = await opened(door)
            writer.write(frame(CLOSE, b""))
            assert await reader.read() == b"\x88\x00"
            assert ear.closes == [(1005, "")]
            writer.close()
            reader, writer = await opened(door)
            writer.close()
            await door.until(lambda: len(ear.closes) == 2)
            assert ear.closes[1] == (1006, "")

    run(main())


def test_pings_are_answered_and_pongs_are_heard(open_door: Open) -> None:
    async def main() -> None:
        async with open_door(listening(Ear())) as door:
            reader, writer = await opened(door)
            writer.write(
                frame(PONG, b"unasked") + frame(TEXT, b"a", fin=False) + frame(PING, b"now") + frame(CONT, b"b")
            )
            assert await reader.readexactly(5 + 4) == b"\x8a\x03now\x81\x02ab"
            writer.close()

    run(main())


def test_an_idle_client_is_told_to_go_away(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear()
        async with open_door(listening(ear)) as door:
            reader, writer = await opened(door)
            door.clock.advance(590)
            writer.write(frame(PING, b""))
            await reader.readexactly(2)
            door.clock.advance(590)
            assert ear.closes == []
            assert ear.socket.active_seconds_ago == pytest.approx(590, abs=2)
            door.clock.advance(11)
            assert ear.closes == [(1001, "Going away")]
            assert await reader.readexactly(4) == b"\x88\x0c\x03\xe9"
            door.clock.advance(5)  # it does not answer the farewell
            assert await reader.read() == b"Going away"
            await door.until(lambda: door.server.connections_count == 0)
            writer.close()

    run(main())


def test_two_hours_are_the_end(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear()
        async with open_door(listening(ear)) as door:
            reader, writer = await opened(door)
            for _ in range(14):
                door.clock.advance(500)
                writer.write(frame(PING, b""))
                await reader.readexactly(2)
            assert ear.closes == []
            door.clock.advance(201)
            assert await reader.readexactly(4) == b"\x88\x0c\x03\xe9"
            assert ear.closes == [(1001, "Going away")]
            writer.close()

    run(main())


def test_a_client_that_does_not_read(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear(echo=False)
        async with open_door(listening(ear, send_queue_bytes=200_000), write_buffer_bytes=65_536) as door:
            _, writer = await opened(door)
            writer.transport.pause_reading()
            with pytest.raises(QueueFull):
                await _flood(ear.socket)
            writer.write(frame(TEXT, b"not read meanwhile"))
            await asyncio.sleep(0.01)
            assert ear.messages == []
            door.clock.advance(40)
            await door.until(lambda: door.server.connections_count == 0)
            assert ear.closes == [(1006, "The client does not read")]
            with pytest.raises(SocketClosed):
                ear.socket.send(b"x")
            writer.close()

    run(main())


async def _flood(socket: WebSocket) -> None:
    for _ in range(1_000):
        socket.send(b"x" * 30_000)
        await asyncio.sleep(0)


def test_messages_wait_while_too_many_are_worked_on(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear(echo=False)
        ear.hold = True
        async with open_door(listening(ear, messages_in_flight=4)) as door:
            reader, writer = await opened(door)
            writer.write(b"".join(frame(TEXT, b"%d" % number) for number in range(5_000)))
            await door.until(lambda: len(ear.messages) == 4)
            await asyncio.sleep(0.01)
            assert len(ear.messages) == 4
            while len(ear.messages) < 5_000:
                ear.done.pop(0)()
                await asyncio.sleep(0)
            assert ear.messages == [str(number) for number in range(5_000)]
            assert reader is not None
            writer.close()

    run(main())


def test_the_server_closes(open_door: Open) -> None:
    async def main() -> None:
        ear = Ear()
        async with open_door(listening(ear)) as door:
            async with connect(f"ws://127.0.0.1:{door.server.port}/") as client:
                await asyncio.gather(door.server.close(5), _ends(client))
            assert ear.closes == [(1001, "Going away")]

    run(main())


async def _ends(client: Any) -> None:
    with pytest.raises(ConnectionClosed) as closed:
        await client.recv()
    assert closed.value.rcvd.code == 1001


def test_a_crowd_of_idle_clients(open_door: Open) -> None:
    async def main() -> None:
        ears: list[Ear] = []

        def handler(request: Request) -> Response:
            ears.append(Ear())
            return listening(ears[-1])(request)

        async with open_door(handler, connections=400) as door:
            clients = [await opened(door) for _ in range(400)]
            door.clock.advance(300)
            reader, writer = clients[200]
            writer.write(frame(TEXT, b"still there"))
            assert await reader.readexactly(13) == b"\x81\x0bstill there"
            crowded, one_too_many = await door.connect()
            assert (await crowded.readline()).startswith(b"HTTP/1.1 503 ")
            for _, open_writer in clients:
                open_writer.transport.abort()
            await door.until(lambda: door.server.connections_count <= 1)
            one_too_many.close()
            assert sum(len(ear.closes) for ear in ears) == 400

    run(main())


@settings(max_examples=60)
@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_whatever_bytes_come_the_door_stands(data: bytes, cuts: list[int]) -> None:
    """Bytes instead of frames end the connection, or wait for more; never the server, and never in silence."""
    from tests.http.conftest import Door
    from trine.http.server import serve

    async def main() -> None:
        ear, clock = Ear(), ManualClock()
        server = await serve(listening(ear), clock=clock)
        door = Door(server, clock)
        reader, writer = await opened(door)
        for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
            writer.write(data[begin:end])
            await asyncio.sleep(0)
        writer.write_eof()
        await reader.read()
        await door.until(lambda: server.connections_count == 0)
        assert len(ear.closes) == 1
        writer.close()
        await server.close()

    run(main())


def test_the_package_is_loaded_late() -> None:
    import subprocess
    import sys

    code = "import sys, trine.stack.stack; assert 'websockets' not in sys.modules"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert result.returncode == 0, result.stderr
