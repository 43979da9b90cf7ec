"""A WebSocket after its handshake: bytes in, whole text messages out, everything bounded. Knows nothing of AWS.

The frames are read and written by the `websockets` package's protocol without I/O; this room gives it a transport, and
what RFC 6455 leaves to the server: sizes, time, one slow client that must not fill the memory, and the farewell. A
`Listener` gets each message, and once how the connection ended. Text only: a binary frame ends the connection (1003).
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from websockets.exceptions import PayloadTooBig
from websockets.frames import BINARY, CLOSE, CONT, TEXT, Frame
from websockets.protocol import OPEN, SERVER
from websockets.protocol import Protocol as Frames

from trine.http.message import Successor

if TYPE_CHECKING:
    from trine.http.server import Server

NORMAL, GOING_AWAY, UNSUPPORTED, NO_STATUS, ABNORMAL, INVALID_DATA, POLICY, TOO_BIG = (
    1000, 1001, 1003, 1005, 1006, 1007, 1008, 1009,
)  # fmt: skip
"""Close codes, RFC 6455, 7.4.1."""
NEVER = -1


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """What one WebSocket may take. The defaults of frame, message, idle time and duration are API Gateway's."""

    frame_bytes: int = 32 * 1024
    message_bytes: int = 128 * 1024
    fragments_count: int = 1_024
    """Most frames of one message; RFC 6455 allows empty ones without end."""
    idle_seconds: float = 600.0
    duration_seconds: float = 7_200.0
    messages_in_flight: int = 32
    """Messages of one client that are worked on at the same time; beyond it the client is not read."""
    piece_bytes: int = 4_096
    """Bytes that are parsed at once: what one piece brings beyond `messages_in_flight` waits, so it must be little."""
    send_queue_bytes: int = 1024 * 1024
    """Bytes that wait for a slow client; the next message is refused."""


class QueueFull(Exception):
    """The client does not take what waits for it already."""


class SocketClosed(Exception):
    """The connection has ended or is ending."""


class Listener(Protocol):
    """Who hears what happens on a WebSocket."""

    def on_open(self) -> None:
        """The answer 101 is out: messages may be sent. Not called when the client went away before."""

    def on_message(self, text: str, done: Callable[[], None]) -> None:
        """A whole message. Call `done` once, now or later, when the next one may take its place."""

    def on_close(self, code: int, reason: str) -> None:
        """The connection ends; called exactly once. 1005: the client gave no code, 1006: it vanished."""


class WebSocket(Successor):
    """One connection. Made before the answer 101, begun after it."""

    __slots__ = ("_active_tick", "_begun_tick", "_closing_tick", "_drained_tick", "_fragments", "_frames", "_in_flight",
                 "_incoming", "_limits", "_listener", "_lost", "_paused", "_pumping", "_reading", "_server", "_told",
                 "_transport", "_waiting")  # fmt: skip

    def __init__(self, listener: Listener, limits: WebSocketLimits) -> None:
        self._listener, self._limits = listener, limits
        self._frames = Frames(SERVER, state=OPEN, max_size=(limits.message_bytes, limits.frame_bytes))
        self._fragments: list[bytes] = []
        self._incoming = b""
        self._waiting: deque[str] = deque()
        self._in_flight = 0
        self._pumping = self._told = self._lost = self._paused = False
        self._reading = True
        self._drained_tick = self._closing_tick = NEVER
        self._server: Server | None = None

    # --- the life of the connection, told by the server and the event loop

    def begin(self, server: Server, transport: asyncio.Transport, held: bytes, paused: bool) -> None:
        self._server, self._transport = server, transport
        self._begun_tick = self._active_tick = server.tick
        if paused:
            self.pause_writing()
        self._listener.on_open()
        if held:
            self.data_received(held)

    def data_received(self, data: bytes) -> None:
        if self._closing_tick != NEVER and self._told and self._frames.eof_sent:
            return  # what still comes in after the farewell is thrown away
        self._incoming = self._incoming + data if self._incoming else data
        self._pump()

    def eof_received(self) -> bool:
        self._frames.receive_eof()
        self._end(ABNORMAL, "")
        return False  # the transport closes

    def pause_writing(self) -> None:
        self._paused = True
        self._drained_tick = self._tick
        self._regulate()

    def resume_writing(self) -> None:
        self._paused = False
        self._pump()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        self._end(ABNORMAL, "")
        self._incoming = b""
        self._waiting.clear()
        if self._server is not None:
            self._server.forget(self)

    # --- messages in

    def _pump(self) -> None:
        """Parse what has come, piece by piece, as long as messages may begin."""
        if self._pumping:
            return
        self._pumping = True
        limits = self._limits
        try:
            while not self._told and not self._paused and self._in_flight < limits.messages_in_flight:
                if self._waiting:
                    self._begin(self._waiting.popleft())
                elif self._incoming:
                    piece, self._incoming = self._incoming[: limits.piece_bytes], self._incoming[limits.piece_bytes :]
                    self._parse(piece)
                else:
                    break
        finally:
            self._pumping = False
        if self._told and self._incoming and not self._frames.eof_sent:
            # Our own farewell is out: read on, only to hear the client's.
            piece, self._incoming = self._incoming, b""
            self._frames.receive_data(piece)
            self._frames.events_received()
            self._flush()
        self._regulate()

    def _parse(self, piece: bytes) -> None:
        frames = self._frames
        frames.receive_data(piece)
        events = frames.events_received()
        self._flush()
        if events:
            self._active_tick = self._tick
        for frame in events:
            if not self._told and isinstance(frame, Frame):
                self._on_frame(frame)
        if (fault := frames.parser_exc) is not None:
            close = frames.close_sent
            reason = close.reason if close is not None else str(fault)
            code = TOO_BIG if isinstance(fault, PayloadTooBig) else int(close.code) if close is not None else ABNORMAL
            self._end(code, reason)

    def _on_frame(self, frame: Frame) -> None:
        if frame.opcode is CLOSE:
            close = self._frames.close_rcvd
            assert close is not None
            self._end(int(close.code), close.reason)
        elif frame.opcode is BINARY:
            self._fail(UNSUPPORTED, "Binary frames are not supported")
        elif frame.opcode is TEXT or frame.opcode is CONT:
            self._fragments.append(bytes(frame.data))
            if not frame.fin:
                if len(self._fragments) >= self._limits.fragments_count:
                    self._fail(POLICY, "Too many fragments")
                return
            data = b"".join(self._fragments)
            self._fragments.clear()
            try:
                text = data.decode()
            except UnicodeDecodeError:
                self._fail(INVALID_DATA, "Text is not UTF-8")
                return
            self._waiting.append(text)

    def _begin(self, text: str) -> None:
        self._in_flight += 1
        self._listener.on_message(text, self._done)

    def _done(self) -> None:
        self._in_flight -= 1
        if not self._lost:
            self._pump()

    def _regulate(self) -> None:
        """Read on, or let the client wait."""
        if self._lost or self._transport.is_closing():
            return
        wanted = not self._paused and (not self._incoming or self._told) and not self._waiting
        if wanted is not self._reading:
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    # --- messages out

    def send(self, text: bytes) -> None:
        """Send one text message, in frames of the largest size. Raises SocketClosed, QueueFull."""
        if self._told or self._lost or self._server is None:
            raise SocketClosed
        if self._transport.get_write_buffer_size() + len(text) > self._limits.send_queue_bytes:
            raise QueueFull
        self._active_tick = self._tick
        frames, size = self._frames, self._limits.frame_bytes
        if len(text) <= size:
            frames.send_text(text)
        else:
            frames.send_text(text[:size], fin=False)
            for at in range(size, len(text), size):
                frames.send_continuation(text[at : at + size], fin=at + size >= len(text))
        self._flush()

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Say goodbye; the client has a little time to answer. Harmless when repeated."""
        if self._told or self._lost or self._server is None:
            return
        self._frames.send_close(code, reason)
        self._flush()
        self._end(code, reason)

    def _fail(self, code: int, reason: str) -> None:
        """The client broke a rule: close, and hear no more from it."""
        self._frames.fail(code, reason)
        self._flush()
        self._end(code, reason)

    def _flush(self) -> None:
        """Write what the protocol has to say; an empty piece asks to end our direction."""
        for data in self._frames.data_to_send():
            if self._lost or self._transport.is_closing():
                return
            if data:
                self._transport.write(data)
            else:
                self._closing_tick = self._tick
                self._transport.write_eof()

    def _end(self, code: int, reason: str) -> None:
        """The connection ends: tell it once."""
        if self._closing_tick == NEVER:
            self._closing_tick = self._tick
        if self._told:
            return
        self._told = True
        self._fragments.clear()
        self._waiting.clear()
        self._listener.on_close(code, reason)

    # --- time, told by the server

    @property
    def _tick(self) -> int:
        return self._server.tick if self._server is not None else 0

    @property
    def active_seconds_ago(self) -> float:
        """Seconds since something last went in or out, a tick's length exact."""
        return (self._tick - self._active_tick) * self._server.limits.tick_seconds if self._server is not None else 0.0

    def check(self) -> None:
        server = self._server
        assert server is not None
        tick, patience, second = server.tick, server.patience, server.limits.tick_seconds
        if self._closing_tick != NEVER:
            if tick - self._closing_tick > patience.linger:
                self._transport.abort()
        elif self._paused and tick - self._drained_tick > patience.write:
            self._end(ABNORMAL, "The client does not read")
            self._transport.abort()
        elif tick - self._begun_tick >= math.ceil(self._limits.duration_seconds / second) or (
            tick - self._active_tick >= math.ceil(self._limits.idle_seconds / second)
        ):
            self.close(GOING_AWAY, "Going away")

    def shut(self) -> None:
        self.close(GOING_AWAY, "Going away")

    def cut(self) -> None:
        self._end(ABNORMAL, "")
        self._transport.abort()
