"""What was put, on disk: a line for each PutMetricData, written before it is answered, read back at the next start.

One file a day below the state directory, removed after fifteen days. What the stack measures of itself is not written:
the ledger of usage has it. A line that a crash cut short is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from trine.cloudwatch import limits
from trine.cloudwatch.metric import Datum, MetricKey
from trine.metering.distribution import Distribution

_log = logging.getLogger("trine.cloudwatch")
_SUFFIX = ".jsonl"


class Journal:
    """The files of one stack; `directory` None writes nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def write(self, data: Iterable[Datum], now: float) -> None:
        """Append data in one write. OSError when the disk refuses."""
        if self._directory is None:
            return
        line = orjson.dumps([_row(datum) for datum in data])
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._directory / f"{_day(now)}{_SUFFIX}").open("ab") as file:
            file.write(line + b"\n")

    def read(self, now: float) -> Iterator[Datum]:
        """Everything that is not too old; files that are go."""
        if self._directory is None or not self._directory.is_dir():
            return
        oldest = _day((datetime.fromtimestamp(now, UTC) - timedelta(days=limits.KEPT_DAYS)).timestamp())
        for path in sorted(self._directory.glob(f"*{_SUFFIX}")):
            if path.name.removesuffix(_SUFFIX) < oldest:
                path.unlink(missing_ok=True)
                continue
            try:
                with path.open("rb") as file:
                    for line in file:
                        yield from _data(line)
            except OSError as error:
                _log.error("metrics of %s cannot be read: %s", path.name, error)


def _row(datum: Datum) -> list[Any]:
    values = datum.values
    return [
        *datum.key[:2], datum.key.dimensions, datum.at, datum.unit, datum.resolution, values.count, values.total,
        values.minimum, values.maximum, list(values.buckets.items()),
    ]  # fmt: skip


def _data(line: bytes) -> Iterator[Datum]:
    try:
        for namespace, name, dimensions, at, unit, resolution, count, total, least, most, buckets in orjson.loads(line):
            values = Distribution()
            values.count, values.total, values.minimum, values.maximum = count, total, least, most
            values.buckets = {int(bucket): amount for bucket, amount in buckets}
            pairs = tuple((str(key), str(value)) for key, value in dimensions)
            yield Datum(MetricKey(namespace, name, pairs), at, values, unit, resolution)
    except (orjson.JSONDecodeError, ValueError, TypeError):
        return


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
