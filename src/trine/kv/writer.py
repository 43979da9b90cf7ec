"""The thread that waits for the disk, so that the event loop does not.

In: blocking calls, one after the other. Out: their outcome, told on the event loop.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from trine.kv.errors import StoreError

Done = Callable[[Exception | None], None]


class Writer:
    """One daemon thread; `close` ends it after the calls it was given."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], None], Done, AbstractEventLoop] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[], None], done: Done) -> None:
        """Run `call` in the thread; then `done(None)` or `done(error)` on the running event loop."""
        self._calls.put((call, done, asyncio.get_running_loop()))

    def _run(self) -> None:
        while (entry := self._calls.get()) is not None:
            call, done, loop = entry
            error: Exception | None = None
            try:
                call()
            except StoreError as known:
                error = known
            except Exception as unknown:  # the thread must survive; the callers are told
                error = StoreError(f"writing failed: {unknown!r}")
                error.__cause__ = unknown
            if not loop.is_closed():  # a closed loop has nobody left to tell
                loop.call_soon_threadsafe(done, error)

    def close(self) -> None:
        """Wait for the calls given so far and end the thread."""
        self._calls.put(None)
        self._thread.join()
