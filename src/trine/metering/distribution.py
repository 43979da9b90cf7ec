"""Many values in little memory: count, sum, extremes exactly, and how they are spread to within two percent.

Values enter one by one or in bulk; statistics leave. Buckets grow by four percent each, so a percentile is at most two
percent off, whatever the values are (CloudWatch's own SEH1 sets use ten percent). Distributions of the same measure add
up: seconds to minutes, minutes to whatever period is asked for.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache

_GROWTH = 1.04
_PER_UNIT = 1 / math.log(_GROWTH)
_OFFSET = 20_000
"""Buckets of positive values lie above zero, of negative ones below: even values of 1e-300 have their own."""
_LEAST = 1e-300


class Distribution:
    """Values of one measure."""

    __slots__ = ("buckets", "count", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self.count = 0.0
        self.total = 0.0
        self.minimum = math.inf
        self.maximum = -math.inf
        self.buckets: dict[int, float] = {}

    def add(self, value: float, count: float = 1.0) -> None:
        """Take in `value`, `count` times."""
        self.count += count
        self.total += value * count
        if value < self.minimum:
            self.minimum = value
        if value > self.maximum:
            self.maximum = value
        bucket = bucket_of(value)
        self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count

    def add_sorted(self, values: Sequence[float], unit: float = 1.0) -> None:
        """Take in many values in ascending order, each times `unit`: the work is by buckets, not by values."""
        if not values:
            return
        self.count += len(values)
        self.total += sum(values) * unit
        self.minimum = min(self.minimum, values[0] * unit)
        self.maximum = max(self.maximum, values[-1] * unit)
        buckets, start = self.buckets, 0
        while start < len(values):
            bucket = bucket_of(values[start] * unit)
            stop = max(start + 1, bisect_right(values, _ceiling(bucket, unit), start))
            buckets[bucket] = buckets.get(bucket, 0.0) + stop - start
            start = stop

    def add_set(self, count: float, total: float, minimum: float, maximum: float) -> None:
        """Take in a statistic set: how its values are spread between the extremes nobody knows, unless it is one value,
        or all are alike; they are in no bucket then."""
        self.count += count
        self.total += total
        self.minimum, self.maximum = min(self.minimum, minimum), max(self.maximum, maximum)
        if count == 1 or minimum == maximum:
            bucket = bucket_of(minimum if minimum == maximum else total)
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count

    @property
    def is_spread_known(self) -> bool:
        """Whether each value lies in a bucket, so that percentiles mean something."""
        return sum(self.buckets.values()) >= self.count * (1 - 1e-9)

    def merge(self, other: Distribution) -> None:
        """Take in all values of another one."""
        self.count += other.count
        self.total += other.total
        self.minimum, self.maximum = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count

    def merged(self, other: Distribution) -> Distribution:
        """The values of both; neither is changed."""
        found = Distribution()
        found.merge(self)
        found.merge(other)
        return found

    @property
    def average(self) -> float:
        """The mean; 0 of nothing."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """The value that `percent` of all values do not exceed, to within two percent."""
        wanted, seen = self.count * percent / 100, 0.0
        for value, count in self.spread():
            seen += count
            if seen >= wanted - 1e-9:
                return value
        return self.maximum

    def spread(self) -> Iterator[tuple[float, float]]:
        """(value, count) of each bucket, ascending; values lie within the extremes."""
        for bucket in sorted(self.buckets):
            yield min(max(_middle(bucket), self.minimum), self.maximum), self.buckets[bucket]

    def at_most(self, limit: float) -> float:
        """How many values are at most `limit`, to within a bucket."""
        return sum(count for value, count in self.spread() if value <= limit)


def bucket_of(value: float) -> int:
    """The index of the bucket that holds `value`."""
    if value > _LEAST:
        return _OFFSET + math.floor(math.log(value) * _PER_UNIT)
    if value < -_LEAST:
        return -_OFFSET - math.floor(math.log(-value) * _PER_UNIT)
    return 0


@lru_cache(4096)
def _ceiling(bucket: int, unit: float) -> float:
    """The largest value of a bucket, in units of its own."""
    if bucket > 0:
        return math.exp((bucket - _OFFSET + 1) / _PER_UNIT) * (1 - 1e-12) / unit
    if bucket < 0:
        return -math.exp((-bucket - _OFFSET) / _PER_UNIT) * (1 - 1e-12) / unit
    return _LEAST / unit


def _middle(bucket: int) -> float:
    if bucket > 0:
        return math.exp((bucket - _OFFSET + 0.5) / _PER_UNIT)
    if bucket < 0:
        return -math.exp((-bucket - _OFFSET + 0.5) / _PER_UNIT)
    return 0.0
