"""How far the replica trails: not at all, by a fixed time, or by a time drawn anew for each read from a seed.

A setting enters, seconds leave. AWS names no distribution ("consistency across all copies of data is usually reached
within a second"): the draw is even between the bounds, so a test meets both ends soon.
"""

from __future__ import annotations

import math
from random import Random

LAG_MAX_SECONDS = 3_600.0
"""Our own: the store keeps so much history for it."""


class Lag:
    """Seconds between `least_seconds` and `most_seconds`; a fixed lag has both alike."""

    __slots__ = ("_random", "least_seconds", "most_seconds", "seed")

    def __init__(self, most_seconds: float, least_seconds: float | None = None, seed: int = 0) -> None:
        """ValueError when the bounds are no lag."""
        least = most_seconds if least_seconds is None else least_seconds
        if not (math.isfinite(most_seconds) and 0 <= least <= most_seconds <= LAG_MAX_SECONDS):
            raise ValueError(
                f"a replica trails by 0 to {LAG_MAX_SECONDS:.0f} seconds, not by {least} to {most_seconds}"
            )
        self.least_seconds, self.most_seconds, self.seed = least, most_seconds, seed
        self._random = Random(seed)  # noqa: S311, repeatable is what it is for

    def draw(self) -> float:
        """The lag of the next read, in seconds."""
        if self.least_seconds == self.most_seconds:
            return self.most_seconds
        return self._random.uniform(self.least_seconds, self.most_seconds)


def parsed_lag(text: str, seed: int = 0) -> Lag:
    """A lag from `0.2` (fixed) or `0-1.5` (drawn from `seed`). ValueError."""
    least, dash, most = text.partition("-")
    return Lag(float(most), float(least), seed) if dash else Lag(float(text))
