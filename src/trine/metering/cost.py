"""From counts to money: which meters a row of usage turns, and what each costs. Pure.

Enters `Dimensions` and `Counts` with the way their table is billed; leaves amounts by meter, and USD by meter. Amounts
of several rows add up before they are priced, so that the tiers of a month apply to the month.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from trine.metering.prices import HOURS_PER_MONTH, Prices
from trine.metering.usage import Counts, Dimensions

GB_BYTES = 1024**3
"""AWS's GB of storage and of transferred data has 2^30 bytes."""
SECONDS_PER_HOUR = 3600
Amounts = dict[str, float]
"""Meter (`prices.METERS`) → how much of it."""


_BY_CALL = {
    "sqs": {"queue.request": "units", "queue.fifo-request": "fifoUnits"},
    "sns": {"topic.request": "units", "topic.fifo-message": "fifoUnits"},
    "events": {"event.published": "units"},
    "scheduler": {"schedule.invocation": "units"},
}
"""Services that are charged by what is counted as it is: meter → name in the counts."""


class Paid(NamedTuple):
    """How a table or index is paid for."""

    provisioned: bool = False
    infrequent: bool = False
    """Of the class STANDARD_INFREQUENT_ACCESS."""

    @property
    def meters(self) -> str:
        """How its meters begin."""
        return "table.ia-" if self.infrequent else "table."


ON_DEMAND = Paid()


def amounts_of(dimensions: Dimensions, counts: Counts, paid: Paid = ON_DEMAND) -> Amounts:
    """What a row turns; of one that is about a table, how that is `paid` for.

    Units of a provisioned table are its share of what is provisioned: a unit is a capacity unit for one second.
    """
    service = dimensions.service
    found: Amounts = {}
    if service in ("rest", "http"):
        found[f"{service}.request"] = counts.get("units", 0.0)
        found["data.out-gb"] = counts.get("bytesOut", 0.0) / GB_BYTES
        found["logs.in-gb"] = counts.get("logBytes", 0.0) / GB_BYTES
    elif service == "websocket":
        found["websocket.message"] = counts.get("messages", 0.0)
        found["websocket.connection-minute"] = counts.get("connectionMinutes", 0.0)
        found["logs.in-gb"] = counts.get("logBytes", 0.0) / GB_BYTES
    elif service == "lambda":
        found["rest.request"] = counts.get("restUnits", 0.0)
        found["lambda.request"] = counts.get("requests", 0.0)
        found["lambda.gb-second"] = counts.get("mbMs", 0.0) / 1024 / 1000
        found["lambda.arm-gb-second"] = counts.get("armMbMs", 0.0) / 1024 / 1000
        found["lambda.ready-gb-second"] = counts.get("readyMbMs", 0.0) / 1024 / 1000
        found["lambda.arm-ready-gb-second"] = counts.get("armReadyMbMs", 0.0) / 1024 / 1000
        found["lambda.storage-gb-second"] = counts.get("storageMbMs", 0.0) / 1024 / 1000
        found["lambda.streamed-gb"] = counts.get("streamedBytes", 0.0) / GB_BYTES
        found["logs.in-gb"] = counts.get("logBytes", 0.0) / GB_BYTES
        found["data.out-gb"] = counts.get("bytesOut", 0.0) / GB_BYTES
    elif service == "cloudwatch":
        found["cloudwatch.request"] = counts.get("units", 0.0)
        found["cloudwatch.metric-month"] = counts.get("metricHours", 0.0) / HOURS_PER_MONTH
    elif service in _BY_CALL:
        found |= {meter: counts.get(name, 0.0) for meter, name in _BY_CALL[service].items()}
    elif service == "logs":
        found["logs.in-gb"] = counts.get("logBytes", 0.0) / GB_BYTES
        found["logs.scanned-gb"] = counts.get("scannedBytes", 0.0) / GB_BYTES
    elif service == "stream":
        found["stream.read"] = counts.get("readUnits", 0.0)
    elif service == "table":
        reads, writes = counts.get("readUnits", 0.0), counts.get("writeUnits", 0.0)
        if paid.provisioned:
            found[f"{paid.meters}read-capacity-hour"] = reads / SECONDS_PER_HOUR
            found[f"{paid.meters}write-capacity-hour"] = writes / SECONDS_PER_HOUR
        else:
            found[f"{paid.meters}read-unit"], found[f"{paid.meters}write-unit"] = reads, writes
    return {meter: amount for meter, amount in found.items() if amount}


def add_amounts(total: Amounts, more: Mapping[str, float]) -> None:
    """Add `more` to `total`, meter by meter."""
    for meter, amount in more.items():
        total[meter] = total.get(meter, 0.0) + amount


def cost_of(amounts: Mapping[str, float], prices: Prices) -> dict[str, float]:
    """Meter → USD; tiers count from nothing, as at the beginning of a month."""
    return {meter: prices.meters[meter].cost_usd(amount) for meter, amount in amounts.items() if amount}
