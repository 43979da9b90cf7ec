"""The network of an environment that has one of its own, as the server holds it: doors, resolvers, and tries in vain.

Enters the sockets that the environment's first process made there (`bootstrap/network.py`). The doors are handed to
whoever answers behind them (the stack's ports, the Runtime API), questions of names to the machine's own resolvers, and
what was sent where nothing leads is told, within a bound for each invocation. `close` ends all of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from trine.awslambda.environments.resolver import Resolver
from trine.clock import Clock, Timer
from trine.iam.principal import Session
from trine.trace import Trace

RUNTIME_PORT = 9001
"""Where Lambda's Runtime API listens within an environment."""
TRIES_TOLD_MAX = 20
"""Tries of one invocation that its trace tells."""
_PACKETS_A_SECOND = 200
"""A function that sends more in vain is not listened to until the second is over."""
_PACKET_BYTES = 128
_PROTOCOLS = {6: "tcp", 17: "udp"}
_RESOLV_CONF = Path("/etc/resolv.conf")
_RESOLVERS_MAX = 3
"""As many as a resolver library reads of that file."""


class Attempt(NamedTuple):
    """One try to reach something: `tcp` or `udp`, the address and the port."""

    protocol: str
    host: str
    port: int


class Doors(Protocol):
    """What stands behind the doors that an environment may knock at: the stack's own ports."""

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """(host, port) of each, as functions call them."""

    def open(self, number: int, listening: socket.socket, session: Session) -> Awaitable[Callable[[], Awaitable[None]]]:
        """Answer on `listening`, a copy of door `number` in the network of `session`'s environment; what ends that."""

    def tried(self, session: Session, attempt: Attempt) -> None:
        """The environment tried to reach what its network has no way to."""


class NetworkPlan(Struct, frozen=True):
    """What the environment's first process lays out."""

    address: str
    """Of the environment's interface: one of its subnet."""
    doors: tuple[tuple[str, int], ...]
    resolvers: tuple[str, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """As the zygote reads it."""
        return {"address": self.address, "doors": [list(door) for door in self.doors], "resolvers": self.resolvers}


class OwnNetwork:
    """One environment's network. `serve_runtime` answers on the Runtime API's door, for runtimes that need one."""

    def __init__(
        self,
        doors: Doors,
        session: Session,
        clock: Clock,
        keep: Callable[[Coroutine[Any, Any, None]], None],
        serve_runtime: Callable[[socket.socket], Awaitable[asyncio.Server]] | None,
    ) -> None:
        assert session.placement is not None
        self._doors, self._session, self._clock, self._keep = doors, session, clock, keep
        self._serve_runtime = serve_runtime
        called = tuple(doors.addresses)
        port = RUNTIME_PORT
        while any(taken == port for _, taken in called):
            port += 1
        self.runtime_address = f"127.0.0.1:{port}"
        """`AWS_LAMBDA_RUNTIME_API` within."""
        runtime = () if serve_runtime is None else (("127.0.0.1", port),)
        self.plan = NetworkPlan(session.placement.address, (*called, *runtime), machine_resolvers())
        self._endings: list[Callable[[], Awaitable[None]]] = []
        self._watch: _Watch | None = None
        self._closed = False

    def opened(self, sockets: list[socket.socket]) -> None:
        """The environment's first process has made its sockets."""
        for each in sockets:
            each.setblocking(False)
        if self._closed:
            for each in sockets:
                each.close()
            return
        self._watch = _Watch(sockets.pop(), self._clock, self._session, self._doors.tried)
        self._keep(self._serve(sockets))

    async def _serve(self, sockets: list[socket.socket]) -> None:
        count = len(self._doors.addresses)
        for number, listening in enumerate(sockets[:count]):
            self._endings.append(await self._doors.open(number, listening, self._session))
        rest = sockets[count:]
        if self._serve_runtime is not None:
            server = await self._serve_runtime(rest.pop(0))
            self._endings.append(_ending(server))
        for host, asked in zip(self.plan.resolvers, rest, strict=True):
            self._endings.append(await Resolver.answer(asked, (host, 53), self._clock))
        if self._closed:
            await self._end()

    def heed(self) -> None:
        """Tell now what was tried until now."""
        if self._watch is not None:
            self._watch.read()

    def close(self) -> None:
        """Let go of everything; the environment has ended."""
        self._closed = True
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._keep(self._end())

    async def _end(self) -> None:
        endings, self._endings = self._endings, []
        for end in endings:
            await end()


def _ending(server: asyncio.Server) -> Callable[[], Awaitable[None]]:
    async def end() -> None:
        server.close()

    return end


class _Watch:
    """Reads what the environment sent in vain, and tells each try once in an invocation."""

    def __init__(
        self, packets: socket.socket, clock: Clock, session: Session, tell: Callable[[Session, Attempt], None]
    ) -> None:
        self._packets, self._clock, self._session, self._tell = packets, clock, session, tell
        self._told: set[Attempt] = set()
        self._trace: Trace | None = None
        self._left = _PACKETS_A_SECOND
        self._refill: Timer | None = None
        asyncio.get_running_loop().add_reader(packets.fileno(), self.read)

    def read(self) -> None:
        """Read what waits, and tell it."""
        with contextlib.suppress(BlockingIOError, OSError):
            while self._left > 0:
                packet = self._packets.recv(_PACKET_BYTES)
                self._left -= 1
                attempt = attempt_of(packet)
                if attempt is not None:
                    self._note(attempt)
        if self._refill is None:
            self._refill = self._clock.call_later(1.0, self._again)
        if self._left <= 0:
            asyncio.get_running_loop().remove_reader(self._packets.fileno())

    def _again(self) -> None:
        self._refill = None
        if self._left <= 0:
            asyncio.get_running_loop().add_reader(self._packets.fileno(), self.read)
        self._left = _PACKETS_A_SECOND

    def _note(self, attempt: Attempt) -> None:
        if self._session.trace is not self._trace:
            self._trace = self._session.trace
            self._told.clear()
        if attempt not in self._told and len(self._told) < TRIES_TOLD_MAX:
            self._told.add(attempt)
            self._tell(self._session, attempt)

    def close(self) -> None:
        """Read no more."""
        if self._refill is not None:
            self._refill.cancel()
        asyncio.get_running_loop().remove_reader(self._packets.fileno())
        self._packets.close()


def attempt_of(packet: bytes) -> Attempt | None:
    """Where an IPv4 packet was to go; None when it is none that can be read."""
    header = (packet[0] & 15) * 4 if packet else 0
    protocol = _PROTOCOLS.get(packet[9]) if len(packet) >= header + 4 and header >= 20 else None
    if protocol is None:
        return None
    return Attempt(protocol, socket.inet_ntoa(packet[16:20]), int.from_bytes(packet[header + 2 : header + 4], "big"))


def machine_resolvers(file: Path = _RESOLV_CONF) -> tuple[str, ...]:
    """IPv4 addresses of the machine's own resolvers, by resolv.conf(5)."""
    found: list[str] = []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in file.read_text(encoding="ascii").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                with contextlib.suppress(OSError):
                    socket.inet_aton(words[1])
                    found.append(words[1])
    return tuple(dict.fromkeys(found[:_RESOLVERS_MAX]))
