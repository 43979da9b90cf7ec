"""Bytes become requests: llhttp (through httptools) reads, this room bounds, checks and assembles.

In go the bytes of one connection, cut anywhere; out come whole `Request` values, in order, through `deliver`. What is
no request, or is too long, raises `RequestRefused` with the status to answer; after that the parser is spent. llhttp
runs strict: bare CR or LF, folded headers, spaces before the colon, NUL, two content-lengths, content-length beside
transfer-encoding and crooked chunks are refused by it, all of them with 400. Behind a request for a WebSocket the bytes
are held back until its answer has decided what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

import httptools

from trine.http.errors import RequestRefused
from trine.http.known_head import KnownHeads
from trine.http.limits import MEBIBYTE, Limits
from trine.http.message import Headers, Request

BETWEEN, HEAD, BODY = 0, 1, 2
"""Where in a message the bytes ended: between two, in a head, in a body."""

SLASH = ord("/")
NUMBER_SIGN = ord("#")
"""Begins a fragment, which no request target may have (RFC 9112, 3.2)."""

HELD_BYTES = 256 * 1024
"""Most bytes that wait behind a request for another protocol; reading pauses, so more than one read is rare."""

CHUNK_LINE_BYTES = 12
"""What one honest chunk costs beside its data: up to eight digits and two line ends."""

_METHODS = {
    name.encode(): name for name in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT")
}
_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)((?:[/?][^#]*)?)", re.IGNORECASE).fullmatch
_METHOD_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ ").match
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?").fullmatch


class Deliver(Protocol):
    """Takes a whole request; `keep_alive` is False when its answer must be the connection's last."""

    def __call__(self, request: Request, keep_alive: bool) -> None: ...


class RequestParser:
    """The parser of one connection."""

    __slots__ = ("_asked_bytes", "_body", "_body_bytes", "_chunked", "_chunks", "_completed", "_continue", "_counted",
                 "_deliver", "_ended", "_fed_bytes", "_fresh", "_has_room", "_host", "_keep_alive", "_known",
                 "_limits", "_long_digits", "_pairs", "_parser", "_peer_host", "_peer_port", "_piece_bytes", "_request",
                 "_sure_bytes", "_target", "held", "on_body", "phase")  # fmt: skip

    def __init__(
        self,
        limits: Limits,
        deliver: Deliver,
        send_continue: Callable[[], None],
        peer: tuple[str, int],
        has_room: Callable[[], bool] = lambda: True,
    ) -> None:
        """`has_room`: whether the server can hold more of bodies that are under way; asked for each mebibyte."""
        self._limits = limits
        self._deliver = deliver
        self._continue = send_continue
        self._has_room = has_room
        self._asked_bytes = 0
        self._peer_host, self._peer_port = peer
        self._long_digits = len(str(limits.body_bytes))  # a content-length with fewer digits is below the limit
        self._keep_alive = True
        self._ended = False
        self.phase = BETWEEN
        self._completed = False  # has the piece in hand ended a request?
        self.held: bytes | None = None
        """What came behind a request for a WebSocket: frames or HTTP, as its answer decides. None: nothing is held."""
        # A piece up to this size cannot hold a head that is too long, so nothing needs to be measured.
        self._sure_bytes = min(limits.request_line_bytes, limits.head_bytes)
        self._known = KnownHeads(peer, self._sure_bytes)
        self._piece_bytes = 0
        self._fresh = False
        self._fed_bytes = 0
        self._target = b""
        self._pairs: list[tuple[bytes, bytes]] = []
        self._host: bytes | None = b"\0"  # the Host value that was checked last; this one never is
        self._request: Request | None = None
        self._body: list[bytes] = []
        self.on_body = self._body.append  # no Python frame for it; sizes are checked by `_bound` and at the end
        self._chunked = False
        self._chunks = 0
        self._counted = 0  # of the parts in `_body`, those whose bytes are in `_body_bytes`
        self._body_bytes = 0
        self._parser = httptools.HttpRequestParser(self)

    @property
    def body_bytes(self) -> int:
        """About how many bytes of an unfinished body are held."""
        return self._fed_bytes if self.phase == BODY else 0

    def feed(self, data: bytes) -> None:
        """Read `data`; whole requests are delivered meanwhile. Raises RequestRefused."""
        if self._ended:
            return  # what follows the last request of a connection is not read
        if self.held is not None:
            self.held += data
            if len(self.held) > HELD_BYTES:
                raise RequestRefused(400, "Too much sent before the protocol was switched")
            return
        between = self.phase == BETWEEN
        if between and (known := self._known.read(data)) is not None:
            if len(known.body) > self._limits.body_bytes:
                raise RequestRefused(413, "Request body too large")
            deliver = self._deliver
            deliver(known, True)
            return
        self._piece_bytes = len(data)
        before, self._completed = self._request, False
        while True:
            try:
                self._parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                # A server may ignore Upgrade (RFC 9110, 7.8): the request counts, and HTTP/1.1 goes on behind it.
                data = data[upgrade.args[0] :]
                self._parser = httptools.HttpRequestParser(self)
                if self._ended:
                    break
                if self._request is not None and is_websocket(self._request):
                    self.held = data
                    break
                if not data:
                    break
            except httptools.HttpParserCallbackError as error:
                raise error.__context__ or error from None
            except httptools.HttpParserError as error:
                if self._ended:
                    break
                # Only when the piece holds no other request is its beginning the beginning of the fault.
                alone = self._request is before and not self._completed
                raise _refusal(error, data if alone else b"") from None
        if self.phase or not (self._completed or not data.strip(b"\r\n")):  # an empty line begins nothing
            self._bound()
        elif between and self._request is not before and self._request is not None and not self._ended:
            self._known.learn(data, self._request)

    def release(self) -> bytes:
        """The held bytes, no longer held."""
        held, self.held = self.held, None
        return held or b""

    def close(self) -> None:
        """Drop the parser's references to its owner: nothing is left for the cycle collector."""
        self._ended = True
        self._parser = None
        del self._deliver, self._continue, self._has_room

    # --- called by httptools, in the order of a message

    def on_url(self, part: bytes) -> None:
        if self._target:
            self._target += part
        else:
            self._target = part
            if self.phase == BETWEEN:
                self.phase = HEAD
                self._fresh = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._pairs.append((name, value.rstrip()))

    def on_headers_complete(self) -> None:
        self.phase = BODY
        headers = Headers(self._pairs)
        index = headers.by_name
        self._pairs = []
        target = self._target
        self._target = b""
        if self._piece_bytes > self._sure_bytes or not self._fresh:  # a head that came in pieces is always measured
            self._check_sizes(target, headers)
        most_bytes = self._piece_bytes if self._fresh else 0  # a head that began in this piece is no longer than it
        self._fed_bytes = 0
        self._fresh = True
        method = self._parser.get_method()
        if target[0] != SLASH or NUMBER_SIGN in target:
            target = _origin_form(method, target, headers)
        count = len(headers.pairs)
        if count != len(index) or count > self._limits.headers_count or index.get(b"host") != self._host:
            self._check_headers(headers)
        version = "1.1"
        self._keep_alive = keep_alive = self._parser.should_keep_alive()
        if not keep_alive or b"connection" in index:
            version = self._version(headers)
        length = index.get(b"content-length")
        if length is not None:
            if len(length) >= self._long_digits and int(length) > self._limits.body_bytes:
                raise RequestRefused(413, "Request body too large")
        elif b"transfer-encoding" in index:
            self._check_coding(index[b"transfer-encoding"], version)
        if b"expect" in index:
            self._expect(index[b"expect"], version)
        name = _METHODS.get(method) or method.decode("ascii")
        self._request = Request(name, target, headers, b"", self._peer_host, self._peer_port, version, most_bytes)

    def on_chunk_header(self) -> None:
        self._chunks += 1

    def on_message_complete(self) -> None:
        request = self._request
        assert request is not None
        body = self._body
        if body:
            request.body = body[0] if len(body) == 1 else b"".join(body)
            body.clear()
        if self._chunked:
            if len(request.body) > self._limits.body_bytes:
                raise RequestRefused(413, "Request body too large")
            self._counted = self._body_bytes = 0
            self._pairs = []  # trailers: nothing in them may change the request (RFC 9110, 6.5.1)
            self._chunks = 0
            self._chunked = False
        self.phase = BETWEEN
        self._completed = True
        keep_alive = self._keep_alive
        if not keep_alive:
            self._ended = True
        deliver = self._deliver
        deliver(request, keep_alive)

    # --- the checks, off the usual path

    def _bound(self) -> None:
        """A message is under way at the end of a piece: may it grow further?

        The piece in which a body began, or a head behind another message, holds other bytes too, so counting starts
        with the next one; a head that is complete is measured exactly.
        """
        if self.phase == BETWEEN:
            self.phase = HEAD  # only the method, so far, or a part of it
            self._fresh = True
        if self._fresh:
            self._fresh = False
            self._fed_bytes = self._piece_bytes if self.phase == HEAD and not self._completed else 0
            self._asked_bytes = 0
        else:
            self._fed_bytes += self._piece_bytes
        limits = self._limits
        if self.phase == HEAD:
            if len(self._target) > limits.request_line_bytes:
                raise RequestRefused(414, "URI Too Long")
            if self._fed_bytes > limits.head_bytes:
                raise RequestRefused(431, "Request head too large")
            return
        if self._fed_bytes - self._asked_bytes > MEBIBYTE:
            self._asked_bytes = self._fed_bytes
            if not self._has_room():
                self._body.clear()
                self._fed_bytes = 0  # nothing is held while the refused client is let go
                raise RequestRefused(503, "Too many large requests at once")
        if self._chunked:
            self._body_bytes += sum(map(len, self._body[self._counted :]))
            self._counted = len(self._body)
            if self._body_bytes > limits.body_bytes:
                raise RequestRefused(413, "Request body too large")
            if self._fed_bytes > self._body_bytes + self._chunks * CHUNK_LINE_BYTES + limits.chunk_overhead_bytes:
                raise RequestRefused(400, "Chunk extensions or trailers too long")

    def _check_sizes(self, target: bytes, headers: Headers) -> None:
        limits = self._limits
        if len(target) > limits.request_line_bytes:
            raise RequestRefused(414, "URI Too Long")
        size_bytes = len(target) + sum(len(name) + len(value) + 4 for name, value in headers.pairs)
        if size_bytes > limits.head_bytes:
            raise RequestRefused(431, "Request head too large")

    def _check_headers(self, headers: Headers) -> None:
        if len(headers) > self._limits.headers_count:
            raise RequestRefused(431, "Too many headers")
        hosts = headers.all(b"host")
        if len(hosts) > 1:
            raise RequestRefused(400, "More than one Host header")
        if not hosts:
            if self._parser.get_http_version() == "1.1":
                raise RequestRefused(400, "Host header missing")
        elif not _HOST(hosts[0]):
            raise RequestRefused(400, "Host header invalid")
        else:
            self._host = hosts[0]

    def _version(self, headers: Headers) -> str:
        version: str = self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise RequestRefused(505, "HTTP Version Not Supported")
        return version

    def _check_coding(self, coding: bytes, version: str) -> None:
        if version == "1.0":
            raise RequestRefused(400, "Transfer-Encoding in an HTTP/1.0 request")  # RFC 9112, 6.1
        if coding.lower() != b"chunked":
            raise RequestRefused(501, "Transfer-Encoding not supported")
        self._chunked = True

    def _expect(self, expectation: bytes, version: str) -> None:
        if expectation.lower() != b"100-continue":
            raise RequestRefused(417, "Expectation Failed")
        if version == "1.1":
            self._continue()


def is_websocket(request: Request) -> bool:
    """Whether a request whose `Connection` says `upgrade` asks for a WebSocket (RFC 6455, 4.1)."""
    return (request.headers.get(b"upgrade") or b"").strip().lower() == b"websocket"


def _origin_form(method: bytes, target: bytes, headers: Headers) -> bytes:
    """Reduce an absolute target to origin form; its authority replaces Host (RFC 9112, 3.2.2)."""
    if method == b"CONNECT":
        raise RequestRefused(501, "CONNECT not supported")
    if target == b"*" and method == b"OPTIONS":
        return target
    absolute = _ABSOLUTE(target)
    if absolute is None:
        raise RequestRefused(400, "Request target invalid")
    authority, rest = absolute.groups()
    named = [(name, authority if name.lower() == b"host" else value) for name, value in headers.pairs]
    if not headers.all(b"host"):
        named.insert(0, (b"Host", authority))
    headers.pairs[:] = named
    headers.by_name[b"host"] = authority
    return rest if rest.startswith(b"/") else b"/" + rest


def _refusal(error: httptools.HttpParserError, data: bytes) -> RequestRefused:
    """What to answer to bytes that llhttp does not take."""
    text = str(error)
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        if _METHOD_TOKEN(data):
            return RequestRefused(501, "Method not implemented")
        return RequestRefused(400, "Bad Request")
    if "HTTP version" in text or "PRI" in text:
        return RequestRefused(505, "HTTP Version Not Supported")
    return RequestRefused(400, "Bad Request")
