"""`trine top` as text: two looks at the stack become lines with rates. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trine.cli.waterfall import printable

NAME_WIDTH = 44
Row = Mapping[str, Any]


def lines(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The whole screen."""
    seconds = max(1e-9, now["at"] - before["at"])
    yield f"{'ROUTE':{NAME_WIDTH}} {'req/s':>9} {'4xx/s':>8} {'5xx/s':>8} {'p50 ms':>9} {'p99 ms':>9}"
    for route, rate in _rates(before["routes"], now["routes"], ("api", "stage", "route"), seconds):
        yield (
            f"{_name(route['api'] + '/' + route['stage'] + ' ' + route['route'])} {rate('count'):>9.1f} "
            f"{rate('clientErrors'):>8.1f} {rate('serverErrors'):>8.1f} {_millis(route, 'p50')} {_millis(route, 'p99')}"
        )
    if not now["routes"]:
        yield "(no request yet)"
    yield ""
    yield (
        f"{'FUNCTION':{NAME_WIDTH}} {'inv/s':>9} {'err/s':>8} {'thr/s':>8} {'p50 ms':>9} {'p99 ms':>9} {'runs':>5} "
        f"{'warm':>5}"
    )
    for function, rate in _rates(before["functions"], now["functions"], ("function",), seconds):
        warm = sum(count for state, count in function["environments"].items() if state in ("idle", "invoke"))
        yield (
            f"{_name(function['function'])} {rate('invocations'):>9.1f} {rate('errors'):>8.1f} "
            f"{rate('throttles'):>8.1f} {_millis(function, 'p50')} {_millis(function, 'p99')} "
            f"{function['running']:>5} {warm:>5}"
        )
    yield ""
    yield f"{'TABLE, INDEX':{NAME_WIDTH}} {'read/s':>9} {'write/s':>8} {'thr/s':>8} {'of':>9} {'of':>9} {'stored':>11}"
    for table, rate in _rates(before["tables"], now["tables"], ("table", "index"), seconds):
        name = f"{table['table']}/{table['index']}" if table["index"] else table["table"]
        reads, writes = (_provisioned(table[kind]) for kind in ("provisionedReadUnits", "provisionedWriteUnits"))
        yield (
            f"{_name(name)} {rate('readUnits'):>9.1f} {rate('writeUnits'):>8.1f} {rate('throttled'):>8.1f} "
            f"{reads:>9} {writes:>9} {_size(table['storedBytes']):>11}"
        )
    loud = [alarm for alarm in now["alarms"] if alarm["state"] != "OK"]
    if loud:
        yield ""
        yield from (f"{alarm['state']}: {printable(alarm['name'])}" for alarm in loud)


def _rates(
    before: list[Row], now: list[Row], names: tuple[str, ...], seconds: float
) -> Iterator[tuple[Row, Callable[[str], float]]]:
    """Each row of now, with what makes a rate of one of its counters; what was not there before began at zero."""
    known = {tuple(row[name] for name in names): row for row in before}

    def rates(row: Row) -> Callable[[str], float]:
        earlier = known.get(tuple(row[name] for name in names), {})
        return lambda counter: float(max(0.0, row[counter] - earlier.get(counter, 0.0)) / seconds)

    for row in now:
        yield row, rates(row)


def _name(text: str) -> str:
    shown = printable(text)
    return f"{shown if len(shown) <= NAME_WIDTH else shown[: NAME_WIDTH - 1] + '…':{NAME_WIDTH}}"


def _millis(row: Row, percentile: str) -> str:
    value = row[f"{percentile}Millis"]
    return f"{value:>9.2f}" if value is not None else f"{'–':>9}"


def _provisioned(units: float | None) -> str:
    return "on demand" if units is None else f"{units:,.0f}"


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:,.0f} {unit}"
        count /= 1024
    return f"{count:,.2f} GB"
