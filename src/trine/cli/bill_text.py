"""Bills and projections as text. Enters the documents of `metering`, leaves lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trine.cli.waterfall import printable
from trine.metering.meter_names import NAMES

__all__ = ["bill_lines", "printable", "projection_lines"]

NAME_MIN_WIDTH, NAME_MAX_WIDTH = 40, 110
LEAST_USD = 1e-6
"""What is less is not told apart in columns of sums."""


def bill_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The bill of a range of time."""
    if not document["minutes"]:
        yield f"Nothing was recorded in this range of time; what is recorded begins at {document['from']}."
        return
    yield f"From {document['from']} to {document['to']} ({document['minutes']:,} min), by {document['by']}"
    yield ""
    standing = [(f"({NAMES[line['meter']]}) {line['what']}", line["usd"]) for line in document["standing"]]
    wide = _width([*(group["name"] for group in document["groups"]), *(name for name, _ in standing)])
    yield f"{'':{wide}} {'calls':>12} {'USD':>14} {'USD a million':>14}"
    for group in document["groups"]:
        yield _row(group["name"], wide, group["calls"], group["usd"], group["usdPerMillion"])
    if not document["groups"]:
        yield "(nothing was called)"
    for name, usd in standing:
        yield f"{_fitted(name, wide)} {'':>12} {_sum(usd):>14}"
    total = document["total"]
    yield "─" * (wide + 43)
    yield _row("together", wide, total["calls"], total["usd"], total["usdPerMillion"])
    if standing:
        yield _row("  of it for use", wide, total["calls"], total["usageUsd"], total["usageUsdPerMillion"])
    yield ""
    yield from _by_meter(total["usdByMeter"], total["amounts"], document["priceList"]["units"])
    yield from _footer(document)


def projection_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """A month three ways, side by side."""
    on_demand, provisioned, always_on = document["onDemand"], document["provisioned"], document["alwaysOn"]
    yield (
        f"A month ({document['hours']:.0f} hours): {document['requests']:,.0f} requests, at most "
        f"{document['peakRequestsPerSecond']:,.2f} a second, {document['storedGb']:.3f} GB stored"
    )
    yield ""
    parts = [
        (f"{part['count']:g} × " * (part["count"] != 1) + part["name"], part["usd"]) for part in always_on["parts"]
    ]
    wide = _width([name for name, _ in parts])
    yield f"{'':{wide}} {'on demand':>14} {'provisioned':>14} {'always on':>14}"
    for meter, name in NAMES.items():
        shown = [way["usdByMeter"].get(meter) for way in (on_demand, provisioned)]
        if any(shown):
            yield f"{name:{wide}} {_usd(shown[0])} {_usd(shown[1])}"
    for name, usd in parts:
        yield f"{_fitted(name, wide)} {'':>14} {'':>14} {_usd(usd)}"
    yield "─" * (wide + 45)
    yield f"{'USD a month':{wide}} {_usd(on_demand['usd'])} {_usd(provisioned['usd'])} {_usd(always_on['usd'])}"
    if provisioned["tables"]:
        yield ""
        yield "Provisioned capacity that fits best:"
        for table in provisioned["tables"]:
            yield (
                f"  {printable(table['table'])} {table['kind']}s: {table['minimum']} to {table['highest']} units, "
                f"{table['capacityHours']:,.0f} unit hours, {table['throttledShare']:.2%} refused"
            )
    yield from _footer(document)


def _by_meter(usd: Mapping[str, float], amounts: Mapping[str, float], units: Mapping[str, str]) -> Iterator[str]:
    for meter, name in NAMES.items():
        if meter in usd:
            yield f"  {name:20} {amounts[meter]:>16,.6g} {units[meter]:<36} {_sum(usd[meter]):>12}"


def _footer(document: Mapping[str, Any]) -> Iterator[str]:
    prices = document["priceList"]
    yield ""
    yield f"Prices: {printable(prices['region'])}, {printable(prices['date'])} ({printable(prices['file'])})"
    yield from (f"  {printable(source)}" for source in prices["source"])
    yield "Assumed:"
    yield from _bullets(document["assumptions"])
    if document["warnings"]:
        yield "Mind:"
        yield from _bullets(document["warnings"])


def _bullets(lines: Iterable[str]) -> Iterator[str]:
    return (f"  - {printable(line, limit=400)}" for line in lines)


def _row(name: str, wide: int, calls: float, usd: float, per_million: float | None) -> str:
    each = f"{per_million:>14,.2f}" if per_million is not None else f"{'–':>14}"
    return f"{_fitted(name, wide)} {calls:>12,.0f} {_sum(usd):>14} {each}"


def _sum(usd: float) -> str:
    return f"< {LEAST_USD:.6f}" if 0 < usd < LEAST_USD else f"{usd:,.6f}"


def _width(names: Iterable[str]) -> int:
    """Of the column of names: as wide as the longest, within bounds."""
    return min(NAME_MAX_WIDTH, max([NAME_MIN_WIDTH, *(len(printable(name)) for name in names)]))


def _fitted(name: str, width: int) -> str:
    shown = printable(name)
    return f"{shown if len(shown) <= width else shown[: width - 1] + '…':{width}}"


def _usd(amount: float | None) -> str:
    return f"{amount:>14.4f}" if amount is not None else f"{'–':>14}"
