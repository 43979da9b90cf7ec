"""A range of the ledger, read once: usage by group, demand of tables by the minute, and what stood there meanwhile.

Enters rows and levels; leaves a `Survey`, from which the bill, the projection and the alternatives are made. Pure but
for the reading.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct, field

from trine.metering.cost import Amounts, add_amounts, amounts_of
from trine.metering.holding import held_between
from trine.metering.kinds.meter import GB_BYTES
from trine.metering.kinds.table_calls import ON_DEMAND, Paid
from trine.metering.ledger import LedgerView, Level, Row, TableLevel, TableName
from trine.metering.period import MINUTES_PER_MONTH
from trine.metering.usage import FRONT_DOOR, Counts, Dimensions, add

GROUPINGS: dict[str, Callable[[Dimensions], str]] = {
    "route": lambda of: of.route,
    "function": lambda of: of.function,
    "table": lambda of: of.table,
    "index": lambda of: f"{of.table}/{of.index_name}" if of.index_name else of.table,
    "api-key": lambda of: of.api_key,
    "caller": lambda of: of.caller,
    "service": lambda of: of.service,
}
"""What usage can be told apart by."""


class Group(Struct):
    """What was used under one name."""

    amounts: Amounts = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    """By service."""
    calls: float = 0.0
    """Of those who pay (routes, keys, callers, all together): what came from outside, that is requests at the front
    door, events that started a function and calls to tables that no function made. Of a function, table or service:
    what it was asked, whoever asked."""


class Standing(Struct):
    """What one table or index held over the range, whoever used it."""

    amounts: Amounts = field(default_factory=dict)
    """GB-months and hours of provisioned capacity."""
    stored_bytes: float = 0.0
    """At the end of the range."""
    infrequent: bool = False
    """Its class, at the end of the range."""


class Survey(Struct):
    """Everything that bills need to know of a range of minutes."""

    start: int
    stop: int
    groups: dict[str, Group]
    total: Group
    demand: dict[TableName, dict[int, tuple[float, float]]]
    """Read and write units of each minute in which there were any."""
    requests: dict[int, float]
    """Requests at the front door (calls to tables, where there is none) of each minute in which there were any."""
    standing: dict[TableName, Standing]
    consumed: dict[TableName, Amounts] = field(default_factory=dict)
    """Hours of provisioned capacity that rows of usage have paid for already."""
    asked: float = 0.0
    """Requests at the front door; where there were none, invocations; where there were none, calls to tables: what a
    request of a load profile is."""
    held: dict[tuple[str, str], float] = field(default_factory=dict)
    """(meter, what) → how much of it, whoever used it: provisioned concurrency, kept logs, alarms."""

    @property
    def minutes(self) -> int:
        """Length of the range."""
        return self.stop - self.start


class Timeline:
    """What there was of every table and index, at any time."""

    def __init__(self, levels: Iterable[Level]) -> None:
        self._minutes: dict[TableName, list[int]] = {}
        self._levels: dict[TableName, list[TableLevel]] = {}
        for minute, now in sorted(levels, key=lambda one: one.minute):
            self._minutes.setdefault(now.name, []).append(minute)
            self._levels.setdefault(now.name, []).append(now)

    def at(self, name: TableName, minute: int) -> TableLevel | None:
        """The level at a minute; before the first one is known, that one."""
        minutes = self._minutes.get(name)
        if not minutes:
            return None
        return self._levels[name][max(0, bisect_right(minutes, minute) - 1)]

    def paid(self, dimensions: Dimensions, minute: int) -> Paid:
        """How the units of a row of that minute were paid."""
        if dimensions.service != "table":
            return ON_DEMAND
        level = self.at((dimensions.table, dimensions.index_name), minute)
        return ON_DEMAND if level is None else Paid(level.read_units > 0, level.infrequent)

    def standing(self, start: int, stop: int) -> dict[TableName, Standing]:
        """What everything held between two minutes. A table that was there is paid for while the stack was down."""
        found: dict[TableName, Standing] = {}
        for name, levels in self._levels.items():
            standing, minutes = Standing(), self._minutes[name]
            for level, minute, until in zip(levels, minutes, (*minutes[1:], stop), strict=True):
                begin, end = max(minute, start), min(until, stop)
                if minute < stop:
                    standing.stored_bytes, standing.infrequent = level.stored_bytes, level.infrequent
                if end <= begin:
                    continue
                hours = (end - begin) / 60
                meters = Paid(infrequent=level.infrequent).meters
                held = {
                    f"{meters}gb-month": level.stored_bytes / GB_BYTES * (end - begin) / MINUTES_PER_MONTH,
                    f"{meters}read-capacity-hour": level.read_units * hours,
                    f"{meters}write-capacity-hour": level.write_units * hours,
                }
                add_amounts(standing.amounts, {meter: amount for meter, amount in held.items() if amount})
            found[name] = standing
        return found


def survey(ledger: LedgerView, start: int, stop: int, by: str, only: Sequence[tuple[str, str]] = ()) -> Survey:
    """Read the minutes from `start` up to but without `stop`.

    `by` is one of GROUPINGS; `only` keeps rows whose name in another grouping is the given one: `("route", "…")`.
    """
    timeline = Timeline(ledger.levels(stop))
    group_of = GROUPINGS[by]
    found = Survey(start, stop, {}, Group(), {}, {}, timeline.standing(start, stop))
    found.held = held_between(ledger.holdings(stop), start, stop)
    calls: dict[str, dict[str, float]] = {}
    minutes: dict[str, dict[int, float]] = {"front": {}, "table": {}}
    for row in ledger.rows(start, stop):
        if all(GROUPINGS[name](row.dimensions) == value for name, value in only):
            _take_in(found, row, group_of(row.dimensions), timeline, calls, minutes)
    if only:
        found.standing = {name: one for name, one in found.standing.items() if _stands(name, only)}
        found.held = {name: amount for name, amount in found.held.items() if _is_held(name, only)}
    from_outside = not any(name not in PAY for name, _ in only)
    for name, group in found.groups.items():
        group.calls = _calls(calls.get(name, {}), from_outside=from_outside and by in PAY)
    whole: dict[str, float] = {}
    for of in calls.values():
        add(whole, of)
    found.total.calls = _calls(whole, from_outside=from_outside)
    found.asked = _calls(whole, from_outside=False)
    found.requests = minutes["front"] or minutes["table"]
    return found


_COUNTS_AS_CALLS = ("front", "lambda", "table", "stream", "sqs", "sns", "events", "scheduler", "logs", "cloudwatch")
"""What the calls of a group are: those of the first kind of which there are any."""
PAY = ("route", "api-key", "caller")
"""Groupings by who pays; the others are by what was asked."""
_FROM_OUTSIDE = "from outside"


def caused(of: Dimensions) -> bool:
    """Whether another row has counted what caused this one."""
    if of.service == "lambda":
        return bool(of.route)
    return of.service not in FRONT_DOOR and (of.service != "table" or bool(of.route or of.function))


def _stands(name: TableName, only: Sequence[tuple[str, str]]) -> bool:
    """Whether what stands there belongs to a bill of a part: to one of tables or indexes, never to one of callers."""
    whole = {"table": name[0], "index": f"{name[0]}/{name[1]}" if name[1] else name[0]}
    return all(whole.get(grouping) == value for grouping, value in only)


def _is_held(name: tuple[str, str], only: Sequence[tuple[str, str]]) -> bool:
    """Whether what is held belongs to a bill of a part: to one of the function or the service it stands for."""
    meter, what = name
    service = meter.partition(".")[0]
    whole = {"function": what.partition(":")[0] if service == "lambda" else "", "service": service}
    return all(whole.get(grouping) == value for grouping, value in only)


def _take_in(
    found: Survey, row: Row, name: str, timeline: Timeline, calls: dict[str, dict[str, float]], minutes: Any
) -> None:
    minute, dimensions, counts = row
    amounts = amounts_of(dimensions, counts, timeline.paid(dimensions, minute))
    group = found.groups.setdefault(name, Group())
    add_amounts(group.amounts, amounts)
    add(group.counts.setdefault(dimensions.service, {}), counts)
    add_amounts(found.total.amounts, amounts)
    add(found.total.counts.setdefault(dimensions.service, {}), counts)
    kind = "front" if dimensions.service in FRONT_DOOR else dimensions.service
    asked = counts.get("requests", 0.0)
    of = calls.setdefault(name, {})
    of[kind] = of.get(kind, 0.0) + asked
    if not caused(dimensions):
        of[_FROM_OUTSIDE] = of.get(_FROM_OUTSIDE, 0.0) + asked
    if kind in minutes and asked:
        minutes[kind][minute] = minutes[kind].get(minute, 0.0) + asked
    if dimensions.service == "table":
        hours = {meter: amount for meter, amount in amounts.items() if meter.endswith("-capacity-hour")}
        add_amounts(found.consumed.setdefault((dimensions.table, dimensions.index_name), {}), hours)
        reads, writes = counts.get("readUnits", 0.0), counts.get("writeUnits", 0.0)
        if reads or writes:
            demand = found.demand.setdefault((dimensions.table, dimensions.index_name), {})
            before = demand.get(minute, (0.0, 0.0))
            demand[minute] = (before[0] + reads, before[1] + writes)


def _calls(by_kind: dict[str, float], *, from_outside: bool) -> float:
    if from_outside and by_kind.get(_FROM_OUTSIDE):
        return by_kind[_FROM_OUTSIDE]
    return next((by_kind[kind] for kind in _COUNTS_AS_CALLS if by_kind.get(kind)), 0.0)
