"""A server: it listens, admits connections, watches their time, and ends in order.

In goes a handler and an address, out comes a running `Server`. One watch ticks for all connections (no timer per
request); it stands still while there are none. Handlers' faults are logged here and answered 500 in the words of
`error_response`, so that each door can speak its service's language.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import math
import os
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from trine.clock import Clock, Timer
from trine.http.connection import Connection
from trine.http.errors import ListenFailed, PortInUse, RequestRefused
from trine.http.limits import Limits
from trine.http.message import Handler, Request, Response, Successor
from trine.http.outbox import Outbox
from trine.http.rendering import date_line, starts

_log = logging.getLogger("trine.http")

ErrorResponse = Callable[[int, str], Response]
"""Makes the answer to what never reached a handler, or failed in it: status and reason → response."""


def plain_error(status: int, reason: str) -> Response:
    """The default answer to errors: a JSON message."""
    return Response(status, [(b"content-type", b"application/json")], json.dumps({"message": reason}).encode())


class _Patience(NamedTuple):
    """The timeouts of `Limits`, counted in ticks of the watch."""

    head: int
    body: int
    idle: int
    write: int
    linger: int


class Server:
    """A running server; made by `serve`."""

    def __init__(self, handler: Handler, *, clock: Clock, limits: Limits, error_response: ErrorResponse) -> None:
        self.handler = handler
        self.limits = limits
        self.port = 0
        """The TCP port it listens on; 0 for a Unix socket."""
        self.closing = False
        self.tick = 0
        """Counts the looks at the connections; time for `Connection` is a difference of these."""
        self.date_line = b""
        """The date header as of the last look, a second old at most."""
        self.starts: dict[int, bytes] = {}
        """Status → the first lines of an answer, date included."""
        second = limits.tick_seconds
        self.patience = _Patience(
            head=math.ceil(limits.head_timeout_seconds / second),
            body=math.ceil(limits.body_timeout_seconds / second),
            idle=math.ceil(limits.idle_timeout_seconds / second),
            write=math.ceil(limits.write_timeout_seconds / second),
            linger=math.ceil(limits.linger_timeout_seconds / second),
        )
        self._clock = clock
        self._error_response = error_response
        self._connections: set[Connection | Successor] = set()
        self._in_flight: set[asyncio.Future[Response]] = set()
        self._discarded: set[asyncio.Future[None]] = set()
        self._listener: asyncio.AbstractServer | None = None
        self._unix_path: str | None = None
        self._watch: Timer | None = None
        self._looked_ns = 0
        self._emptied: asyncio.Future[None] | None = None
        self.outbox = Outbox(asyncio.get_running_loop())

    # --- for those who run it

    async def listen(self, listening: socket.socket, unix_path: str | None = None) -> None:
        """Accept on a bound socket; `unix_path` is removed when the server closes."""
        loop = asyncio.get_running_loop()
        backlog = self.limits.backlog_connections
        address = listening.getsockname()
        try:
            listening.listen(backlog)  # two sockets may be bound to one port, but only one may listen
        except OSError as error:
            listening.close()
            if error.errno == errno.EADDRINUSE and isinstance(address, tuple):
                raise PortInUse(*address[:2]) from error
            raise ListenFailed(str(address), error.strerror or str(error)) from error
        if listening.family == socket.AF_UNIX:
            self._unix_path = unix_path
            self._listener = await loop.create_unix_server(self._connect, sock=listening, backlog=backlog)
        else:
            self.port = address[1]
            self._listener = await loop.create_server(self._connect, sock=listening, backlog=backlog)

    def _connect(self) -> Connection:
        return Connection(self)

    @property
    def connections_count(self) -> int:
        """Connections open now."""
        return len(self._connections)

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop accepting, let what is in flight finish within `grace_seconds`, then cut. Harmless when repeated."""
        self.closing = True
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._unix_path is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._unix_path)
            self._unix_path = None
        for connection in list(self._connections):
            connection.shut()
        if self._connections and grace_seconds > 0:
            timer = self._clock.call_later(grace_seconds, _finish, self._until_empty())
            await self._until_empty()
            timer.cancel()
        for connection in list(self._connections):
            connection.cut()
        for source in list(self._in_flight):
            if isinstance(source, asyncio.Task):  # a plain future is its maker's
                source.cancel()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._connections:
            await self._until_empty()  # the loop tells each of them that it is lost

    def _until_empty(self) -> asyncio.Future[None]:
        """Done when the last connection is lost."""
        if self._emptied is None or self._emptied.done():
            self._emptied = asyncio.get_running_loop().create_future()
        return self._emptied

    # --- for its connections

    def admit(self, connection: Connection) -> bool:
        """Take a new connection on; False when there are too many (it is known all the same, until it is lost)."""
        self._connections.add(connection)
        if self._watch is None:
            self._wind()
        return len(self._connections) <= self.limits.connections

    def has_room(self) -> bool:
        """Whether bodies that are still being received may grow: asked once for each mebibyte of a large one."""
        held = sum(connection.parser.body_bytes for connection in self._connections if type(connection) is Connection)
        return held <= self.limits.bodies_bytes

    def replace(self, connection: Connection, successor: Successor) -> None:
        """A connection leaves HTTP; what comes after it is watched in its place."""
        self._connections.discard(connection)
        self._connections.add(successor)

    def forget(self, connection: Connection | Successor) -> None:
        """A connection is lost."""
        self._connections.discard(connection)
        if not self._connections:
            if self._watch is not None:
                self._watch.cancel()
                self._watch = None
            if self._emptied is not None:
                _finish(self._emptied)

    def refused(self, refusal: RequestRefused) -> Response:
        """The answer to bytes that are no request, in this door's words."""
        return self._error(refusal.status, refusal.reason)

    def failed(self, request: Request | None, error: BaseException) -> Response:
        """The last `except` of this door: log what nobody expected, answer 500."""
        if isinstance(error, asyncio.CancelledError) and self.closing:
            return self._error(503, HTTPStatus(503).phrase)
        what = f"{request.method} {request.path!r}" if request is not None else "a streamed answer"
        _log.error("handler of %s failed", what, exc_info=error)
        return self._error(500, HTTPStatus(500).phrase)

    def began(self, source: asyncio.Future[Response]) -> None:
        """A handler's answer is awaited."""
        self._in_flight.add(source)

    def ended(self, source: asyncio.Future[Response], request: Request | None) -> Response:
        """A handler's answer has come: the response, or what stands for its failure."""
        self._in_flight.discard(source)
        if source.cancelled():
            return self.failed(request, asyncio.CancelledError("the handler was cancelled"))
        if (error := source.exception()) is not None:
            return self.failed(request, error)
        response = source.result()
        if not isinstance(response, Response):
            return self.failed(request, TypeError(f"a handler answered {type(response).__name__}, not Response"))
        return response

    def discard(self, response: Response | None) -> None:
        """An answer that is not sent: whoever makes its streamed body is told."""
        body = None if response is None else response.body
        close = None if body is None or isinstance(body, bytes) else getattr(body, "aclose", None)
        if close is not None:
            closing = asyncio.ensure_future(close())
            self._discarded.add(closing)
            closing.add_done_callback(self._discarded.discard)

    def _error(self, status: int, reason: str) -> Response:
        try:
            return self._error_response(status, reason)
        except Exception:
            _log.exception("the error response of %d failed", status)
            return plain_error(status, reason)

    def _wind(self) -> None:
        """Begin to look at the connections once in each tick, as long as there are any."""
        self._write_date()
        self._looked_ns = self._clock.monotonic_ns()
        self._watch = self._clock.every(self.limits.tick_seconds, self._look)

    def _write_date(self) -> None:
        self.date_line = date_line(int(self._clock.now()))
        self.starts = starts(self.date_line)

    def _look(self) -> None:
        # One look may stand for many ticks: the machine slept, or a test moved the clock by a week.
        ticks = max(1, round((self._clock.monotonic_ns() - self._looked_ns) / 1e9 / self.limits.tick_seconds))
        self.tick += ticks
        self._looked_ns += int(ticks * self.limits.tick_seconds * 1e9)
        self._write_date()
        for connection in list(self._connections):
            connection.check()


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


async def serve(
    handler: Handler,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    clock: Clock,
    limits: Limits | None = None,
    error_response: ErrorResponse = plain_error,
    sock: socket.socket | None = None,
    unix_path: str | os.PathLike[str] | None = None,
) -> Server:
    """Listen and answer with `handler`; port 0 takes a free one (`server.port` tells).

    Instead of an address an already bound `sock` or the path of a Unix socket may be given. Raises PortInUse, or
    ListenFailed for every other reason why the address cannot be had.
    """
    server = Server(handler, clock=clock, limits=limits or Limits(), error_response=error_response)
    if unix_path is not None:
        await server.listen(_unix_socket(os.fspath(unix_path)), os.fspath(unix_path))
    else:
        await server.listen(sock or _tcp_socket(host, port))
    return server


def _tcp_socket(host: str, port: int) -> socket.socket:
    """A bound TCP socket. Raises PortInUse, ListenFailed."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ListenFailed(f"{host}:{port}", error.strerror or str(error)) from error
    listening = socket.socket(family, kind, number)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise ListenFailed(f"{host}:{port}", error.strerror or str(error)) from error
    return listening


def _unix_socket(path: str) -> socket.socket:
    """A bound Unix socket; one left behind by a dead server is replaced, a living one is not. Raises ListenFailed."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            listening.bind(path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or _answers(path):
                raise
            os.unlink(path)
            listening.bind(path)
    except OSError as error:
        listening.close()
        raise ListenFailed(path, error.strerror or str(error)) from error
    return listening


def _answers(path: str) -> bool:
    """Whether a server listens on the Unix socket `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
    return True
