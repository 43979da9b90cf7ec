"""Usage by the minute, kept: rows in memory until their minute is over, then lines in a file for each day.

Enters what `tally` counts and the levels of tables (bytes stored, units provisioned); leaves rows of any range of
minutes. A day's file is text, `[minute, dimensions, counts]` a line, only ever appended to; lines of the same row add
up. A day that is over is compressed, so that a year of steady traffic takes a few megabytes.
"""

from __future__ import annotations

import gzip
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from trine.kv.disk import private
from trine.metering.holding import Holding
from trine.metering.limits import (
    MINUTE_SECONDS,
    MINUTES_IN_MEMORY_MAX_COUNT,
    ROWS_PER_MINUTE_MAX_COUNT,
)
from trine.metering.usage import Counts, Dimensions, add

_log = logging.getLogger("trine.metering")
MINUTES_PER_DAY = 24 * 60
TableName = tuple[str, str]
"""A table and one of its indexes; an empty index is the table itself."""
_SUFFIX, _PACKED = ".jsonl", ".jsonl.gz"


class Row(NamedTuple):
    """What was used in one minute under one set of names."""

    minute: int
    """Since the Unix epoch."""
    dimensions: Dimensions
    counts: Counts


class TableLevel(NamedTuple):
    """How much of a table or index there is now, whoever uses it, and how it is paid for."""

    table: str
    """With its region, where that is not the stack's: `Users@eu-west-1`."""
    index_name: str
    """Empty for the table itself."""
    stored_bytes: float
    read_units: float
    """Provisioned; 0 on demand."""
    write_units: float
    infrequent: bool = False
    """Whether it is of the class STANDARD_INFREQUENT_ACCESS, which has prices of its own."""

    @property
    def name(self) -> TableName:
        """What it is the level of."""
        return (self.table, self.index_name)


class Level(NamedTuple):
    """A `TableLevel` from a minute on."""

    minute: int
    """Since the Unix epoch."""
    now: TableLevel


class Ledger:
    """The usage of one stack. `directory` None keeps the latest day in memory only."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._minutes: OrderedDict[int, dict[Dimensions, Counts]] = OrderedDict()
        self._levels: list[Level] = []
        self._latest: dict[TableName, TableLevel] = {}
        self._holdings: list[Holding] = []
        self._held: dict[tuple[str, str], float] = {}
        self.dropped = 0
        """Rows that were counted under their service alone, because a minute had too many."""

    # -- writing -----------------------------------------------------------------------------------------------------

    def count(self, minute: int, dimensions: Dimensions, counts: Counts) -> None:
        """Add to a row."""
        rows = self._minutes.get(minute)
        if rows is None:
            rows = self._minutes[minute] = {}
            while self._directory is None and len(self._minutes) > MINUTES_IN_MEMORY_MAX_COUNT:
                self._minutes.popitem(last=False)
        known = rows.get(dimensions)
        if known is None:
            if len(rows) >= ROWS_PER_MINUTE_MAX_COUNT:
                self.dropped += 1
                dimensions = Dimensions(dimensions.service)
                known = rows.get(dimensions)
            if known is None:
                rows[dimensions] = dict(counts)
                return
        add(known, counts)

    def level(self, minute: int, now: TableLevel) -> None:
        """Note how much there is from a minute on; only what changed is kept."""
        if self._latest.get(now.name) != now:
            self._latest[now.name] = now
            self._levels.append(Level(minute, now))

    def gone(self, minute: int, living: set[TableName]) -> None:
        """Tables and indexes that are no longer among `living` hold nothing from now on."""
        for name in [name for name, level in self._latest.items() if name not in living and any(level[2:])]:
            self.level(minute, TableLevel(*name, 0, 0, 0))

    def hold(self, minute: int, held: Iterable[tuple[str, str, float]]) -> None:
        """Note everything that is held now, (meter, what, quantity); only what changed is kept."""
        now = {(meter, what): quantity for meter, what, quantity in held}
        gone = {name: 0.0 for name, quantity in self._held.items() if quantity and name not in now}
        for name, quantity in (now | gone).items():
            if self._held.get(name, 0.0) != quantity:
                self._held[name] = quantity
                self._holdings.append(Holding(minute, *name, quantity))

    def flush(self) -> None:
        """Write everything counted so far. A disk that refuses is told; the rows then wait for the next time."""
        if self._directory is None:
            return
        minutes, levels, holdings = self._minutes, self._levels, self._holdings
        if not minutes and not levels and not holdings:
            return
        lines: dict[str, list[bytes]] = {}
        for minute, rows in minutes.items():
            lines.setdefault(day_of(minute), []).extend(
                orjson.dumps([minute, tuple(dimensions), _rounded(counts)]) for dimensions, counts in rows.items()
            )
        for level in levels:
            lines.setdefault(day_of(level.minute), []).append(orjson.dumps([level.minute, "level", tuple(level.now)]))
        for held in holdings:
            lines.setdefault(day_of(held.minute), []).append(orjson.dumps([held.minute, "held", held[1:]]))
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for day, added in lines.items():
                with open(self._directory / f"{day}{_SUFFIX}", "ab", opener=private) as file:
                    file.write(b"\n".join(added) + b"\n")
        except OSError as error:
            _log.error("usage could not be written: %s", error)
            return
        self._minutes, self._levels, self._holdings = OrderedDict(), [], []

    def pack(self, today: str) -> None:
        """Compress the files of days before `today`; harmless when there is nothing to do, or when it is cut short."""
        if self._directory is None or not self._directory.is_dir():
            return
        for path in sorted(self._directory.glob(f"*{_SUFFIX}")):
            day = path.name.removesuffix(_SUFFIX)
            if day >= today:
                continue
            packed = self._directory / f"{day}{_PACKED}"
            try:
                before = gzip.decompress(packed.read_bytes()) if packed.exists() else b""
                fresh = packed.with_suffix(".new")
                with open(fresh, "wb", opener=private) as file:
                    file.write(gzip.compress(before + path.read_bytes(), 9, mtime=0))
                fresh.replace(packed)
                path.unlink()
            except (OSError, EOFError) as error:
                _log.error("usage of %s could not be compressed: %s", day, error)

    # -- reading -----------------------------------------------------------------------------------------------------

    def view(self) -> LedgerView:
        """Everything known at this moment, to be read at leisure, in another thread too."""
        pending = [
            Row(minute, dimensions, dict(counts))
            for minute, rows in self._minutes.items()
            for dimensions, counts in rows.items()
        ]
        return LedgerView(pending, list(self._levels), self._files(), list(self._holdings))

    def _files(self) -> list[tuple[str, Path, int]]:
        if self._directory is None or not self._directory.is_dir():
            return []
        found = [(path.name.partition(".")[0], path) for path in self._directory.glob(f"*{_SUFFIX}*")]
        return sorted(
            (day, path, path.stat().st_size)
            for day, path in found
            if _is_day(day) and path.name.endswith((_SUFFIX, _PACKED))
        )


class LedgerView:
    """The ledger as it was at one moment."""

    def __init__(
        self,
        pending: list[Row],
        levels: list[Level],
        files: list[tuple[str, Path, int]],
        holdings: Sequence[Holding] = (),
    ) -> None:
        self._pending, self._levels, self._files, self._holdings = pending, levels, files, holdings

    def rows(self, start: int, stop: int) -> Iterator[Row]:
        """Every row of the minutes from `start` up to but without `stop`; the same row may come in several parts."""
        for line in self._lines(start, stop):
            if not isinstance(line[1], str) and start <= line[0] < stop:
                yield Row(line[0], Dimensions(*line[1]), line[2])
        yield from (row for row in self._pending if start <= row.minute < stop)

    def levels(self, stop: int) -> list[Level]:
        """Every change of what there was before the minute `stop`, the oldest first."""
        found = [
            Level(line[0], TableLevel(*line[2]))
            for line in self._lines(0, stop)
            if line[1] == "level" and line[0] < stop
        ]
        return [*found, *(level for level in self._levels if level.minute < stop)]

    def holdings(self, stop: int) -> list[Holding]:
        """Every change of what was held before the minute `stop`, the oldest first."""
        found = [Holding(line[0], *line[2]) for line in self._lines(0, stop) if line[1] == "held" and line[0] < stop]
        return [*found, *(holding for holding in self._holdings if holding.minute < stop)]

    def first_minute(self) -> int | None:
        """The first minute anything is known of."""
        kept = [*(row.minute for row in self._pending[:1]), *(level.minute for level in self._levels[:1])]
        for day, _, _ in self._files[:1]:
            kept += [line[0] for line in self._lines(minute_of(day), minute_of(day) + MINUTES_PER_DAY)][:1]
        return min(kept, default=None)

    def _lines(self, start: int, stop: int) -> Iterator[list[Any]]:
        for day, path, size_bytes in self._files:
            first = minute_of(day)
            if first >= stop or first + MINUTES_PER_DAY <= start:
                continue
            try:
                with path.open("rb") as file:
                    text = file.read(size_bytes)
                text = gzip.decompress(text) if path.name.endswith(_PACKED) else text
            except (OSError, EOFError) as error:
                _log.error("usage of %s cannot be read: %s", day, error)
                continue
            for line in text.splitlines():
                try:
                    found = orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue  # cut short by a crash
                if isinstance(found, list) and len(found) == 3 and isinstance(found[0], int):
                    yield found


def day_of(minute: int) -> str:
    """`2026-11-28`: the day (UTC) of a minute."""
    return datetime.fromtimestamp(minute * MINUTE_SECONDS, UTC).strftime("%Y-%m-%d")


def minute_of(day: str) -> int:
    """The first minute of a day (UTC)."""
    return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) // MINUTE_SECONDS


def _is_day(name: str) -> bool:
    try:
        minute_of(name)
    except ValueError:
        return False
    return True


def _rounded(counts: Mapping[str, float]) -> dict[str, float]:
    return {name: int(value) if value == int(value) else round(value, 3) for name, value in counts.items() if value}
