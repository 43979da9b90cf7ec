"""The one clock of the house: the only module that reads the time.

Everything that expires, refills, retries, rotates or is billed receives a `Clock`. `SystemClock` is the world's;
`ManualClock` belongs to tests, which move it forward and never sleep.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Any, Protocol


class Timer(Protocol):
    """A callback that waits for its time."""

    def cancel(self) -> None:
        """Take the callback back; harmless when it has already run."""


class Clock(Protocol):
    """Wall time, monotonic time and waiting, in one place."""

    def now(self) -> float:
        """Seconds since the Unix epoch (UTC)."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never run backwards; only differences mean something."""

    def call_later(self, delay_seconds: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Run `callback(*args)` on the running event loop after `delay_seconds`."""

    def soon(self, callback: Callable[[], object]) -> None:
        """Run `callback` in the running event loop's next round, whatever the time is; now, where no loop runs."""

    def every(self, period_seconds: float, callback: Callable[[], object]) -> Timer:
        """Run `callback` once in each period, the first time after one. Ticks that were missed are made up by one."""

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""


class SystemClock:
    """The machine's time. `now` and `monotonic_ns` are the C functions themselves: no Python frame on the hot path."""

    now = staticmethod(time.time)
    monotonic_ns = staticmethod(time.perf_counter_ns)

    def call_later(self, delay_seconds: float, callback: Callable[..., object], *args: Any) -> Timer:
        return asyncio.get_running_loop().call_later(delay_seconds, callback, *args)

    def soon(self, callback: Callable[[], object]) -> None:
        _soon(callback)

    def every(self, period_seconds: float, callback: Callable[[], object]) -> Timer:
        return _Ticker(period_seconds, callback)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _soon(callback: Callable[[], object]) -> None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        callback()
    else:
        loop.call_soon(callback)


class _Ticker:
    """A timer of the event loop that starts itself anew."""

    def __init__(self, period_seconds: float, callback: Callable[[], object]) -> None:
        self._period_seconds, self._callback = period_seconds, callback
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(period_seconds, self._tick)

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._period_seconds, self._tick)
        self._callback()

    def cancel(self) -> None:
        self._timer.cancel()


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


class _ManualTimer:
    __slots__ = ("args", "callback", "cancelled", "due_ns", "order", "period_ns")

    def __init__(
        self, due_ns: int, order: int, callback: Callable[..., object], args: tuple[Any, ...] = (), period_ns: int = 0
    ) -> None:
        self.due_ns, self.order, self.callback, self.args, self.period_ns = due_ns, order, callback, args, period_ns
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def __lt__(self, other: _ManualTimer) -> bool:
        return (self.due_ns, self.order) < (other.due_ns, other.order)


_BEGIN_NS = 1_000_000_000
"""What a manual clock's monotonic time begins with: no machine's reads 0, which stands for `not yet` here and there."""


class ManualClock:
    """A clock that stands still until `advance` moves it, firing what falls due in order of time."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._start = start
        self._elapsed_ns = 0  # whole nanoseconds: sums of floats near today's epoch lose microseconds
        self._timers: list[_ManualTimer] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._start + self._elapsed_ns / 1e9

    def monotonic_ns(self) -> int:
        return _BEGIN_NS + self._elapsed_ns

    def call_later(self, delay_seconds: float, callback: Callable[..., object], *args: Any) -> Timer:
        due_ns = self._elapsed_ns + round(max(0.0, delay_seconds) * 1e9)
        timer = _ManualTimer(due_ns, next(self._order), callback, args)
        heapq.heappush(self._timers, timer)
        return timer

    def soon(self, callback: Callable[[], object]) -> None:
        _soon(callback)

    def every(self, period_seconds: float, callback: Callable[[], object]) -> Timer:
        period_ns = max(1, round(period_seconds * 1e9))
        timer = _ManualTimer(self._elapsed_ns + period_ns, next(self._order), callback, period_ns=period_ns)
        heapq.heappush(self._timers, timer)
        return timer

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Move time forward by `seconds`; callbacks that fall due run now, each at its own time."""
        target_ns = self._elapsed_ns + round(seconds * 1e9)
        while self._timers and self._timers[0].due_ns <= target_ns:
            timer = heapq.heappop(self._timers)
            if timer.cancelled:
                continue
            if timer.period_ns and timer.due_ns + timer.period_ns <= target_ns:
                # A day has 86,400 seconds, and a test moves it by in a millisecond: the last tick makes up for all.
                timer.due_ns += (target_ns - timer.due_ns) // timer.period_ns * timer.period_ns
                heapq.heappush(self._timers, timer)
                continue
            self._elapsed_ns = max(self._elapsed_ns, timer.due_ns)
            if timer.period_ns:
                timer.due_ns += timer.period_ns
                heapq.heappush(self._timers, timer)
            timer.callback(*timer.args)
        self._elapsed_ns = max(self._elapsed_ns, target_ns)
