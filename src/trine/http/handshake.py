"""The opening handshake of a WebSocket, checked by the `websockets` package: a request in, the lines of a 101 out.

Loaded with the first WebSocket: the package costs a server that has none neither start-up time nor memory.
"""

from __future__ import annotations

from typing import NamedTuple

from websockets.datastructures import Headers
from websockets.http11 import Request as Opening
from websockets.server import ServerProtocol

from trine.http.errors import RequestRefused
from trine.http.message import Request

REFUSALS = {400: "Bad Request", 405: "Method Not Allowed", 426: "Upgrade Required", 505: "HTTP Version Not Supported"}


class Handshake(NamedTuple):
    """A valid opening."""

    head: bytes
    """The header lines that accept it."""
    subprotocols: tuple[str, ...]
    """What the client offers, in its order of preference."""


def open_handshake(request: Request) -> Handshake:
    """Check an opening request (RFC 6455, 4.2.1). RequestRefused (400, 405, 426, 505) when it is none."""
    if request.method != "GET":
        raise RequestRefused(405, REFUSALS[405])
    if request.body:
        raise RequestRefused(400, "A WebSocket handshake has no body")
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.pairs]
    answer = ServerProtocol().accept(Opening(request.target.decode("latin-1"), Headers(pairs)))
    if answer.status_code != 101:
        status = answer.status_code if answer.status_code in REFUSALS else 400
        raise RequestRefused(status, REFUSALS[status])
    accept = answer.headers["Sec-WebSocket-Accept"].encode("latin-1")
    head = b"upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: " + accept + b"\r\n"
    offered = ",".join(value for name, value in pairs if name.lower() == "sec-websocket-protocol")
    return Handshake(head, tuple(part for text in offered.split(",") if (part := text.strip())))
