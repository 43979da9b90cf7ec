"""Units that refill: a bucket as deep as its burst, which debts may overdraw.

Elapsed time and units enter, whether there are enough leaves. Times are the Clock's monotonic nanoseconds.
"""

from __future__ import annotations


class Bucket:
    """Gains `rate` units a second up to `depth`; starts full."""

    __slots__ = ("depth", "rate", "rate_per_ns", "tokens", "updated_ns")

    def __init__(self, rate: float, depth: float, now_ns: int) -> None:
        self.rate, self.depth = rate, depth
        self.rate_per_ns = rate * 1e-9
        self.tokens = depth
        self.updated_ns = now_ns

    def level(self, now_ns: int) -> float:
        """Units that are there now; below zero when reads were let through on credit."""
        tokens = self.tokens + (now_ns - self.updated_ns) * self.rate_per_ns
        if tokens > self.depth:
            tokens = self.depth
        self.tokens, self.updated_ns = tokens, now_ns
        return tokens

    def give_back(self, units: float) -> None:
        """Undo the taking of `units`."""
        self.tokens = min(self.tokens + units, self.depth)

    def change(self, rate: float, depth: float, now_ns: int) -> None:
        """Refill at another rate from now on; what is in the bucket stays, as far as it fits.

        A raised rate adds one second of the difference, so that more capacity is felt at once and not only its burst.
        """
        level = self.level(now_ns)
        self.tokens = min(level + max(0.0, rate - self.rate), depth)
        self.rate, self.depth, self.rate_per_ns = rate, depth, rate * 1e-9
