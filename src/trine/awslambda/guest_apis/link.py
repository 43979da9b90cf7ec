"""The TCP listener on which other people's runtimes speak to their environment (Trine's own: `guest_link`).

Enters bytes, leaves calls to the environment and its answers to the socket. A broken message closes the connection.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import cast

from trine.awslambda.environments.environment import Environment
from trine.awslambda.guest_apis.peer import is_own
from trine.awslambda.guest_apis.runtime_api import Reader
from trine.awslambda.guest_apis.runtime_calls import hear

_LOGGER = logging.getLogger(__name__)


class RuntimeLink(asyncio.Protocol):
    """One connection of a runtime."""

    can_be_polled = False

    __slots__ = ("_before", "_environment", "_held", "_is_known", "_reader", "_transport")

    def __init__(
        self, environment: Environment, *, is_known: bool = False, before: Callable[[], None] | None = None
    ) -> None:
        self._before = before
        """Called before the runtime is heard: what its processes did until now belongs to what it was doing."""
        self._environment = environment
        self._reader = Reader()
        self._held = b""
        self._transport: asyncio.Transport | None = None
        self._is_known = is_known
        """Whether the other end is a process of this environment."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._is_known and not self._check_peer():
            return
        if self._before is not None:
            self._before()
        if not hear(self._environment, data, self._reader, self):
            self.close()

    def _check_peer(self) -> bool:
        assert self._transport is not None
        peer, own = self._transport.get_extra_info("peername"), self._transport.get_extra_info("sockname")
        supervisor_pid = self._environment.supervisor_pid
        if supervisor_pid is None or not is_own(supervisor_pid, peer[1], own[1]):
            _LOGGER.warning("a stranger knocked at the Runtime API of %s", self._environment.function.name)
            self.close()
            return False
        self._is_known = True
        return True

    def reply(self, data: bytes, *, hold: bool = False) -> None:
        """Send `data`. Held data goes out with what follows: a runtime that has asked for its next event already
        gets the acknowledgement and the event in one read."""
        if self._held:
            data = self._held + data
            self._held = b""
        if hold:
            self._held = data
        elif self._transport is not None:
            self._transport.write(data)

    def release(self) -> None:
        """Send what is held."""
        if self._held:
            self.reply(b"")

    def poll(self) -> None:
        """Nothing to do: the transport reads when the event loop comes round to it."""

    def hold_back(self, held: bool) -> None:
        """Read no more of what the runtime sends (True), or go on (False)."""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            (transport.pause_reading if held else transport.resume_reading)()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None


def open_listener() -> socket.socket:
    """A bound listener on 127.0.0.1 for a runtime that wants `AWS_LAMBDA_RUNTIME_API`."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    listener.setblocking(False)
    return listener


async def serve_listener(
    environment: Environment,
    listener: socket.socket,
    *,
    is_private: bool = False,
    before: Callable[[], None] | None = None,
) -> asyncio.Server:
    """Serve the Runtime API of one environment on its own listener; `is_private`: nobody else can reach that."""
    return await asyncio.get_running_loop().create_server(
        lambda: RuntimeLink(environment, is_known=is_private, before=before), sock=listener
    )
