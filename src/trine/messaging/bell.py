"""Who waits for a queue's messages, and what wakes them: one that arrives, or a hidden one that comes back.

Enters a queue and the clock; rings the listeners. It looks for the next return only while somebody listens.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable

from trine.clock import Clock, Timer
from trine.messaging.queue import Queue


class Bell:
    """The bell of one queue; used from one event loop."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue, self._clock = queue, clock
        self._listeners: list[Callable[[], None]] = []
        self._timer: Timer | None = None

    def ring(self) -> None:
        """A message may have become visible."""
        for listener in list(self._listeners):
            listener()

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever it rings; the answer ends that."""
        self._listeners.append(wake)
        self.look_ahead()
        return lambda: self._listeners.remove(wake) if wake in self._listeners else None

    async def wait(self, seconds: float) -> None:
        """Until it rings, or for `seconds` by the clock."""
        woken: Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        timer = self._clock.call_later(seconds, wake)
        stop = self.watch(wake)
        try:
            await woken
        finally:
            timer.cancel()
            stop()

    def look_ahead(self) -> None:
        """Hidden messages have changed: ring when the next one comes back, if anyone listens."""
        self.hush()
        due = self._queue.next_return() if self._listeners else None
        if due is not None:
            self._timer = self._clock.call_later(max(0.0, due - self._clock.now()), self._returned)

    def hush(self) -> None:
        """Wait for no return any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _returned(self) -> None:
        self._timer = None
        self._queue.release(self._clock.now())
        self.ring()
        self.look_ahead()
