"""Heads like one that was read before: a client says nearly the same in front of each of its requests.

The head of a request that the parser has read enters, a `KnownHead` leaves. It recognises heads that are, byte for
byte, that one, but for the values of a few headers, which must be as long as they were and hold nothing but letters,
digits and `-`: to the parser all of these are the same head. So what it was found to mean still holds, and 1.7 KB need
not go through the parser's states and callbacks. Requests without a body may differ in the first line as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from struct import Struct

from trine.http.message import Headers, Request

HEADS_MAX_COUNT = 8
"""Heads that are remembered of one connection: lengths differ by operation and by the digits of content-length."""
HEAD_MAX_BYTES = 4096
"""Longer heads are not remembered: ten thousand connections must not fill the memory with them."""
CREDIT_COUNT = 64
"""What a connection has to lose, where a head that was met again wins 1 and one that was not loses 4: a client whose
heads are never alike pays for the attempt no longer."""
_LOSS_COUNT = 4

_LENGTH = b"content-length"
_FRAMING = frozenset((_LENGTH, b"transfer-encoding", b"upgrade", b"expect"))
"""A head that has none of them is a whole request."""
_KEEP_ALIVE = b"keep-alive"
_CHANGING = frozenset((_LENGTH, b"x-amz-date", b"amz-sdk-invocation-id"))
_SIGNATURE = b"Signature="
_SIGNATURE_CHARACTERS = 64


class KnownHead:
    """One head, and what is looked at to tell others like it."""

    __slots__ = ("befores", "by_name", "keys", "length_at", "literals", "method", "spelled", "target", "unpack")

    def __init__(self, head: bytes, request: Request, changing: list[tuple[int, int, bytes]]) -> None:
        """`changing`: number of the header, where its changing part begins in `head`, that part."""
        pairs = request.headers.pairs
        self.method, self.target = request.method, request.target
        self.by_name = Headers(pairs).by_name
        self.spelled = [name for name, _ in pairs]
        self.keys = [self.spelled[number].lower() for number, _, _ in changing]
        """The names of headers with changing parts, to look up."""
        self.befores = [pairs[number][1][: -len(part)] for number, _, part in changing]
        """What stands before the changing part in the value."""
        layout, at = [], 0
        for _, start, part in changing:
            layout += [start - at, len(part)]
            at = start + len(part)
        self.length_at = self.keys.index(_LENGTH)
        self.unpack: Callable[[bytes], tuple[bytes, ...]]
        """All pieces of a head in one call of C: every other one has to be what it was, and is in `literals`."""
        self.unpack = Struct("".join([f"{size}s" for size in (*layout, len(head) - at)])).unpack_from
        self.literals = self.unpack(head)[::2]


def known_head(head: bytes, request: Request) -> KnownHead | None:
    """What recognises heads like `head`, of which `request` was made; None where it is not of the usual kind."""
    headers = request.headers
    pairs, by_name = headers.pairs, headers.by_name
    lines = head.split(b"\r\n")
    if (
        len(lines) != len(pairs) + 3  # the request line, and two ends: of the last line and of the empty one
        or headers.repeats
        or not by_name.get(_LENGTH)
        or b"upgrade" in by_name
        or b"expect" in by_name
        or request.version != "1.1"
        or lines[0] != b"%b %b HTTP/1.1" % (request.method.encode(), request.target)
    ):
        return None
    changing = []
    end = len(lines[0])
    for number, ((name, value), line) in enumerate(zip(pairs, lines[1:-2], strict=True)):
        end += 2 + len(line)
        if not line.startswith(name + b":") or not line.endswith(value):
            return None
        part = _changing_part(name.lower(), value)
        if part:
            changing.append((number, end - len(part), part))
    return KnownHead(head, request, changing)


def _changing_part(name: bytes, value: bytes) -> bytes:
    """The end of a header's value that may be another one next time; empty where nothing may."""
    if name in _CHANGING:
        return value
    if name == b"x-amz-target":
        return value.rpartition(b".")[2]
    signature = value[-_SIGNATURE_CHARACTERS:]
    if name == b"authorization" and value[: -len(signature)].endswith(_SIGNATURE):
        return signature
    return b""


_LINE = re.compile(rb"(GET|HEAD|DELETE|OPTIONS) (/[A-Za-z0-9._~/?=&%:@!$'()*+,;-]*) HTTP/1\.1").fullmatch
"""Request lines that no parser sees two ways."""
SURE_BYTES = 4096


class KnownHeads:
    """The heads of one connection: of requests with JSON objects by their length, of those without a body by all that
    follows their first line.

    Where the first brace is, the body begins. (It takes 0.1 µs to find, an empty line 0.8; a head with a brace in it
    is never learned.)
    """

    __slots__ = ("_credit", "_heads", "_peer_host", "_peer_port", "_rests", "_sure_bytes")

    def __init__(self, peer: tuple[str, int], sure_bytes: int = SURE_BYTES) -> None:
        """`sure_bytes`: nothing in so much can be too long."""
        self._peer_host, self._peer_port = peer
        self._sure_bytes = sure_bytes
        self._heads: dict[int, KnownHead] = {}
        self._rests: dict[bytes, Headers] = {}
        """What follows the first line of a request without a body, and the headers that are in it."""
        self._credit = CREDIT_COUNT

    def read(self, data: bytes) -> Request | None:
        """The request in `data`, where that is one whole request with a head like one that was read before."""
        end = data.find(b"{")
        known = self._heads.get(end)
        if known is None:
            return self._read_bodiless(data) if end < 0 and self._rests else None
        pieces = known.unpack(data)
        parts = pieces[1::2]
        if (
            pieces[::2] != known.literals
            or parts[known.length_at] != b"%d" % (len(data) - end)
            or not b"".join(parts).replace(b"-", b"").isalnum()
        ):
            return None
        self._credit += 1
        by_name = known.by_name.copy()
        for key, before, part in zip(known.keys, known.befores, parts):  # noqa: B905 (as many, by the layout)
            by_name[key] = before + part
        headers = Headers((), by_name, known.spelled)
        return Request(known.method, known.target, headers, data[end:], self._peer_host, self._peer_port, "1.1", end)

    def _read_bodiless(self, data: bytes) -> Request | None:
        end = data.find(b"\r\n")
        known = self._rests.get(data[end:])
        if known is None or len(data) > self._sure_bytes:
            return None
        line = _LINE(data, 0, end)
        if line is None:
            return None
        self._credit += 1
        method, target = line.groups()
        headers = Headers(known.pairs.copy(), known.by_name.copy())
        return Request(method.decode(), target, headers, b"", self._peer_host, self._peer_port, "1.1", len(data))

    def learn(self, data: bytes, request: Request) -> None:
        """The parser has found `request`, and nothing else, in `data`."""
        size_bytes = len(data) - len(request.body)
        place = data.find(b"{")
        if self._credit <= 0 or place != (size_bytes if request.body else -1) or size_bytes > HEAD_MAX_BYTES:
            return
        self._credit = min(self._credit, CREDIT_COUNT) - _LOSS_COUNT
        if self._credit <= 0 or len(self._heads) + len(self._rests) >= HEADS_MAX_COUNT:
            self._heads.clear()
            self._rests.clear()
        if self._credit <= 0:
            return
        if not request.body:
            self._learn_bodiless(data, request)
        elif (known := known_head(data[:size_bytes], request)) is not None:
            self._heads[size_bytes] = known

    def _learn_bodiless(self, data: bytes, request: Request) -> None:
        end = data.find(b"\r\n")
        line = _LINE(data, 0, end)
        headers = request.headers
        if (
            line is not None
            and line[2] == request.target
            and _FRAMING.isdisjoint(headers.by_name)
            and headers.by_name.get(b"connection", _KEEP_ALIVE).lower() == _KEEP_ALIVE
            and data[end:].count(b"\r\n") == len(headers.pairs) + 2
        ):
            self._rests[data[end:]] = Headers(headers.pairs.copy(), headers.by_name.copy())
