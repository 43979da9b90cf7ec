"""`trine top` as text: two looks at the stack become lines with rates, the busiest first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from trine.cli.waterfall import printable

NAME_MIN_WIDTH, NAME_MAX_WIDTH = 16, 60
FIGURES_WIDTH = 61
"""What the widest section has beside names."""
WIDTH = 105
"""Of what is printed where there is no terminal."""
Row = Mapping[str, Any]
Rate = Callable[[str], float]


class Section(NamedTuple):
    """A head and rows below it."""

    head: str
    rows: Sequence[str]


def lines(before: Row, now: Row, width: int = WIDTH, height: int | None = None) -> list[str]:
    """The whole screen. Sections share a `height`: of those with more rows than fit, the busiest stay."""
    name_width = max(NAME_MIN_WIDTH, min(NAME_MAX_WIDTH, width - FIGURES_WIDTH))
    seconds = max(1e-9, now["at"] - before["at"])
    sections = [
        _routes(before["routes"], now["routes"], seconds, name_width),
        _functions(before["functions"], now["functions"], seconds, name_width),
        _tables(before["tables"], now["tables"], seconds, name_width),
    ]
    if loud := [alarm for alarm in now["alarms"] if alarm["state"] != "OK"]:
        loud.sort(key=lambda alarm: (alarm["state"] != "ALARM", alarm["name"]))
        sections.append(Section("ALARMS", [f"{alarm['state']}: {printable(alarm['name'])}" for alarm in loud]))
    needs = [len(section.rows) for section in sections]
    room = sum(needs) if height is None else max(0, height - 2 * len(sections) + 1)
    found: list[str] = []
    for section, share in zip(sections, _shares(needs, room), strict=True):
        found += [*([""] if found else []), section.head, *_fitting(section.rows, share)]
    return found


def _shares(needs: Sequence[int], room: int) -> list[int]:
    """How many rows each section gets: what it needs, or an equal part of what the smaller ones leave."""
    shares, left = [0] * len(needs), room
    for at, index in enumerate(sorted(range(len(needs)), key=lambda one: needs[one])):
        shares[index] = min(needs[index], left // (len(needs) - at))
        left -= shares[index]
    return shares


def _fitting(rows: Sequence[str], share: int) -> Sequence[str]:
    if len(rows) <= share:
        return rows
    kept = max(0, share - 1)
    return [*rows[:kept], f"… and {len(rows) - kept:,} more"] if share else []


def _routes(before: list[Row], now: list[Row], seconds: float, wide: int) -> Section:
    head = f"{'ROUTE':{wide}} {'req/s':>9} {'4xx/s':>8} {'5xx/s':>8} {'p50 ms':>9} {'p99 ms':>9}"
    rows = []
    for route, rate in _busiest(before, now, ("api", "stage", "route"), seconds, ("count",)):
        name = f"{route['api']}/{route['stage']} {route['route']}"
        rows.append(
            f"{_name(name, wide)} {rate('count'):>9.1f} {rate('clientErrors'):>8.1f} {rate('serverErrors'):>8.1f} "
            f"{_millis(route, 'p50')} {_millis(route, 'p99')}"
        )
    return Section(head, rows or ["(no request yet)"])


def _functions(before: list[Row], now: list[Row], seconds: float, wide: int) -> Section:
    head = f"{'FUNCTION':{wide}} {'inv/s':>9} {'err/s':>8} {'thr/s':>8} {'p50 ms':>9} {'p99 ms':>9}"
    head += f" {'runs':>5} {'warm':>5}"
    rows = []
    for function, rate in _busiest(before, now, ("function",), seconds, ("invocations",)):
        warm = sum(count for state, count in function["environments"].items() if state in ("idle", "invoke"))
        rows.append(
            f"{_name(function['function'], wide)} {rate('invocations'):>9.1f} {rate('errors'):>8.1f} "
            f"{rate('throttles'):>8.1f} {_millis(function, 'p50')} {_millis(function, 'p99')} "
            f"{function['running']:>5} {warm:>5}"
        )
    return Section(head, rows or ["(none)"])


def _tables(before: list[Row], now: list[Row], seconds: float, wide: int) -> Section:
    head = f"{'TABLE, INDEX':{wide}} {'RCU/s':>9} {'WCU/s':>8} {'thr/s':>8} {'of RCU':>9} {'of WCU':>9} {'stored':>11}"
    rows = []
    for table, rate in _busiest(before, now, ("table", "index"), seconds, ("readUnits", "writeUnits")):
        name = f"{table['table']}/{table['index']}" if table["index"] else table["table"]
        reads, writes = (_provisioned(table[kind]) for kind in ("provisionedReadUnits", "provisionedWriteUnits"))
        rows.append(
            f"{_name(name, wide)} {rate('readUnits'):>9.1f} {rate('writeUnits'):>8.1f} {rate('throttled'):>8.1f} "
            f"{reads:>9} {writes:>9} {_size(table['storedBytes']):>11}"
        )
    return Section(head, rows or ["(none)"])


def _busiest(
    before: list[Row], now: list[Row], names: tuple[str, ...], seconds: float, counters: tuple[str, ...]
) -> list[tuple[Row, Rate]]:
    """Each row of now, with what makes a rate of one of its counters; by the rates of `counters`, then what there was
    since the start, then by name."""

    def order(entry: tuple[Row, Rate]) -> tuple[float, float, list[str]]:
        row, rate = entry
        return -sum(map(rate, counters)), -sum(row[one] for one in counters), [str(row[name] or "") for name in names]

    return sorted(_rates(before, now, names, seconds), key=order)


def _rates(before: list[Row], now: list[Row], names: tuple[str, ...], seconds: float) -> Iterator[tuple[Row, Rate]]:
    """Each row of now, with what makes a rate of one of its counters; what was not there before began at zero."""
    known = {tuple(row[name] for name in names): row for row in before}

    def rates(row: Row) -> Rate:
        earlier = known.get(tuple(row[name] for name in names), {})
        return lambda counter: float(max(0.0, row[counter] - earlier.get(counter, 0.0)) / seconds)

    for row in now:
        yield row, rates(row)


def _name(text: str, width: int) -> str:
    shown = printable(text)
    return f"{shown if len(shown) <= width else shown[: width - 1] + '…':{width}}"


def _millis(row: Row, percentile: str) -> str:
    value = row[f"{percentile}Millis"]
    return f"{value:>9.2f}" if value is not None else f"{'–':>9}"


def _provisioned(units: float | None) -> str:
    return "on demand" if units is None else f"{units:,.0f}"


def _size(count: float) -> str:
    if count < 1024:
        return f"{count:,.0f} B"
    for unit in ("KB", "MB"):
        count /= 1024
        if count < 1024:
            return f"{count:,.1f} {unit}"
    return f"{count / 1024:,.2f} GB"
