"""The thread that waits for the disk, so that the event loop does not.

In: blocking calls, one after the other. Out: their outcome, told on the event loop.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import ClassVar

from trine.kv.errors import StoreError

SWITCH_INTERVAL_SECONDS = 1e-6
"""How long a waiting thread waits before it asks for the interpreter lock, while a call is under way.

It waits anew each time a busy loop lets go and takes it again: with Python's 5 ms, 48 durable writes/s were measured
beside 25,000 reads/s; with 100 µs 1,450; with 1 µs 6,300 beside 20,500 (docs/adr/0002-store.md).
"""

Done = Callable[[Exception | None], None]


class Writer:
    """One daemon thread; `close` ends it after the calls it was given."""

    _under_way: ClassVar[int] = 0  # calls of all writers of this process
    _usual_interval_seconds: ClassVar[float] = 0.005

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], None], Done, AbstractEventLoop] | None] = SimpleQueue()
        self._pending = 0
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[], None], done: Done) -> None:
        """Run `call` in the thread; then `done(None)` or `done(error)` on the running event loop."""
        if Writer._under_way == 0:
            Writer._usual_interval_seconds = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
        Writer._under_way += 1
        self._pending += 1
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
                loop.call_soon_threadsafe(self._told, done, error)

    def _told(self, done: Done, error: Exception | None) -> None:
        self._ended(1)
        done(error)

    def _ended(self, calls: int) -> None:
        self._pending -= calls
        Writer._under_way -= calls
        if calls and Writer._under_way == 0:
            sys.setswitchinterval(Writer._usual_interval_seconds)

    def close(self) -> None:
        """Wait for the calls given so far and end the thread."""
        self._calls.put(None)
        self._thread.join()
        self._ended(self._pending)  # those whose loop is gone were told to nobody
