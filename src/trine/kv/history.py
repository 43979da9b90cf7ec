"""Which past a store must keep: what open snapshots see, and what replicas that trail may still ask for.

A ring of (time, sequence) remembers when each state was the newest. In: commits, snapshots, the clock. Out: the
sequence a replica reads at, and the oldest sequence anybody may still read (`floor`).
"""

from __future__ import annotations

import math
from bisect import bisect_right

from trine.clock import Clock

_RING_STEPS = 1000  # a replica trails its lag by at most a thousandth of the history
_TRIM_AT = 4096


class History:
    """Bookkeeping of readers for one store; `keeping` is true while any past state may be read."""

    __slots__ = ("_clock", "_open", "_sequences", "_times", "keeping", "seconds", "sequence")

    def __init__(self, clock: Clock, sequence: int) -> None:
        self._clock = clock
        self._open: dict[int, int] = {}
        self.seconds = 0.0
        self.sequence = sequence  # of the newest state
        self.keeping = False
        self._times: list[float] = [-math.inf]
        self._sequences: list[int] = [sequence]

    def keep(self, seconds: float) -> None:
        """Remember states of the last `seconds`; starts with the present one."""
        if not 0 <= seconds < math.inf:
            raise ValueError(f"a history of {seconds} seconds cannot be kept")
        if seconds <= 0 or self.seconds <= 0:
            self._times, self._sequences = [-math.inf], [self.sequence]
        self.seconds = seconds
        self.keeping = bool(self._open) or seconds > 0

    def committed(self, sequence: int) -> None:
        """The state with this sequence is the newest from now on."""
        self.sequence = sequence
        if self.seconds <= 0:
            return
        now = self._clock.now()
        times, sequences = self._times, self._sequences
        # The last entry is always exact; the one before it moves on only in steps, so the ring stays short.
        if now <= times[-1] or (len(times) > 1 and now - times[-2] < self.seconds / _RING_STEPS):
            times[-1], sequences[-1] = max(now, times[-1]), sequence
        else:
            times.append(now)
            sequences.append(sequence)
        if len(times) > _TRIM_AT:
            self._trim(now)

    def _trim(self, now: float) -> None:
        """Forget the states that were replaced before the history begins."""
        old = bisect_right(self._times, now - self.seconds) - 1
        if old > 0:
            del self._times[:old], self._sequences[:old]

    def at_lag(self, lag_seconds: float) -> int:
        """The sequence of the state that was the newest one `lag_seconds` ago; ValueError beyond what is kept."""
        if lag_seconds <= 0:
            return self.sequence
        if lag_seconds > self.seconds:
            raise ValueError(f"a lag of {lag_seconds} s is longer than the kept history of {self.seconds} s")
        place = bisect_right(self._times, self._clock.now() - lag_seconds) - 1
        return self._sequences[max(place, 0)]

    def open(self, sequence: int) -> None:
        """A reader of `sequence` begins."""
        self._open[sequence] = self._open.get(sequence, 0) + 1
        self.keeping = True

    def close(self, sequence: int) -> None:
        """A reader of `sequence` ends."""
        left = self._open[sequence] - 1
        if left:
            self._open[sequence] = left
        else:
            del self._open[sequence]
            self.keeping = bool(self._open) or self.seconds > 0

    def floor(self) -> int:
        """The oldest sequence that an open reader or a replica may still ask for."""
        oldest = min(self._open, default=self.sequence)
        if self.seconds > 0:
            self._trim(self._clock.now())
            oldest = min(oldest, self._sequences[0])
        return oldest

    @property
    def open_readers(self) -> int:
        """How many snapshots are open."""
        return sum(self._open.values())
