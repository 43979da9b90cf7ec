"""What `stats` adds up over the rows of a group.

Enters a value at a time, leaves one value. Percentiles are exact: every value is kept until the group is over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from trine.logs.insights.value import Value, number, sort_key, text


class Aggregate(Protocol):
    """One sum under way."""

    def add(self, value: Value, at: Value) -> None:
        """Take in a row's value; `at` is the row's time."""

    def result(self) -> Value:
        """What it came to."""


class Count:
    """Rows, or those of them that have the value."""

    def __init__(self, *, everything: bool) -> None:
        self._everything, self._count = everything, 0

    def add(self, value: Value, at: Value) -> None:
        """Count one."""
        self._count += self._everything or value is not None

    def result(self) -> Value:
        """How many."""
        return self._count


class Distinct:
    """Different values."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def add(self, value: Value, at: Value) -> None:
        """Note one."""
        if value is not None:
            self._seen.add(text(value) or "")

    def result(self) -> Value:
        """How many."""
        return len(self._seen)


class Sums:
    """Sum, average and standard deviation, by `say`; what is no number is passed over."""

    def __init__(self, say: Callable[[int, float, float], Value]) -> None:
        self._say = say
        self._count, self._sum, self._mean, self._squares = 0, 0.0, 0.0, 0.0

    def add(self, value: Value, at: Value) -> None:
        """Add one (Welford's way: large numbers do not spoil small differences)."""
        found = number(value)
        if found is None:
            return
        self._count += 1
        self._sum += found
        before = found - self._mean
        self._mean += before / self._count
        self._squares += before * (found - self._mean)

    def result(self) -> Value:
        """What was asked for; None when there was no number."""
        return self._say(self._count, self._sum, self._squares) if self._count else None


class Chosen:
    """The value that comes first, or last, in the order of `key` of (value, time)."""

    def __init__(self, key: Callable[[Value, Value], tuple[int, float, str]], *, last: bool) -> None:
        self._key, self._last = key, last
        self._best: tuple[tuple[int, float, str], Value] | None = None

    def add(self, value: Value, at: Value) -> None:
        """Compare one."""
        if value is None:
            return
        key = self._key(value, at)
        if self._best is None or (key > self._best[0] if self._last else key < self._best[0]):
            self._best = (key, value)

    def result(self) -> Value:
        """The one that was chosen."""
        return None if self._best is None else self._best[1]


class Percentile:
    """The value below which so many per cent lie (nearest rank)."""

    def __init__(self, percent: float) -> None:
        self._percent = percent
        self._values: list[float] = []

    def add(self, value: Value, at: Value) -> None:
        """Note one."""
        found = number(value)
        if found is not None:
            self._values.append(found)

    def result(self) -> Value:
        """That value; None when there was no number."""
        if not self._values:
            return None
        self._values.sort()
        rank = math.ceil(self._percent / 100 * len(self._values))
        return self._values[min(len(self._values), max(1, rank)) - 1]


def _by_value(value: Value, at: Value) -> tuple[int, float, str]:
    return sort_key(value)


def _by_text(value: Value, at: Value) -> tuple[int, float, str]:
    return 1, 0.0, text(value) or ""


def _by_time(value: Value, at: Value) -> tuple[int, float, str]:
    return sort_key(at)


def _deviation(count: int, total: float, squares: float) -> Value:
    return math.sqrt(squares / (count - 1)) if count > 1 else 0


AGGREGATES: dict[str, Callable[[], Aggregate]] = {
    "count_distinct": Distinct,
    "sum": lambda: Sums(lambda count, total, squares: total),
    "avg": lambda: Sums(lambda count, total, squares: total / count),
    "stddev": lambda: Sums(_deviation),
    "min": lambda: Chosen(_by_value, last=False),
    "max": lambda: Chosen(_by_value, last=True),
    "earliest": lambda: Chosen(_by_time, last=False),
    "latest": lambda: Chosen(_by_time, last=True),
    "sortsfirst": lambda: Chosen(_by_text, last=False),
    "sortslast": lambda: Chosen(_by_text, last=True),
}
"""Those of one argument; `count` and `pct` (with its synonym `percentile`) take more or none."""
