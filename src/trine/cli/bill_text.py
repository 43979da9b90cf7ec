"""Bills and projections as text. Enters the documents of `metering`, leaves lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trine.cli.waterfall import printable
from trine.metering.meter_names import NAMES

__all__ = ["bill_lines", "printable", "projection_lines"]

NAME_WIDTH = 48


def bill_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The bill of a range of time."""
    yield f"From {document['from']} to {document['to']} ({document['minutes']:,} min), by {document['by']}"
    yield ""
    yield f"{'':{NAME_WIDTH}} {'calls':>12} {'USD':>14} {'USD a million':>14}"
    for group in document["groups"]:
        yield _row(group["name"], group["calls"], group["usd"], group["usdPerMillion"])
    if not document["groups"]:
        yield "(nothing was called)"
    for line in document["standing"]:
        name = f"({NAMES[line['meter']]}) {line['what']}"
        yield f"{_fitted(name)} {'':>12} {line['usd']:>14.6f}"
    total = document["total"]
    yield "─" * (NAME_WIDTH + 43)
    yield _row("together", total["calls"], total["usd"], total["usdPerMillion"])
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
    yield f"{'':28} {'on demand':>14} {'provisioned':>14} {'always on':>14}"
    for meter, name in NAMES.items():
        shown = [way["usdByMeter"].get(meter) for way in (on_demand, provisioned)]
        if any(shown):
            yield f"{name:28} {_usd(shown[0])} {_usd(shown[1])}"
    for part in always_on["parts"]:
        count = "" if part["count"] == 1 else f"{part['count']:g} × "
        yield f"{_fitted(count + part['name'], 57)} {_usd(part['usd'])}"
    yield "─" * 73
    yield f"{'USD a month':28} {_usd(on_demand['usd'])} {_usd(provisioned['usd'])} {_usd(always_on['usd'])}"
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
            yield f"  {name:20} {amounts[meter]:>16,.6g} {units[meter]:<36} {usd[meter]:>12.6f}"


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


def _row(name: str, calls: float, usd: float, per_million: float | None) -> str:
    each = f"{per_million:>14.2f}" if per_million is not None else f"{'–':>14}"
    return f"{_fitted(name)} {calls:>12,.0f} {usd:>14.6f} {each}"


def _fitted(name: str, width: int = NAME_WIDTH) -> str:
    shown = printable(name)
    return f"{shown if len(shown) <= width else shown[: width - 1] + '…':{width}}"


def _usd(amount: float | None) -> str:
    return f"{amount:>14.4f}" if amount is not None else f"{'–':>14}"
