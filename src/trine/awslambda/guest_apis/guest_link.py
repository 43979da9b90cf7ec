"""The socket to Trine's own clients of the Runtime API: written and read without a transport, and looked at on demand.

Enters bytes of the guest, leaves calls to the environment and its answers to the socket. It differs from `link` in what
it costs (no buffer, no turn of the event loop between an answer and the system call) and in `poll`: who expects an
answer at any moment need not wait until the event loop comes round to it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from trine.awslambda.environments.environment import Environment
from trine.awslambda.environments.lifecycle import State
from trine.awslambda.guest_apis.runtime_api import Reader, usual_answer
from trine.awslambda.guest_apis.runtime_calls import hear

_READ_BYTES = 262_144


class GuestLink:
    """The connection of one guest, from its environment's start to its end."""

    can_be_polled = True

    __slots__ = (
        "_before",
        "_environment",
        "_held",
        "_is_between",
        "_is_held_back",
        "_loop",
        "_reader",
        "_receive",
        "_send",
        "_socket",
        "_unsent",
    )

    def __init__(
        self, environment: Environment, connection: socket.socket, before: Callable[[], None] | None = None
    ) -> None:
        connection.setblocking(False)
        self._before = before
        """Called before the guest is heard: what its processes did until now belongs to what it was doing."""
        self._environment = environment
        self._reader = Reader()
        self._is_between = True
        """What the guest sends next begins a call."""
        self._held = b""
        self._is_held_back = False
        self._unsent = b""
        """What the socket did not take at once."""
        self._socket: socket.socket | None = connection
        self._receive, self._send = connection.recv, connection.send
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection.fileno(), self.poll)
        environment.connected(self)

    def poll(self) -> None:
        """Take what the guest has sent, if anything. Never blocks."""
        if self._socket is None or self._is_held_back:
            return
        try:
            data = self._receive(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if self._before is not None:
            self._before()
        if not data:
            self._lost()
            return
        if self._is_between and (usual := usual_answer(data)) is not None:
            self._environment.answered(usual[0], usual[1], self)
        elif hear(self._environment, data, self._reader, self):
            self._is_between = self._reader.is_between
        else:
            self._lost()

    def reply(self, data: bytes, *, hold: bool = False) -> None:
        """Send `data`; with `hold`, together with what is sent next."""
        if self._held:
            data = self._held + data
            self._held = b""
        if hold:
            self._held = data
        elif self._unsent:
            self._unsent += data
        elif self._socket is not None:
            try:
                sent = self._send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return  # it has ended; the end of what it sent tells
            if sent < len(data):
                self._unsent = data[sent:]
                self._loop.add_writer(self._socket.fileno(), self._send_rest)

    def release(self) -> None:
        """Send what is held."""
        if self._held:
            self.reply(b"")

    def _send_rest(self) -> None:
        assert self._socket is not None
        try:
            sent = self._send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._unsent)
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._loop.remove_writer(self._socket.fileno())

    def hold_back(self, held: bool) -> None:
        """Read no more of what the guest sends (True), or go on (False)."""
        if self._socket is not None and held is not self._is_held_back:
            self._is_held_back = held
            if held:
                self._loop.remove_reader(self._socket.fileno())
            else:
                self._loop.add_reader(self._socket.fileno(), self.poll)

    def _lost(self) -> None:
        self.close()
        if self._environment.state is not State.ENDED:
            self._environment.disconnected()

    def close(self) -> None:
        """Close the connection."""
        connection, self._socket = self._socket, None
        if connection is not None:
            self._loop.remove_reader(connection.fileno())
            self._loop.remove_writer(connection.fileno())
            connection.close()
