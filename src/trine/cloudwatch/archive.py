"""Where metrics and the history of alarms lie: this wing's only room that knows the ordered store.

    w | s | series (16)                 the metric: namespace, name, dimensions, unit, time of its latest data; JSON
    w | p | series (16) | second (5)    its values at that time: a `Distribution` as JSON
    w | h | commit sequence (16)        one entry of the history of all alarms; JSON
    w | n                               how many of the second kind there are

Enters data; leaves futures that resolve when they are durable, and distributions by time. Values of the same metric and
time add up within the write, so nothing has to be read back before. `series` is a hash of the metric's whole name.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from trine.cloudwatch.metric import MetricKey
from trine.kv.store import Change, Current, Store
from trine.kv.tuple import after
from trine.metering.distribution import Distribution

PREFIX = b"w"
_SERIES, _POINTS, _HISTORY, _COUNT = PREFIX + b"s", PREFIX + b"p", PREFIX + b"h", PREFIX + b"n"
_PAGE = 1_000
Values = Mapping[tuple[MetricKey, int], Distribution]
"""Distributions by metric and second."""


class Archive:
    """Metrics and alarms' history of one stack in its store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- metrics -----------------------------------------------------------------------------------------------------

    def add(self, values: Values, series: Mapping[MetricKey, tuple[str, int]]) -> Future[None]:
        """Add values to what is there, and note (unit, latest second) of `series`; resolves when durable."""
        added = {_point(key, at): distribution for (key, at), distribution in values.items()}
        noted = {
            _SERIES + series_id(key): orjson.dumps([*key, unit, latest_at]) for key, (unit, latest_at) in series.items()
        }

        def decide(current: Current) -> Change[None]:
            puts: dict[bytes, bytes | None] = dict(noted)
            fresh = 0
            for at, distribution in added.items():
                before = current.get(at)
                fresh += before is None
                puts[at] = _written(distribution if before is None else _read(before).merged(distribution))
            return Change(None, puts, counters={_COUNT: fresh} if fresh else {})

        return self._store.transact(tuple(added), decide)

    def series(self) -> Iterator[tuple[MetricKey, str, int]]:
        """(metric, unit, latest second) of everything that is kept."""
        with self._store.snapshot() as snapshot:
            for _, value in snapshot.scan(_SERIES, after(_SERIES)):
                namespace, name, dimensions, unit, latest_at = orjson.loads(value)
                yield MetricKey(namespace, name, tuple((own, its) for own, its in dimensions)), unit, latest_at

    def points(self, key: MetricKey, start: int, stop: int) -> Iterator[tuple[int, Distribution]]:
        """(second, values) of a metric in [start, stop), the oldest first."""
        position, last = _point(key, max(0, start)), _point(key, max(0, stop))
        while position < last:
            page = self._store.page(position, last, _PAGE)
            for name, value in page:
                yield int.from_bytes(name[-5:], "big"), _read(value)
            if len(page) < _PAGE:
                return
            position = page[-1][0] + b"\0"

    def count(self) -> int:
        """How many points there are."""
        value = self._store.get(_COUNT)
        return int.from_bytes(value, "big", signed=True) if value is not None else 0

    async def forget_before(self, key: MetricKey, second: int) -> int:
        """Delete a metric's points before `second`; how many that were."""
        prefix = _POINTS + series_id(key)
        gone = await self._store.delete_range(prefix, _point(key, second))
        if gone:
            await self._store.transact((), lambda current: Change(None, counters={_COUNT: -gone}))
        return gone

    async def drop(self, key: MetricKey) -> None:
        """Forget a metric that has no points left."""
        series = _SERIES + series_id(key)
        await self._store.transact((), lambda current: Change(None, puts={series: None}))

    # -- history of alarms -------------------------------------------------------------------------------------------

    def append(self, entry: Sequence[Any]) -> Future[None]:
        """Add an entry, plain JSON values; resolves when durable."""
        value = orjson.dumps(tuple(entry))
        return self._store.transact((), lambda current: Change(None, appends=((_HISTORY, value),)))

    def history(self, limit: int) -> list[Any]:
        """The latest entries, the newest first."""
        page = self._store.page(_HISTORY, after(_HISTORY), limit, reverse=True)
        return [orjson.loads(value) for _, value in page]

    async def keep_history(self, limit: int) -> None:
        """Delete all but the latest `limit` entries."""
        page = self._store.page(_HISTORY, after(_HISTORY), limit, reverse=True)
        if len(page) == limit:
            await self._store.delete_range(_HISTORY, page[-1][0])


def series_id(key: MetricKey) -> bytes:
    """The name of a metric in keys."""
    return blake2b(orjson.dumps(tuple(key)), digest_size=16).digest()


def _point(key: MetricKey, second: int) -> bytes:
    return _POINTS + series_id(key) + second.to_bytes(5, "big")


def _written(values: Distribution) -> bytes:
    buckets = list(values.buckets.items())
    return orjson.dumps([values.count, values.total, values.minimum, values.maximum, buckets])


def _read(value: bytes) -> Distribution:
    found = Distribution()
    found.count, found.total, found.minimum, found.maximum, buckets = orjson.loads(value)
    found.buckets = dict(buckets)
    return found
