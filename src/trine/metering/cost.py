"""From counts to money: which meters a row of usage turns, and what each costs. Pure.

Enters `Dimensions` and `Counts` with the way their table is billed; leaves amounts by meter, and USD by meter. Amounts
of several rows add up before they are priced, so that the tiers of a month apply to the month.
"""

from __future__ import annotations

from collections.abc import Mapping

from trine.metering.kinds.known import meters_of
from trine.metering.kinds.table_calls import ON_DEMAND, Paid
from trine.metering.prices import Prices
from trine.metering.usage import Counts, Dimensions

Amounts = dict[str, float]
"""Meter (`prices.METERS`) → how much of it."""


def amounts_of(dimensions: Dimensions, counts: Counts, paid: Paid = ON_DEMAND) -> Amounts:
    """What a row turns; of one that is about a table, how that is `paid` for."""
    return {name: counts[counted] / per for name, counted, per in meters_of(dimensions, paid) if counts.get(counted)}


def add_amounts(total: Amounts, more: Mapping[str, float]) -> None:
    """Add `more` to `total`, meter by meter."""
    for meter, amount in more.items():
        total[meter] = total.get(meter, 0.0) + amount


def cost_of(amounts: Mapping[str, float], prices: Prices) -> dict[str, float]:
    """Meter → USD; tiers count from nothing, as at the beginning of a month."""
    return {meter: prices.meters[meter].cost_usd(amount) for meter, amount in amounts.items() if amount}
