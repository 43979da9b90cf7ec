"""What an on-demand table takes: its start, then twice the highest traffic it has shown for long enough.

Minutes of traffic enter, units per second leave. Source: "DynamoDB on-demand capacity mode": a new table serves 4,000
writes and 12,000 reads a second; "up to double the previous peak"; "throttling can occur if you exceed double your
previous peak within 30 minutes". A peak is the mean of a minute here, which AWS leaves open; it never decays, as
partitions that were made stay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from trine.dynamodb.limits import ON_DEMAND_GROWTH_SECONDS

MINUTE_SECONDS = 60


class Demand:
    """The ramp of one kind of units."""

    __slots__ = ("_recent", "floor", "peak")

    def __init__(self, floor: float, peak: float = 0.0) -> None:
        self.floor = floor
        """Units per second that are always served: of a new table, or its warm throughput."""
        self.peak = peak
        """The highest minute's mean, in units per second, that is at least half an hour old."""
        self._recent: deque[tuple[int, float]] = deque()

    def minute(self, ended_at_seconds: int, units: float) -> None:
        """A minute of traffic ended."""
        if units > 0:
            self._recent.append((ended_at_seconds, units / MINUTE_SECONDS))
        while self._recent and ended_at_seconds - self._recent[0][0] >= ON_DEMAND_GROWTH_SECONDS:
            self.peak = max(self.peak, self._recent.popleft()[1])

    def memory(self, now_seconds: int) -> dict[str, Any]:
        """What a restart must not forget: the peak, and minutes that may become it, each with its age in seconds."""
        recent = [[now_seconds - ended_at, rate] for ended_at, rate in self._recent]
        return {"peak": self.peak, "recent": recent}

    def recall(self, memory: Mapping[str, Any], elapsed_seconds: int, now_seconds: int) -> None:
        """Go on from a `memory` that was taken `elapsed_seconds` ago."""
        self.peak = max(self.peak, memory["peak"])
        self._recent.extend((now_seconds - age - elapsed_seconds, rate) for age, rate in memory["recent"])

    @property
    def units_per_second(self) -> float:
        """What is served now."""
        return max(self.floor, 2 * self.peak)
