"""A small HTTP/1.1 client for what the house itself must call: HTTP integrations, key sets of token issuers, tests.

In goes a method, a URL, headers and a body; out comes an `Answer`, whole, or a named `ClientError`. One connection for
each call, closed behind it. Every call ends: the time to connect, the whole time, the head and the body are limited.
Redirects are answers like any other; nothing is retried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from trine.clock import Clock
from trine.http.client_exchange import Answer, Exchange, WholeExchange
from trine.http.client_stream import StreamedAnswer, StreamedExchange
from trine.http.errors import CallTimedOut, ConnectFailed
from trine.http.limits import CallLimits
from trine.http.rendering import header_lines

if TYPE_CHECKING:
    import ssl


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
        place = _place_of(url)
        exchange = WholeExchange(method, _render(method, place, list(headers), body), limits)
        deadline = self._clock.call_later(
            limits.total_timeout_seconds, exchange.fail, CallTimedOut(f"no whole answer from {url} in time")
        )
        try:
            await self._connect(exchange, place, limits)
            return await exchange.answer
        finally:
            deadline.cancel()
            exchange.close()

    async def open(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes = b"",
        limits: CallLimits | None = None,
    ) -> StreamedAnswer:
        """As `call`, but the answer is handed on with its head; its body is read while it comes, and has no limit but
        the call's whole time. Whoever gets it reads it to its end or closes it."""
        limits = limits or self._limits
        place = _place_of(url)
        exchange = StreamedExchange(method, _render(method, place, list(headers), body), limits)
        deadline = self._clock.call_later(
            limits.total_timeout_seconds, exchange.fail, CallTimedOut(f"no whole answer from {url} in time")
        )
        exchange.on_end = deadline.cancel
        try:
            await self._connect(exchange, place, limits)
            return await exchange.answer
        except BaseException:
            deadline.cancel()
            exchange.close()
            raise

    async def _connect(self, exchange: Exchange[Any], place: _Place, limits: CallLimits) -> None:
        loop = asyncio.get_running_loop()
        host, port = place.host, place.port
        if place.secure and self._tls is None:
            import ssl  # 16 ms that only https pays

            self._tls = ssl.create_default_context()
        tls = self._tls if place.secure else None
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


class _Place(NamedTuple):
    """A URL taken apart."""

    secure: bool
    host: str
    port: int
    authority: str
    target: str


def _place_of(url: str) -> _Place:
    """ValueError unless `url` is one of http or https."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http or https URL: {url!r}")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    authority = parts.netloc.rpartition("@")[2]
    return _Place(secure, parts.hostname, parts.port or (443 if secure else 80), authority, target)


def _render(method: str, place: _Place, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The bytes of a request. Raises ResponseInvalid for a header that must not go out, ValueError for the rest."""
    if not method.isascii() or not method.isalpha():
        raise ValueError(f"method {method!r} is not a word")
    target = place.target
    line = f"{method} {target} HTTP/1.1\r\n".encode("ascii")
    if len(line.split()) != 3 or line.count(b"\n") != 1:
        raise ValueError(f"the URL's path and query must be percent-encoded: {target!r}")
    if not any(name.lower() == b"host" for name, _ in headers):
        headers.insert(0, (b"host", place.authority.encode("idna")))
    length = b"content-length: %d\r\n" % len(body) if body or method in ("POST", "PUT", "PATCH") else b""
    return b"%b%b%bconnection: close\r\n\r\n%b" % (line, header_lines(headers), length, body)
