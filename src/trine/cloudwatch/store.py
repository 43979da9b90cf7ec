"""Every metric's data, by the minute (or the second), on disk for fifteen days, within bounds.

Enters data; leaves distributions of any period. What clients put is durable before they are answered; what the stack
measures of itself is gathered until its minute is over. Metrics and points are bounded: beyond the one new metrics are
dropped, beyond the other the oldest points go, and both are counted.
"""

from __future__ import annotations

import logging
from asyncio import Future, Task, get_running_loop
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from trine.cloudwatch import limits
from trine.cloudwatch.archive import Archive
from trine.cloudwatch.metric import RESERVED_NAMESPACE, Datum, Dimensions, MetricKey
from trine.metering.distribution import Distribution

_log = logging.getLogger("trine.cloudwatch")


class Series:
    """What is known of one metric without its data."""

    __slots__ = ("latest_at", "noted_at", "unit")

    def __init__(self, unit: str, latest_at: int = 0) -> None:
        self.unit, self.latest_at = unit, latest_at
        self.noted_at = -1
        """The latest second of data as the archive knows it; -1 when it does not know the metric or its unit."""


class _Batch:
    """Values on their way to the disk: they count until they can be read there."""

    __slots__ = ("values", "written")

    def __init__(self) -> None:
        self.values: dict[tuple[MetricKey, int], Distribution] = {}
        self.written: Future[None] | None = None


class MetricStore:
    """All metrics of one account and region."""

    def __init__(self, archive: Archive, points_max_count: int = limits.POINTS_MAX_COUNT) -> None:
        self._archive = archive
        self._points_max_count = points_max_count
        self._series: dict[MetricKey, Series] = {}
        self._open = _Batch()
        self._leaving: list[_Batch] = []
        self._day = -1
        self._cleaning: Task[None] | None = None
        self.dropped = 0
        """Data of metrics that are not kept, because there are too many."""
        self.forgotten = 0
        """Points that had to go before their time."""

        self.on_metric_hour: Callable[[], None] = lambda: None
        """Called once for each hour in which there is data of a metric that a client has put: so it is charged."""

    def load(self) -> None:
        """Learn which metrics earlier runs have kept."""
        for key, unit, latest_at in self._archive.series():
            series = self._series.setdefault(key, Series(unit, latest_at))
            series.noted_at = latest_at

    def close(self) -> None:
        """Clean up no more; what is on its way is the store's to finish."""
        if self._cleaning is not None:
            self._cleaning.cancel()

    # -- writing -----------------------------------------------------------------------------------------------------

    def gather(self, datum: Datum) -> None:
        """Take in one datum that `flush` will write."""
        if datum.values.count and self._note(datum):
            self._merge(self._open, datum)

    def put(self, data: Iterable[Datum]) -> Future[None]:
        """Take in data at once; resolves when it is durable."""
        batch = _Batch()
        for datum in data:
            if datum.values.count and self._note(datum):
                self._merge(batch, datum)
        return self._write(batch)

    def flush(self, now: float) -> Future[None] | None:
        """Write what was gathered, and once a day let go of what is too old; None when there is nothing to write."""
        if int(now // 86_400) != self._day or self._archive.count() > self._points_max_count:
            self._day = int(now // 86_400)
            if self._cleaning is None or self._cleaning.done():
                self._cleaning = get_running_loop().create_task(self._clean(now))
        if not self._open.values:
            return None
        batch, self._open = self._open, _Batch()
        return self._write(batch)

    def _note(self, datum: Datum) -> bool:
        """Whether the metric of a datum is kept."""
        series = self._series.get(datum.key)
        if series is None:
            if len(self._series) >= limits.SERIES_MAX_COUNT:
                if self.dropped == 0:
                    _log.warning(
                        "data of the metric %s %s is dropped: there are %s other metrics, and no more are kept "
                        "(trine_cloudwatch_dropped_total counts on)",
                        datum.key.namespace, datum.key.name, f"{limits.SERIES_MAX_COUNT:,}",
                    )  # fmt: skip
                self.dropped += 1
                return False
            series = self._series[datum.key] = Series(datum.unit)
        if datum.at // 3600 > series.latest_at // 3600 and not datum.key.namespace.startswith(RESERVED_NAMESPACE):
            self.on_metric_hour()
        if datum.unit not in ("None", series.unit):
            series.unit, series.noted_at = datum.unit, -1
        series.latest_at = max(series.latest_at, datum.at)
        return True

    @staticmethod
    def _merge(batch: _Batch, datum: Datum) -> None:
        values = batch.values.get((datum.key, datum.at))
        if values is None:
            values = batch.values[datum.key, datum.at] = Distribution()
        values.merge(datum.values)

    def _write(self, batch: _Batch) -> Future[None]:
        noted = {}
        for key, _ in batch.values:
            series = self._series[key]
            if series.noted_at < 0 or series.latest_at - series.noted_at >= limits.NOTED_EVERY_SECONDS:
                series.noted_at = series.latest_at
                noted[key] = (series.unit, series.latest_at)
        batch.written = self._archive.add(batch.values, noted)
        self._leaving = [one for one in self._leaving if one.written is not None and not one.written.done()]
        self._leaving.append(batch)
        return batch.written

    async def _clean(self, now: float) -> None:
        """Delete what is older than is kept; while there are still too many points, what is older than half of that."""
        kept_seconds, too_old = float(limits.KEPT_SECONDS), True
        try:
            while too_old or self._archive.count() > self._points_max_count:
                cutoff = int(now - kept_seconds)
                for key, series in list(self._series.items()):
                    gone = await self._archive.forget_before(key, cutoff)
                    self.forgotten += 0 if too_old else gone
                    if series.latest_at < cutoff:
                        self._series.pop(key, None)
                        await self._archive.drop(key)
                too_old, kept_seconds = False, kept_seconds / 2
                if kept_seconds < 60:
                    return
            await self._archive.keep_history(limits.HISTORY_MAX_COUNT)
        except Exception:
            # Of a task nobody awaits; the next day tries again.
            _log.exception("old metrics could not be deleted")

    # -- reading -----------------------------------------------------------------------------------------------------

    def get(self, key: MetricKey) -> Series | None:
        """What is known of a metric."""
        return self._series.get(key)

    def __len__(self) -> int:
        return len(self._series)

    def periods(self, key: MetricKey, start: float, stop: float, period: int) -> Iterator[tuple[int, Distribution]]:
        """(begin, data) of each period that begins in [start, stop) and has any, the oldest first."""
        if key not in self._series:
            return
        found: dict[int, Distribution] = {}

        def take(at: int, values: Distribution) -> None:
            begin = at // period * period
            if start <= begin < stop:
                merged = found.get(begin)
                if merged is None:
                    merged = found[begin] = Distribution()
                merged.merge(values)

        last = int(min(stop + period, limits.LATEST_SECOND))
        for at, values in self._archive.points(key, int(start), last):
            take(at, values)
        for batch in (*self._leaving, self._open):
            if batch.written is None or not batch.written.done():
                for (own, at), values in batch.values.items():
                    if own == key:
                        take(at, values)
        for begin in sorted(found):
            yield begin, found[begin]

    def keys(self) -> Iterable[MetricKey]:
        """Every metric that is kept."""
        return self._series.keys()

    def find(
        self, namespace: str | None, name: str | None, dimensions: Iterable[tuple[str, Any]], since: float
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
