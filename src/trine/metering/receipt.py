"""What one request cost: its receipt, from its trace.

Enters the trace of a request and everything it caused; leaves one line for each thing that AWS would charge for, with
the amount, the price and the USD, and the sum. What is not known of one request (its share of storage) is not on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from trine.metering.cost import amounts_of
from trine.metering.kinds.known import tally
from trine.metering.kinds.table_calls import ON_DEMAND, Paid
from trine.metering.prices import Prices
from trine.trace import CHILDREN_MAX, Trace

PaidFor = Callable[[str, str], Paid]
"""(table, index or "") → how it is paid for."""


class ReceiptLine(NamedTuple):
    """One thing charged for."""

    meter: str
    what: str
    """The function, table or index; empty for the front door."""
    amount: float
    unit: str
    unit_usd: float
    usd: float


class Receipt(NamedTuple):
    """Everything one request cost."""

    lines: tuple[ReceiptLine, ...]
    incomplete: bool
    """More calls were made than a trace remembers: the receipt lacks the rest. The bill does not."""

    @property
    def usd(self) -> float:
        """The sum."""
        return sum(line.usd for line in self.lines)

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"usd": self.usd, "usdPerMillion": self.usd * 1e6, "incomplete": self.incomplete,
                "lines": [line._asdict() for line in self.lines]}  # fmt: skip

    def header(self) -> bytes:
        """As one header line: `usd=0.0000041;lambda.gb-second=0.0125;…`."""
        parts = [f"usd={self.usd:.10f}"]
        amounts: dict[str, float] = {}
        for line in self.lines:
            amounts[line.meter] = amounts.get(line.meter, 0.0) + line.amount
        return ";".join([*parts, *(f"{meter}={amount:.6g}" for meter, amount in amounts.items())]).encode()


def receipt_of(trace: Trace, prices: Prices, paid_for: PaidFor) -> Receipt:
    """The receipt of a request and of all it caused so far. Prices are those of the month's first tier."""
    found: dict[tuple[str, str], float] = {}
    incomplete = False
    for one in _with_children(trace):
        incomplete = incomplete or len(one.children) >= CHILDREN_MAX
        for dimensions, counts in tally(one):
            what = dimensions.function if dimensions.service == "lambda" else dimensions.table
            what = f"{what}/{dimensions.index_name}" if dimensions.index_name else what
            paid = paid_for(dimensions.table, dimensions.index_name) if dimensions.service == "table" else ON_DEMAND
            for meter, amount in amounts_of(dimensions, counts, paid).items():
                found[meter, what] = found.get((meter, what), 0.0) + amount
    lines = []
    for (meter, what), amount in found.items():
        price = prices.meters[meter]
        lines.append(ReceiptLine(meter, what, amount, price.unit, price.first_usd, amount * price.first_usd))
    return Receipt(tuple(lines), incomplete)


def pointed_out(trace: Trace, prices: Prices) -> list[dict[str, Any]]:
    """What cost more than it had to, with what it cost and what would replace it: Scans in a request path."""
    found = []
    for one in _with_children(trace):
        for step in one.steps if one.kind == "dynamodb" else ():
            if step.room == "dynamodb.access" and step.detail is not None:
                usd = float(step.detail.get("units", 0.0)) * prices.meters["table.read-unit"].first_usd
                found.append({**step.detail, "usd": usd, "usdPerMillion": usd * 1e6})
    return found


def _with_children(trace: Trace) -> Iterator[Trace]:
    yield trace
    for child in trace.children:
        yield from _with_children(child)
