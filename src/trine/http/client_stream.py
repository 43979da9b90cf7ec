"""An answer that is read while it comes: what `Client.open` gives.

The head is whole, the body an async iterator. What is not yet read is bounded: beyond it the other side is held back. A
body that breaks off, or takes longer than the call's limit, ends with `BodyBroken`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import httptools

from trine.http.client_exchange import Exchange
from trine.http.errors import AnswerInvalid, BodyBroken, ClientError
from trine.http.limits import CallLimits
from trine.http.message import Headers

HIGH_WATER_BYTES = 262_144
"""Unread bytes at which no more is read from the connection."""
LOW_WATER_BYTES = 65_536


class Pieces:
    """The body: an async iterator of what came, in order. `aclose` lets the connection go."""

    def __init__(self, hold: Callable[[bool], None], ended: Callable[[], None]) -> None:
        self._hold, self._ended = hold, ended
        self._pieces: deque[bytes] = deque()
        self._unread = 0
        self._held = False
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self.done = False

    def feed(self, data: bytes) -> None:
        """One more piece."""
        if self.done:
            return
        self._pieces.append(data)
        self._unread += len(data)
        if self._unread >= HIGH_WATER_BYTES and not self._held:
            self._held = True
            self._hold(True)
        self._wake()

    def finish(self, error: Exception | None = None) -> None:
        """Nothing more comes; with `error` the body is not whole."""
        if not self.done:
            self.done, self._error = True, error
            self._ended()
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._error is not None:
                raise BodyBroken(str(self._error)) from self._error
            if self.done:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = self._pieces.popleft()
        self._unread -= len(data)
        if self._held and self._unread <= LOW_WATER_BYTES:
            self._held = False
            self._hold(False)
        return data

    async def aclose(self) -> None:
        """The reader has gone, or is done."""
        self._pieces.clear()
        self.finish()


class StreamedAnswer:
    """Status and headers of an answer whose body is still coming."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Headers, body: Pieces) -> None:
        self.status, self.headers, self.body = status, headers, body

    def abandon(self) -> None:
        """Nobody reads it."""
        self.body.finish()


class StreamedExchange(Exchange[StreamedAnswer]):
    """One connection whose answer is handed on with its head."""

    def __init__(self, method: str, request: bytes, limits: CallLimits) -> None:
        super().__init__(method, request, limits)
        self._pieces = Pieces(self._hold, self._let_go)
        self.on_end: Callable[[], None] = lambda: None
        """Called once, when the body has ended in whichever way."""

    def _hold(self, held: bool) -> None:
        if self._transport is not None and not self._transport.is_closing():
            if held:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _let_go(self) -> None:
        self.on_end()
        if self._transport is not None:
            self._transport.abort()

    def fail(self, error: ClientError) -> None:
        """End the exchange: the call, or the body when the head has been handed on."""
        if self.answer.done():
            self._pieces.finish(error)
        else:
            super().fail(error)

    def data_received(self, data: bytes) -> None:
        if not self.answer.done():
            super().data_received(data)
        elif not self._pieces.done:
            try:
                self._parser.feed_data(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
                self._pieces.finish(AnswerInvalid(f"the answer is not HTTP/1.1: {error}"))

    def eof_received(self) -> bool:
        if self._in_body and not self._framed:
            self._pieces.finish()
        return False

    def _on_head(self, length: bytes | None) -> None:
        self.answer.set_result(StreamedAnswer(self._parser.get_status_code(), Headers(self._pairs), self._pieces))

    def on_body(self, part: bytes) -> None:
        self._pieces.feed(part)

    def _finish(self) -> None:
        if not self.answer.done():
            self._on_head(None)
        self._pieces.finish()

    def on_message_complete(self) -> None:
        if self._in_body:
            self._finish()
