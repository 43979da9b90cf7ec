"""The messages of AWS's Runtime API, version 2018-06-01: bytes of a runtime in, calls out; answers as bytes.

No sockets and no state of an invocation: `Reader` cuts a byte stream into calls, the builders make the answers. The
path of our own guests (content length, whole message in one read) is kept short; chunked bodies and
`Expect: 100-continue` of other runtimes take the longer one.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

import orjson

from trine.awslambda import limits

PREFIX = b"/2018-06-01/runtime/"
_INVOCATION = b"/2018-06-01/runtime/invocation/"
_EXTENSION = b"/2020-01-01/extension/"
_EXTENSION_CALLS = {b"register": b"POST", b"event/next": b"GET", b"init/error": b"POST", b"exit/error": b"POST"}
_SUBSCRIPTIONS = {b"/2022-07-01/telemetry": "extension/telemetry", b"/2020-08-15/logs": "extension/logs"}
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*(?=\r\n|$)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_ERROR_TYPE = re.compile(rb"\r\nlambda-runtime-function-error-type:[ \t]*([^\r\n]*)", re.IGNORECASE)
_ERROR_BODY = re.compile(rb"\r\nlambda-runtime-function-error-body:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CONTENT_TYPE = re.compile(rb"\r\ncontent-type:[ \t]*([^\r\n]*)", re.IGNORECASE)
_RESPONSE_MODE = re.compile(rb"\r\nlambda-runtime-function-response-mode:[ \t]*streaming", re.IGNORECASE)
_HEX = re.compile(rb"[0-9A-Fa-f]{1,8}").fullmatch
_CHUNK_LINE_MAX_BYTES = 1_024

SUBSCRIBED = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n"OK"'
ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
HASTE_HEADER = b"Trine-Haste: 1\r\n"
"""Tells a guest that its answer is waited for on the spot and the next event will follow soon. No header of AWS's."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class MalformedMessage(Exception):
    """What came is no HTTP message of this API; the connection cannot be used any more."""


class Call(NamedTuple):
    """One call of a runtime. `kind` is `next`, `response`, `error`, `init_error` or `unknown`.

    A streamed response comes as `stream` (its head), any number of `part`, and `stream_end` (`head` are its trailers).
    """

    kind: str
    request_id: str
    head: bytes
    body: bytes
    dropped_bytes: int = 0
    """Length of a body that was too long to be kept."""

    @property
    def size_bytes(self) -> int:
        """How long the body was."""
        return self.dropped_bytes or len(self.body)

    @property
    def error_type(self) -> str | None:
        """`Lambda-Runtime-Function-Error-Type`, when it was sent."""
        found = _ERROR_TYPE.search(self.head)
        return found[1].decode("latin-1").strip() if found else None

    @property
    def error_body(self) -> bytes:
        """`Lambda-Runtime-Function-Error-Body` of a stream's trailers, decoded; without it the error type alone."""
        found = _ERROR_BODY.search(self.head)
        try:
            return base64.b64decode(found[1] if found else b"", validate=True) or _error_document(self.error_type or "")
        except binascii.Error:
            return _error_document(self.error_type or "")

    @property
    def content_type(self) -> str:
        """`Content-Type` of the message."""
        found = _CONTENT_TYPE.search(self.head)
        return found[1].decode("latin-1").strip() if found else "application/octet-stream"


_USUAL = re.compile(
    rb"POST /2018-06-01/runtime/invocation/([-0-9a-f]{36})/response HTTP/1\.1\r\n"
    rb"Content-Type: application/json\r\nContent-Length: (\d{1,9})\r\n\r\n"
).match
_GUEST_NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n"
_NEXT_BYTES = len(_GUEST_NEXT)


def usual_answer(data: bytes) -> tuple[str, bytes] | None:
    """(request id, payload) of the usual write of our own guests: a response and the wish for the next event, whole.

    None for everything else, which `Reader` reads.
    """
    found = _USUAL(data)
    if found is None:
        return None
    start, stop = found.end(), len(data) - _NEXT_BYTES
    if start + int(found[2]) != stop or not data.endswith(_GUEST_NEXT):
        return None
    return found[1].decode("latin-1"), data[start:stop]


class Reader:
    """Cuts what a runtime sends into calls."""

    __slots__ = ("_buffer", "_chunk_left", "_dropped", "_streaming", "_to_drop", "_wanted", "continue_wanted")

    def __init__(self) -> None:
        self._buffer = b""
        self._streaming = False
        self._chunk_left = 0
        self._wanted = 0
        self._to_drop = 0
        self._dropped: Call | None = None
        self.continue_wanted = False
        """A body is held back until `100 Continue` is sent; whoever sends it sets this to False."""

    @property
    def is_between(self) -> bool:
        """What comes next is the beginning of a call."""
        return not self._buffer and not self._streaming and self._dropped is None

    def feed(self, data: bytes) -> list[Call]:
        """The calls that `data` completes. Raises MalformedMessage."""
        calls: list[Call] = []
        if self._dropped is not None:
            taken = min(len(data), self._to_drop)
            self._to_drop -= taken
            data = data[taken:]
            if self._to_drop:
                return []
            calls.append(self._dropped)
            self._dropped = None
        buffer = self._buffer + data if self._buffer else data
        if len(buffer) < self._wanted:  # a large body still arriving: nothing to look at yet
            self._buffer = buffer
            return calls
        at = 0
        while at < len(buffer):
            if self._streaming:
                at = self._stream(buffer, at, calls)
                if self._streaming:
                    break
                continue
            found = self._call(buffer, at)
            if found is None:
                break
            call, at = found
            self._wanted = 0
            if call.dropped_bytes and at > len(buffer):
                self._dropped, self._to_drop, self._buffer = call, at - len(buffer), b""
                return calls
            calls.append(call)
            if call.kind == "stream":
                self._streaming = True
        self._buffer = buffer[at:]
        if self._wanted:
            self._wanted -= at
        return calls

    def _stream(self, buffer: bytes, at: int, calls: list[Call]) -> int:
        """Pieces of a streamed response as they come, whole chunks or not; where the rest begins."""
        while at < len(buffer):
            if self._chunk_left > 2:  # data is left, and the line end behind it
                data = buffer[at : at + self._chunk_left - 2]
                calls.append(Call("part", "", b"", data))
                at += len(data)
                self._chunk_left -= len(data)
                continue
            start = at + self._chunk_left
            if start > len(buffer):
                return at
            if buffer[at:start] != b"\r\n"[: self._chunk_left]:
                raise MalformedMessage("no line end behind a chunk")
            end = buffer.find(b"\r\n", start)
            if end < 0:
                if len(buffer) - start > _CHUNK_LINE_MAX_BYTES:
                    raise MalformedMessage("no chunk size")
                return at
            size = _chunk_size(buffer[start:end])
            if size:
                at, self._chunk_left = end + 2, size + 2
                continue
            stop = buffer.find(b"\r\n\r\n", end)  # the trailers, if any, and the empty line that ends them
            if stop < 0:
                if len(buffer) - start > limits.RUNTIME_HEAD_MAX_BYTES:
                    raise MalformedMessage("trailers too long")
                return at
            calls.append(Call("stream_end", "", buffer[end:stop], b""))
            self._streaming, self._chunk_left = False, 0
            return stop + 4
        return at

    def _call(self, buffer: bytes, at: int) -> tuple[Call, int] | None:
        end = buffer.find(b"\r\n\r\n", at)
        if end < 0:
            if len(buffer) - at > limits.RUNTIME_HEAD_MAX_BYTES:
                raise MalformedMessage("head too long")
            return None
        head = buffer[at:end]
        start = end + 4
        length = _LENGTH.search(head)
        if length is not None:
            stop = start + int(length[1])
            if stop - start > limits.RUNTIME_BODY_MAX_BYTES:
                # Read to its end and thrown away, so that the runtime can be told.
                return _classify(head, b"")._replace(dropped_bytes=stop - start), stop
            if stop > len(buffer):
                self._wanted = stop
                if _EXPECT.search(head) is not None and start == len(buffer):
                    self.continue_wanted = True
                return None
            body = buffer[start:stop]
        elif _CHUNKED.search(head) is not None:
            if _RESPONSE_MODE.search(head) is not None and (call := _classify(head, b"")).kind == "response":
                if _EXPECT.search(head) is not None and start == len(buffer):
                    self.continue_wanted = True
                return call._replace(kind="stream"), start
            chunked = _dechunk(buffer, start)
            if chunked is None:
                if len(buffer) - start > limits.RUNTIME_BODY_MAX_BYTES:
                    raise MalformedMessage("body too long")
                if _EXPECT.search(head) is not None and start == len(buffer):
                    self.continue_wanted = True
                return None
            body, stop = chunked
        else:
            body, stop = b"", start
        return _classify(head, body), stop


def _classify(head: bytes, body: bytes) -> Call:
    line = head.partition(b"\r\n")[0].split(b" ")
    if len(line) != 3:
        raise MalformedMessage("no request line")
    method, target = line[0], line[1]
    if target.startswith(_INVOCATION):
        request_id, _, what = target[len(_INVOCATION) :].decode("latin-1").partition("/")
        if method == b"POST" and what in ("response", "error"):
            return Call(what, request_id, head, body)
        if method == b"GET" and request_id == "next" and not what:
            return Call("next", "", head, body)
    elif target.startswith(_EXTENSION) and method == _EXTENSION_CALLS.get(target[len(_EXTENSION) :]):
        return Call(f"extension/{target[len(_EXTENSION) :].decode()}", "", head, body)
    elif method == b"PUT" and target in _SUBSCRIPTIONS:
        return Call(_SUBSCRIPTIONS[target], "", head, body)
    elif method == b"POST" and target == PREFIX + b"init/error":
        return Call("init_error", "", head, body)
    return Call("unknown", "", head, body)


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not _HEX(digits):
        raise MalformedMessage("no chunk size")
    size = int(digits, 16)
    if size > limits.RUNTIME_BODY_MAX_BYTES:
        raise MalformedMessage("chunk too long")
    return size


def _error_document(error_type: str) -> bytes:
    return orjson.dumps({"errorType": error_type, "errorMessage": ""})


def _dechunk(buffer: bytes, at: int) -> tuple[bytes, int] | None:
    parts: list[bytes] = []
    while True:
        end = buffer.find(b"\r\n", at)
        if end < 0:
            return None
        size = _chunk_size(buffer[at:end])
        start = end + 2
        if size == 0:
            # Trailers end with an empty line; streaming runtimes report a late error in them.
            stop = buffer.find(b"\r\n", start)
            while stop > start:
                start = stop + 2
                stop = buffer.find(b"\r\n", start)
            return None if stop < 0 else (b"".join(parts), stop + 2)
        if len(buffer) < start + size + 2:
            return None
        parts.append(buffer[start : start + size])
        at = start + size + 2


def refusal(status: int, error_type: str, message: str) -> bytes:
    """An error answer of the Runtime API: 400, 403, 404 or 413."""
    reason = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 413: "Request Entity Too Large"}[status]
    body = orjson.dumps({"errorMessage": message, "errorType": error_type})
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def event_head(
    fixed: bytes, request_id: str, deadline_ms: int, trace_header: str, client_context: bytes | None, size_bytes: int
) -> bytes:
    """The head of the answer to `next`. `fixed` are the header lines that never change in an environment."""
    context = b"" if client_context is None else b"Lambda-Runtime-Client-Context: %b\r\n" % client_context
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bLambda-Runtime-Aws-Request-Id: %b\r\n"
        b"Lambda-Runtime-Deadline-Ms: %d\r\nLambda-Runtime-Trace-Id: %b\r\n%bContent-Length: %d\r\n\r\n"
    ) % (fixed, request_id.encode(), deadline_ms, trace_header.encode(), context, size_bytes)
