"""What is paid for as long as it is there, whoever uses it: provisioned concurrency, kept logs, alarms, dashboards.

Enters what the wings hold now, by meter and name; leaves how much of each meter that was over any range of minutes.
Tables have levels of their own (`ledger.Level`), because how they are paid decides what their units cost. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from trine.metering.period import MINUTES_PER_MONTH

Held = Callable[[], Iterable[tuple[str, str, float]]]
"""(meter, what, quantity) of everything that is held now: `("logs.gb-month", "/aws/lambda/hello", 0.5)`."""


class Holding(NamedTuple):
    """How much of one thing there is from a minute on."""

    minute: int
    """Since the Unix epoch."""
    meter: str
    what: str
    quantity: float
    """In the meter's unit without its time: GB of a GB-month, GB of a GB-second."""


def minutes_of(meter: str) -> float:
    """How many minutes one unit of a meter lasts: those of a month, an hour, a second."""
    unit = meter.rpartition("-")[2]
    return {"month": float(MINUTES_PER_MONTH), "hour": 60.0, "second": 1 / 60}[unit]


def held_between(holdings: Iterable[Holding], start: int, stop: int) -> dict[tuple[str, str], float]:
    """(meter, what) → the amount from the minute `start` up to but without `stop`; what was nothing is left out."""
    found: dict[tuple[str, str], float] = {}
    latest: dict[tuple[str, str], Holding] = {}

    def until(minute: int, before: Holding) -> None:
        minutes = min(minute, stop) - max(before.minute, start)
        if minutes > 0 and before.quantity:
            name = (before.meter, before.what)
            found[name] = found.get(name, 0.0) + before.quantity * minutes / minutes_of(before.meter)

    for holding in sorted(holdings, key=lambda one: one.minute):
        name = (holding.meter, holding.what)
        if name in latest:
            until(holding.minute, latest[name])
        latest[name] = holding
    for holding in latest.values():
        until(stop, holding)
    return found
