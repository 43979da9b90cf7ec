"""Events taken through the commands of a query, a slice at a time, so that the server breathes between.

Enters records, the newest first, and commands; leaves rows as GetQueryResults shows them. What comes before the first
command that needs all rows (`stats`, `sort`, `dedup`) is done row by row, and ends early where a `limit` follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trine.logs.insights.aggregate import Aggregate
from trine.logs.insights.breath import Breath
from trine.logs.insights.command import Command, Dedup, Display, Fields, Filter, Limit, Named, Parse, Row, Sort, Stats
from trine.logs.insights.pointer import pointer_of
from trine.logs.insights.record import Record
from trine.logs.insights.value import Value, is_true, shown, sort_key, text

GROUPS_MAX_COUNT = 100_000
"""Groups of one `stats`. Trine's own bound against a query that fills the memory."""
POINTER = "@ptr"
Shown = list[dict[str, str]]


class TooManyGroups(Exception):
    """`stats` told too much apart."""


class Found(NamedTuple):
    """What a query found."""

    rows: list[Shown]
    scanned: int
    matched: int
    bytes_scanned: int


async def run(commands: Sequence[Command], records: Iterable[Record], limit: int, breath: Breath) -> Found:
    """The rows of a query. TooManyGroups, TimedOut."""
    streaming = [*_leading(commands)]
    rest = commands[len(streaming) :]
    first = rest[0] if rest else None
    enough = limit if first is None else first.most if isinstance(first, Limit) else None
    grouping = Grouping(first) if isinstance(first, Stats) else None
    rows: list[Row] = []
    scanned = matched = bytes_scanned = 0
    for record in records:
        if matched == enough:
            break
        scanned += 1
        bytes_scanned += len(record.event.message)
        if breath.due():
            await breath.take()
        row = Row(record, {})
        if all(_pass(command, row) for command in streaming):
            matched += 1
            if grouping is not None:
                grouping.add(row)  # nothing but its sums stays of it
            else:
                rows.append(row)
    if grouping is not None:
        rows, rest = grouping.rows(), rest[1:]
    for command in rest:
        await breath.take()
        rows = await _apply(command, rows, breath)
    columns = _columns(commands)
    pointed = not any(isinstance(command, Stats) for command in commands)
    return Found([_shown(row, columns, pointed) for row in rows[:limit]], scanned, matched, bytes_scanned)


def _leading(commands: Sequence[Command]) -> Iterable[Command]:
    for command in commands:
        if not isinstance(command, Fields | Display | Filter | Parse):
            return
        yield command


def _pass(command: Command, row: Row) -> bool:
    """Do a command to one row; False when it is dropped."""
    if isinstance(command, Filter):
        return is_true(command.condition(row))
    if isinstance(command, Parse):
        given = text(command.source(row))
        found = None if given is None else command.cut(given)
        if found is not None:
            row.made.update(found)
    elif isinstance(command, Fields | Display):
        _make(command.named, row)
    return True


def _make(named: Sequence[Named], row: Row) -> None:
    for one in named:
        if not one.plain:
            row.made[one.name] = one.evaluate(row)


async def _apply(command: Command, rows: list[Row], breath: Breath) -> list[Row]:
    if isinstance(command, Sort):
        for evaluate, down in reversed(command.keys):
            keyed = [(sort_key(evaluate(row)), row) for row in rows]
            present = [one for one in keyed if one[0][0] < 2]  # what is missing comes last, either way
            present.sort(key=lambda one: one[0], reverse=down)
            rows = [row for _, row in present] + [row for key, row in keyed if key[0] == 2]
        return rows
    if isinstance(command, Limit):
        return rows[: command.most]
    if isinstance(command, Dedup):
        first: dict[tuple[str | None, ...], Row] = {}
        for row in rows:
            first.setdefault(tuple(text(key(row)) for key in command.keys), row)
        return list(first.values())
    kept: list[Row] = []
    grouping = Grouping(command) if isinstance(command, Stats) else None
    for row in rows:
        if breath.due():
            await breath.take()
        if grouping is not None:
            grouping.add(row)
        elif _pass(command, row):
            kept.append(row)
    return kept if grouping is None else grouping.rows()


class Grouping:
    """The groups of one `stats`, added up row by row."""

    def __init__(self, command: Stats) -> None:
        self._command = command
        self._groups: dict[tuple[str | None, ...], tuple[dict[str, Value], list[Aggregate]]] = {}

    def add(self, row: Row) -> None:
        """Take in a row. TooManyGroups."""
        command = self._command
        values = [one.evaluate(row) for one in command.by]
        key = tuple(map(text, values))
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= GROUPS_MAX_COUNT:
                raise TooManyGroups(f"stats told more than {GROUPS_MAX_COUNT} groups apart")
            names = {one.name: value for one, value in zip(command.by, values, strict=True)}
            group = self._groups[key] = (names, [one.make() for one in command.sums])
        at = row.get("@timestamp")
        for one, aggregate in zip(command.sums, group[1], strict=True):
            aggregate.add(None if one.argument is None else one.argument(row), at)

    def rows(self) -> list[Row]:
        """One row for each group; of nothing at all, without `by`, there is one: its count is 0."""
        command = self._command
        if not self._groups and not command.by:
            self._groups[()] = ({}, [one.make() for one in command.sums])
        found = []
        for names, aggregates in self._groups.values():
            row = Row(None, names)
            for one, aggregate in zip(command.sums, aggregates, strict=True):
                row.made[one.slot] = aggregate.result()
            for item in command.named:
                row.made[item.name] = item.evaluate(row)
            found.append(row)
        return found


def _columns(commands: Sequence[Command]) -> list[str]:
    """The names that are shown: of the last `display`, else of the last `stats` and the `fields` behind it."""
    names: list[str] = []
    for command in commands:
        if isinstance(command, Stats):
            names = [one.name for one in (*command.by, *command.named)]
        elif isinstance(command, Fields):
            names += [one.name for one in command.named]
    for command in commands:
        if isinstance(command, Display):
            names = [one.name for one in command.named]
    return list(dict.fromkeys(names)) or ["@timestamp", "@message"]


def _shown(row: Row, columns: Sequence[str], pointed: bool) -> Shown:
    found = [{"field": name, "value": shown(value)} for name in columns if (value := row.get(name)) is not None]
    if pointed and row.record is not None:
        found.append({"field": POINTER, "value": pointer_of(row.record)})
    return found
