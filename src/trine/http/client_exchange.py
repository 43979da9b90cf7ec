"""One connection of the client: a request out, an answer in. Parsed by httptools, bounded by `CallLimits`.

`WholeExchange` hands on the whole answer; `client_stream` has the one that hands it on with its head.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar, cast

import httptools

from trine.http.errors import AnswerInvalid, AnswerTooLarge, ClientError
from trine.http.limits import CallLimits
from trine.http.message import Headers

Handed = TypeVar("Handed")


class Answer:
    """What the other side said."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Exchange(ABC, asyncio.Protocol, Generic[Handed]):
    """One connection; `answer` is what the caller waits for."""

    def __init__(self, method: str, request: bytes, limits: CallLimits) -> None:
        self.answer: asyncio.Future[Handed] = asyncio.get_running_loop().create_future()
        self._head_only = method == "HEAD"
        self._request = request
        self._limits = limits
        self._parser: Any = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._head_bytes = 0
        self._pairs: list[tuple[bytes, bytes]] = []
        self._in_body = False
        self._framed = False

    def fail(self, error: ClientError) -> None:
        """End the exchange with `error`, unless it has ended."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def close(self) -> None:
        """Let the connection go, at once."""
        if self._transport is not None:
            self._transport.abort()
        if not self.answer.done():
            self.answer.cancel()
        elif not self.answer.cancelled():
            self.answer.exception()  # seen, even where another error was raised first
        self._parser = None

    # --- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self.answer.done():
            return
        if not self._in_body:
            if self._head_bytes > self._limits.head_bytes:  # counts what came before `data`, all of it head
                self.fail(AnswerTooLarge("the head of the answer is too long"))
                return
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fail(AnswerInvalid(f"the answer is not HTTP/1.1: {error}"))

    def eof_received(self) -> bool:
        if self._in_body and not self._framed and not self.answer.done():
            self._finish()  # a body without a length ends with the connection
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.fail(AnswerInvalid("the connection broke off before the answer was whole"))

    # --- called by httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:
            return  # trailers
        self._pairs.append((name, value.rstrip()))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self._pairs = []
            return
        self._in_body = True
        headers = Headers(self._pairs)
        if sum(len(name) + len(value) + 4 for name, value in self._pairs) > self._limits.head_bytes:
            self.fail(AnswerTooLarge("the head of the answer is too long"))
            return
        length = headers.get(b"content-length")
        self._framed = length is not None or headers.get(b"transfer-encoding") is not None
        if self._head_only or status in (204, 304):
            self._finish()
        else:
            self._on_head(length)

    def on_message_complete(self) -> None:
        if self._in_body and not self.answer.done():
            self._finish()

    def _on_head(self, length: bytes | None) -> None:
        """The head is here and a body follows, of `length` when that was said."""

    @abstractmethod
    def _finish(self) -> None:
        """The answer is whole."""


class WholeExchange(Exchange[Answer]):
    """One connection whose answer is handed on when it is whole."""

    def __init__(self, method: str, request: bytes, limits: CallLimits) -> None:
        super().__init__(method, request, limits)
        self._body_bytes = 0
        self._body: list[bytes] = []

    def _on_head(self, length: bytes | None) -> None:
        if length is not None and int(length) > self._limits.body_bytes:
            self.fail(AnswerTooLarge("the body of the answer is too long"))

    def on_body(self, part: bytes) -> None:
        self._body_bytes += len(part)
        if self._body_bytes > self._limits.body_bytes:
            self.fail(AnswerTooLarge("the body of the answer is too long"))
        elif not self.answer.done():
            self._body.append(part)

    def _finish(self) -> None:
        self.answer.set_result(Answer(self._parser.get_status_code(), Headers(self._pairs), b"".join(self._body)))
