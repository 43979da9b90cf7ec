"""Names for a network without a way out: a VPC's resolver answers there too, so names are found and nothing is reached.

Enters datagrams on a socket within the network; each goes to the machine's resolver from a socket of its own and its
answer comes back. Bounded: so many questions at a time, so long for each; more are dropped, as resolvers do.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import cast

from trine.clock import Clock, Timer

QUESTIONS_MAX = 64
PATIENCE_SECONDS = 5.0
"""A resolver library has asked anew by then."""
Address = tuple[str, int]


class Resolver(asyncio.DatagramProtocol):
    """Answers on one socket."""

    def __init__(self, upstream: Address, clock: Clock) -> None:
        self._upstream, self._clock = upstream, clock
        self._questions: set[_Question] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._inside: asyncio.DatagramTransport | None = None

    @classmethod
    async def answer(cls, inside: socket.socket, upstream: Address, clock: Clock) -> Callable[[], Awaitable[None]]:
        """Answer questions on `inside` with what `upstream` says, until what is returned is called."""
        resolver = cls(upstream, clock)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: resolver, sock=inside)
        return resolver.close

    @property
    def open_questions(self) -> int:
        """Questions whose answers are awaited."""
        return len(self._questions)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._inside = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self._tasks) + len(self._questions) < QUESTIONS_MAX:
            task = asyncio.get_running_loop().create_task(self._ask(data, addr))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask(self, data: bytes, asker: Address) -> None:
        question = _Question(data, lambda answer: self._reply(answer, asker), self._questions, self._clock)
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: question, remote_addr=self._upstream)
        except OSError:  # the machine is in no network: nobody answers
            return

    def _reply(self, answer: bytes, asker: Address) -> None:
        if self._inside is not None:
            self._inside.sendto(answer, asker)

    async def close(self) -> None:
        """Answer no more."""
        for task in tuple(self._tasks):
            task.cancel()
        for question in tuple(self._questions):
            question.end()
        if self._inside is not None:
            self._inside.close()
            self._inside = None


class _Question(asyncio.DatagramProtocol):
    """One question on its way; among `open` as long as its answer is awaited."""

    def __init__(self, data: bytes, on_answer: Callable[[bytes], None], opened: set[_Question], clock: Clock) -> None:
        self._data, self._on_answer, self._opened = data, on_answer, opened
        self._timer: Timer = clock.call_later(PATIENCE_SECONDS, self.end)
        self._transport: asyncio.DatagramTransport | None = None
        opened.add(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        if self not in self._opened:  # ended while its socket was made
            self._transport.close()
            return
        self._transport.sendto(self._data)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._on_answer(data)
        self.end()

    def error_received(self, exc: Exception) -> None:
        self.end()

    def end(self) -> None:
        """Wait no longer."""
        self._timer.cancel()
        self._opened.discard(self)
        if self._transport is not None:
            self._transport.close()
