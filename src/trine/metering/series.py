"""Usage over time: for plots. Pure but for the reading.

Enters a view of the ledger and a range; leaves one point for each step of time, with USD and calls of each group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trine.metering.cost import amounts_of
from trine.metering.ledger import LedgerView
from trine.metering.period import shown
from trine.metering.prices import Prices
from trine.metering.survey import GROUPINGS, PAY, Timeline, caused

POINTS_MAX_COUNT = 300
GROUPS_MAX_COUNT = 20
STEPS_MINUTES = (1, 5, 15, 60, 360, 1440, 10_080, 44_640, 525_600)


def usage_over_time(
    ledger: LedgerView, prices: Prices, start: int, stop: int, by: str, only: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """`{"stepMinutes", "from", "points": [{"at", "groups": {name: {"usd", "calls", "errors"}}}]}`.

    The step is the shortest that needs at most 300 points; groups beyond the 20 dearest are counted as `(other)`.
    Prices are those of the first tier. Calls are those that came from outside, as those of the bill.
    """
    step = next((step for step in STEPS_MINUTES if (stop - start) / step <= POINTS_MAX_COUNT), STEPS_MINUTES[-1])
    whoever_asked = any(name not in PAY for name, _ in only)
    timeline, group_of = Timeline(ledger.levels(stop)), GROUPINGS[by]
    points: dict[int, dict[str, dict[str, float]]] = {}
    whole: dict[str, float] = {}
    for minute, dimensions, counts in ledger.rows(start, stop):
        if not all(GROUPINGS[name](dimensions) == value for name, value in only):
            continue
        amounts = amounts_of(dimensions, counts, timeline.paid(dimensions, minute))
        usd = sum(amount * prices.meters[meter].first_usd for meter, amount in amounts.items())
        name = group_of(dimensions)
        whole[name] = whole.get(name, 0.0) + usd
        group = points.setdefault(start + (minute - start) // step * step, {}).setdefault(
            name, {"usd": 0.0, "calls": 0.0, "errors": 0.0}
        )
        group["usd"] += usd
        if whoever_asked or not caused(dimensions):
            group["calls"] += counts.get("requests", 0.0)
            group["errors"] += counts.get("errors", 0.0)
    dearest = set(sorted(whole, key=lambda name: -whole[name])[:GROUPS_MAX_COUNT])
    return {
        "from": shown(start),
        "to": shown(stop),
        "stepMinutes": step,
        "points": [{"at": shown(at), "groups": _merged(points[at], dearest)} for at in sorted(points)],
    }


def _merged(groups: dict[str, dict[str, float]], kept: set[str]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name, figures in groups.items():
        into = found.setdefault(name if name in kept else "(other)", {})
        for figure, value in figures.items():
            into[figure] = into.get(figure, 0.0) + value
    return found
