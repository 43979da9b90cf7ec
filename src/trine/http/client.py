"""A small HTTP/1.1 client for what the house itself must call: HTTP integrations, key sets of token issuers, tests.

In goes a method, a URL, headers and a body; out comes an `Answer`, whole, or a named `ClientError`. One connection for
each call, closed behind it. Every call ends: the time to connect, the whole time, the head and the body are limited.
Redirects are answers like any other; nothing is retried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httptools

from trine.clock import Clock
from trine.http.errors import AnswerInvalid, AnswerTooLarge, CallTimedOut, ClientError, ConnectFailed
from trine.http.limits import CallLimits
from trine.http.message import Headers
from trine.http.rendering import header_lines

if TYPE_CHECKING:
    import ssl


class Answer:
    """What the other side said."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Client:
    """Makes calls; holds no connection between them."""

    def __init__(self, clock: Clock, limits: CallLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or CallLimits()
        self._tls: ssl.SSLContext | None = None

    async def call(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes = b"",
        limits: CallLimits | None = None,
    ) -> Answer:
        """Send one request to `url` (http or https) and wait for the whole answer.

        `host`, `content-length` and `connection` are added; a `host` among `headers` replaces the URL's. Raises
        ConnectFailed, CallTimedOut, AnswerInvalid, AnswerTooLarge (all ClientError), ValueError for a bad URL.
        """
        limits = limits or self._limits
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http or https URL: {url!r}")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = _render(method, target, parts.netloc.rpartition("@")[2], list(headers), body)
        secure = parts.scheme == "https"
        if secure and self._tls is None:
            import ssl  # 16 ms that only https pays

            self._tls = ssl.create_default_context()
        port = parts.port or (443 if secure else 80)
        exchange = _Exchange(method, request, limits)
        deadline = self._clock.call_later(
            limits.total_timeout_seconds, exchange.fail, CallTimedOut(f"no whole answer from {url} in time")
        )
        try:
            await self._connect(exchange, parts.hostname, port, self._tls if secure else None, limits)
            return await exchange.answer
        finally:
            deadline.cancel()
            exchange.close()

    async def _connect(
        self, exchange: _Exchange, host: str, port: int, tls: ssl.SSLContext | None, limits: CallLimits
    ) -> None:
        loop = asyncio.get_running_loop()
        opening = asyncio.ensure_future(
            loop.create_connection(lambda: exchange, host, port, ssl=tls, server_hostname=host if tls else None)
        )
        timer = self._clock.call_later(limits.connect_timeout_seconds, opening.cancel)
        exchange.answer.add_done_callback(lambda _: opening.cancel())  # the whole time may end first
        try:
            await opening
        except asyncio.CancelledError:
            if exchange.answer.done():
                return  # `answer` tells why
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise CallTimedOut(f"no connection to {host}:{port} in time") from None
        except OSError as error:
            raise ConnectFailed(f"cannot reach {host}:{port}: {error}") from error
        finally:
            timer.cancel()
            opening.cancel()


def _render(method: str, target: str, authority: str, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The bytes of a request. Raises ResponseInvalid for a header that must not go out, ValueError for the rest."""
    if not method.isascii() or not method.isalpha():
        raise ValueError(f"method {method!r} is not a word")
    line = f"{method} {target} HTTP/1.1\r\n".encode("ascii")
    if len(line.split()) != 3 or line.count(b"\n") != 1:
        raise ValueError(f"the URL's path and query must be percent-encoded: {target!r}")
    if not any(name.lower() == b"host" for name, _ in headers):
        headers.insert(0, (b"host", authority.encode("idna")))
    length = b"content-length: %d\r\n" % len(body) if body or method in ("POST", "PUT", "PATCH") else b""
    return b"%b%b%bconnection: close\r\n\r\n%b" % (line, header_lines(headers), length, body)


class _Exchange(asyncio.Protocol):
    """One connection: a request out, an answer in."""

    def __init__(self, method: str, request: bytes, limits: CallLimits) -> None:
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._head_only = method == "HEAD"
        self._request = request
        self._limits = limits
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._head_bytes = 0
        self._body_bytes = 0
        self._pairs: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
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
        elif length is not None and int(length) > self._limits.body_bytes:
            self.fail(AnswerTooLarge("the body of the answer is too long"))

    def on_body(self, part: bytes) -> None:
        self._body_bytes += len(part)
        if self._body_bytes > self._limits.body_bytes:
            self.fail(AnswerTooLarge("the body of the answer is too long"))
        elif not self.answer.done():
            self._body.append(part)

    def on_message_complete(self) -> None:
        if self._in_body and not self.answer.done():
            self._finish()

    def _finish(self) -> None:
        self.answer.set_result(Answer(self._parser.get_status_code(), Headers(self._pairs), b"".join(self._body)))
