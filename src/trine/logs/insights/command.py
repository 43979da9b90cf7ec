"""A query as data: its commands in their order, with expressions as closures. Values only.

A row is what the commands before have left of an event, or of a group of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from trine.logs.insights.aggregate import Aggregate
from trine.logs.insights.record import Record
from trine.logs.insights.value import Value


class Row:
    """Fields that commands have made, over those of an event; of a group there is no event."""

    __slots__ = ("made", "record")

    def __init__(self, record: Record | None, made: dict[str, Value]) -> None:
        self.record, self.made = record, made

    def get(self, name: str) -> Value:
        """A field; None when there is none of that name."""
        if name in self.made:
            return self.made[name]
        return None if self.record is None else self.record.get(name)


Evaluate = Callable[[Row], Value]


class Named(NamedTuple):
    """An expression and the name its value gets: its alias, or its own text."""

    name: str
    evaluate: Evaluate
    plain: bool
    """Whether it is a field under its own name."""


class Fields(NamedTuple):
    """`fields`: makes fields and shows them."""

    named: Sequence[Named]


class Display(NamedTuple):
    """`display`: shows these and no others."""

    named: Sequence[Named]


class Filter(NamedTuple):
    """`filter`: lets rows through for which the condition holds."""

    condition: Evaluate


class Parse(NamedTuple):
    """`parse`: cuts a text into fields; `cut` gives them, None when the text does not fit."""

    source: Evaluate
    cut: Callable[[str], Mapping[str, str] | None]
    names: Sequence[str]


class Sum(NamedTuple):
    """One call of an aggregate in `stats`, and the hidden field that its result gets."""

    slot: str
    make: Callable[[], Aggregate]
    argument: Evaluate | None


class Stats(NamedTuple):
    """`stats … by …`: one row for each group."""

    named: Sequence[Named]
    sums: Sequence[Sum]
    by: Sequence[Named]


class Sort(NamedTuple):
    """`sort`: keys, and whether each goes downwards."""

    keys: Sequence[tuple[Evaluate, bool]]


class Limit(NamedTuple):
    """`limit`: the first so many rows."""

    most: int


class Dedup(NamedTuple):
    """`dedup`: of rows that agree in these, the first."""

    keys: Sequence[Evaluate]


Command = Fields | Display | Filter | Parse | Stats | Sort | Limit | Dedup
