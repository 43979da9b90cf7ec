"""Every metric's data, by the minute (or the second), in memory, within bounds.

Enters data; leaves distributions of any period. Series and points are bounded: beyond them new series are dropped and
the oldest points go, and both are counted. A datum of the same metric and time adds to what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest

from trine.cloudwatch import limits
from trine.cloudwatch.metric import Datum, Dimensions, MetricKey
from trine.metering.distribution import Distribution


class Series:
    """The data of one metric."""

    __slots__ = ("latest_at", "points", "unit")

    def __init__(self, unit: str) -> None:
        self.points: dict[int, Distribution] = {}
        """By second since the epoch, floored to the resolution."""
        self.unit = unit
        self.latest_at = 0


class MetricStore:
    """All metrics of one account and region."""

    def __init__(self) -> None:
        self._series: dict[MetricKey, Series] = {}
        self._points = 0
        self.dropped = 0
        """Data of metrics that are not kept, because there are too many."""
        self.forgotten = 0
        """Points that had to go before their time."""

    def add(self, datum: Datum) -> None:
        """Take in one datum."""
        series = self._series.get(datum.key)
        if series is None:
            if len(self._series) >= limits.SERIES_MAX_COUNT:
                self.dropped += 1
                return
            series = self._series[datum.key] = Series(datum.unit)
        if datum.unit != "None":
            series.unit = datum.unit
        series.latest_at = max(series.latest_at, datum.at)
        point = series.points.get(datum.at)
        if point is None:
            point = series.points[datum.at] = Distribution()
            self._points += 1
            if self._points > limits.POINTS_MAX_COUNT:
                self._forget()
        point.merge(datum.values)

    def _forget(self) -> None:
        """Drop the oldest tenth of all points, and series that have none left."""
        every = ((at, key) for key, series in self._series.items() for at in series.points)
        for at, key in nsmallest(limits.POINTS_MAX_COUNT // 10, every):
            del self._series[key].points[at]
            self._points -= 1
            self.forgotten += 1
        for key in [key for key, series in self._series.items() if not series.points]:
            del self._series[key]

    def get(self, key: MetricKey) -> Series | None:
        """The series of a metric."""
        return self._series.get(key)

    def __len__(self) -> int:
        return len(self._series)

    def periods(self, key: MetricKey, start: float, stop: float, period: int) -> Iterator[tuple[int, Distribution]]:
        """(begin, data) of each period in [start, stop) that has any, the oldest first."""
        series = self._series.get(key)
        if series is None:
            return
        found: dict[int, Distribution] = {}
        for at, point in series.points.items():
            begin = at // period * period
            if start <= begin < stop:
                merged = found.get(begin)
                if merged is None:
                    merged = found[begin] = Distribution()
                merged.merge(point)
        for begin in sorted(found):
            yield begin, found[begin]

    def find(
        self, namespace: str | None, name: str | None, dimensions: Iterable[tuple[str, str | None]], since: float
    ) -> list[MetricKey]:
        """Metrics that match and had data since; a dimension's value None stands for any. Sorted."""
        wanted = list(dimensions)
        return sorted(
            key
            for key, series in self._series.items()
            if (namespace is None or key.namespace == namespace)
            and (name is None or key.name == name)
            and series.latest_at >= since
            and all(_has(key.dimensions, *one) for one in wanted)
        )


def _has(dimensions: Dimensions, name: str, value: str | None) -> bool:
    return any(own == name and value in (None, its) for own, its in dimensions)
