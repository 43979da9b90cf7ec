"""Units that refill: a bucket as deep as its burst, which debts may overdraw.

Elapsed time and units enter, whether there are enough leaves. The state is one number, the time at which the bucket
will be full again: refilling then costs nothing, and the hot path (`flow`) is a comparison and an addition. Times are
the Clock's monotonic nanoseconds.
"""

from __future__ import annotations


class Bucket:
    """Gains `rate` units a second up to `depth`; starts full."""

    __slots__ = ("depth_ns", "full_at_ns", "ns_per_unit", "rate")

    def __init__(self, rate: float, depth: float, now_ns: int) -> None:
        self.rate = rate
        self.ns_per_unit = 1e9 / rate
        self.depth_ns = depth * self.ns_per_unit
        """How long an empty bucket takes to be full."""
        self.full_at_ns: float = now_ns

    def level(self, now_ns: int) -> float:
        """Units that are there now; below zero when reads were let through on credit."""
        return (self.depth_ns - max(0.0, self.full_at_ns - now_ns)) / self.ns_per_unit

    def has(self, units: float, now_ns: int) -> bool:
        """Whether `units` are there now, or all that it ever holds."""
        behind_ns = max(0.0, self.full_at_ns - now_ns)
        return behind_ns <= 0 or behind_ns + units * self.ns_per_unit <= self.depth_ns

    def take(self, units: float, now_ns: int) -> None:
        """Take without asking; negative `units` give back."""
        self.full_at_ns = max(self.full_at_ns, now_ns) + units * self.ns_per_unit

    def change(self, rate: float, depth: float, now_ns: int) -> None:
        """Refill at another rate from now on; what is in the bucket stays, as far as it fits.

        A raised rate adds one second of the difference, so that more capacity is felt at once and not only its burst.
        """
        level = min(self.level(now_ns) + max(0.0, rate - self.rate), depth)
        self.__init__(rate, depth, now_ns)  # type: ignore[misc]
        self.take(depth - level, now_ns)
