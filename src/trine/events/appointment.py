"""One instant that is waited for, however far away it is.

Enters a time in seconds since the epoch; calls back once when the clock has reached it, never before. A wait of days is
taken in pieces, so that a clock that is set while a machine sleeps is noticed.
"""

from __future__ import annotations

from collections.abc import Callable

from trine.clock import Clock, Timer
from trine.events import limits


class Appointment:
    """Calls `keep(due)` at the instant that was set last; needs the running event loop."""

    __slots__ = ("_clock", "_keep", "_timer")

    def __init__(self, clock: Clock, keep: Callable[[float], None]) -> None:
        self._clock, self._keep = clock, keep
        self._timer: Timer | None = None

    def set(self, due: float) -> None:
        """Wait for `due`, in place of what was waited for before."""
        self.cancel()
        left = due - self._clock.now()
        if left > limits.LOOK_AGAIN_SECONDS:
            self._timer = self._clock.call_later(limits.LOOK_AGAIN_SECONDS, self.set, due)
        else:
            self._timer = self._clock.call_later(max(0.0, left), self._reached, due)

    def cancel(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _reached(self, due: float) -> None:
        if self._clock.now() < due:  # a timer that came early must not be taken twice
            self.set(due)
        else:
            self._timer = None
            self._keep(due)
