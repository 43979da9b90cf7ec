"""HTTP messages of the Runtime API over one inherited Unix socket: written whole, read with no more than is needed.

The peer is the environment's owner and nobody else, so the messages are plain HTTP/1.1 with a content length. An
answer and the wish for the next event go out in one write (pipelining); both answers come back in one read.
"""

from __future__ import annotations

import os
import socket
import time

API = "/2018-06-01/runtime"
NEXT = f"GET {API}/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n".encode()
_ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
"""What the owner says to every answer; in another spelling it is read as any other response."""
_CHUNK_BYTES = 262_144
_HASTY_NS = 500_000
"""After a wait as short as this the next event is looked for that long before this process sleeps."""
_MAY_LOOK = hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1
_tick = time.perf_counter_ns  # a handler that replaces `time` means its own


class LinkClosed(Exception):
    """The owner has closed the socket: the environment is to end."""


class Link:
    """One socket to the owner."""

    __slots__ = ("_buffer", "_is_hasty", "_receive", "send")

    def __init__(self, connection: socket.socket) -> None:
        self._receive = connection.recv
        self.send = connection.sendall
        self._buffer = b""
        self._is_hasty = False

    def read(self) -> tuple[int, dict[str, str], bytes]:
        """The next response: status, headers (names in lower case), body. Raises LinkClosed at its end."""
        buffer = self._buffer
        while (end := buffer.find(b"\r\n\r\n")) < 0:
            buffer += self._more()
        lines = buffer[:end].decode("utf-8", "replace").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        start = end + 4
        length = int(headers.get("content-length", "0"))
        missing = start + length - len(buffer)
        if missing > 0:
            parts = [buffer]
            while missing > 0:
                part = self._more()
                parts.append(part)
                missing -= len(part)
            buffer = b"".join(parts)
        stop = start + length
        self._buffer = buffer[stop:]
        return int(lines[0][9:12]), headers, buffer[start:stop]

    def skip(self) -> None:
        """Pass over the next response: the acknowledgement of an answer. It comes in one read with the next event,
        which reading it would only delay."""
        if not self._buffer:
            self._buffer = self._more()
        if self._buffer.startswith(_ACCEPTED):
            self._buffer = self._buffer[len(_ACCEPTED) :]
        else:
            self.read()

    def _more(self) -> bytes:
        began_ns = _tick()
        data = self._look(began_ns) if self._is_hasty else None
        if data is None:
            data = self._receive(_CHUNK_BYTES)
        self._is_hasty = _MAY_LOOK and _tick() - began_ns < _HASTY_NS
        if not data:
            raise LinkClosed
        return data

    def _look(self, began_ns: int) -> bytes | None:
        """What comes within half a millisecond, without going to sleep; None when nothing does.

        To be woken from another processor costs both sides more than that much looking, and the last wait was short. So
        it is done while events come thick and fast, and never by a function that is idle.
        """
        while _tick() - began_ns < _HASTY_NS:
            try:
                return self._receive(_CHUNK_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                os.sched_yield()  # whoever else wants this processor goes first
        return None


def response(request_id: str, body: bytes, content_type: bytes = b"application/json") -> bytes:
    """POST of an invocation's result, followed by the wish for the next event."""
    return (
        b"POST /2018-06-01/runtime/invocation/%b/response HTTP/1.1\r\n"
        b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n%b%b"
        % (
            request_id.encode(),
            content_type,
            len(body),
            body,
            NEXT,
        )
    )


def error(request_id: str | None, body: bytes, error_type: str) -> bytes:
    """POST of an invocation's error followed by the wish for the next event; of an init error when no id is given."""
    target = f"{API}/init/error" if request_id is None else f"{API}/invocation/{request_id}/error"
    kind = "".join(c for c in error_type if " " <= c < "\x7f")[:512]
    head = (
        f"POST {target} HTTP/1.1\r\nContent-Type: application/json\r\n"
        f"Lambda-Runtime-Function-Error-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body + (b"" if request_id is None else NEXT)
