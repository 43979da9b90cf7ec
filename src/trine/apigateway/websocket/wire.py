"""Between a `WebSocket`, which knows no AWS, and the corridor: what a connection hears goes to `Sockets`.

Also the words for endings that have none: AWS's where they were seen in recorded events, else RFC 6455's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from trine.apigateway.websocket.connections import Connection, Connections

REASONS = {
    1000: "Normal closure",
    1001: "Going away",
    1005: "Client-side close frame status not set",
    1006: "Connection closed abnormally",
}
"""`disconnectReason` where the close frame gives none. That of 1005 is AWS's; the others are not confirmed."""


class Corridor(Protocol):
    """What a connection's life is told to."""

    @property
    def connections(self) -> Connections:
        """All that are open."""

    def receive(self, connection: Connection, text: str, done: Callable[[], None]) -> None:
        """A message has come; call `done` when it is worked off."""

    def ended(self, connection: Connection, code: int, reason: str) -> None:
        """It is over."""


class Wire:
    """The listener of one connection."""

    __slots__ = ("_connection", "_sockets")

    def __init__(self, sockets: Corridor, connection: Connection) -> None:
        self._sockets, self._connection = sockets, connection

    def on_open(self) -> None:
        """The client has its 101."""
        self._sockets.connections.add(self._connection)

    def on_message(self, text: str, done: Callable[[], None]) -> None:
        """A message has come."""
        self._sockets.receive(self._connection, text, done)

    def on_close(self, code: int, reason: str) -> None:
        """The connection is over."""
        self._sockets.ended(self._connection, code, reason or REASONS.get(code, ""))
