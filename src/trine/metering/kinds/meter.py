"""The words in which a kind of usage says what AWS charges for, and helpers to count groups."""

from __future__ import annotations

from typing import NamedTuple

from trine.metering.usage import Dimensions, Payer

MS_PER_NS = 1e-6
"""Times are sorted and kept as the integers they are noted as: twice as quick as in milliseconds."""
GB_BYTES = 1024**3
"""AWS's GB of storage and of transferred data has 2^30 bytes."""


class Meter(NamedTuple):
    """What some count of a row turns."""

    name: str
    """Of `prices.METERS`: `lambda.gb-second`."""
    counted: str
    """Of `usage.COUNTED`."""
    per: float = 1
    """So much of the count is one unit of the meter."""


Meters = tuple[Meter, ...]
DATA_OUT, LOGS_IN = Meter("data.out-gb", "bytesOut", GB_BYTES), Meter("logs.in-gb", "logBytes", GB_BYTES)


def dimensions_of(
    service: str, payer: Payer | str | None, function: str = "", table: str = "", index: str = ""
) -> Dimensions:
    """The row of a payer: a route's, or whoever called by a name."""
    if isinstance(payer, Payer):
        return Dimensions(service, payer.route.text, payer.api_key, payer.caller, function, table, index)
    return Dimensions(service, "", "", payer or "", function, table, index)
