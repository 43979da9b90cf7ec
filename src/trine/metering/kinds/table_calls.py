"""Calls to tables and their indexes, and reads of their streams."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from trine.metering.batch import TableCalls
from trine.metering.kinds.meter import MS_PER_NS, Meter, Meters, dimensions_of
from trine.metering.ledger import Ledger
from trine.metering.measures import DYNAMODB, Measures, MetricDimensions, MetricName
from trine.metering.tally import operation_of, table_of, table_uses_of
from trine.metering.usage import STREAM, Counts, Dimensions, Payer, function_of, root_of
from trine.trace import Trace

_SECONDS_PER_HOUR = 3600
METERS: dict[str, Meters] = {"stream": (Meter("stream.read", "readUnits"),)}
"""What tables turn depends on how they are paid for: `meters_of`."""


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


@cache
def meters_of(paid: Paid) -> Meters:
    """What a table or index turns. Units of a provisioned one are its share of what is provisioned: a unit is a
    capacity unit for one second."""
    unit, per = ("capacity-hour", _SECONDS_PER_HOUR) if paid.provisioned else ("unit", 1)
    return tuple(
        Meter(f"{paid.meters}{way}-{unit}", counted, per)
        for way, counted in (("read", "readUnits"), ("write", "writeUnits"))
    )


def tally(trace: Trace) -> Iterator[tuple[Dimensions, Counts]]:
    """What one of them adds to."""
    return rows_of(trace, root_of(trace).payer, function_of(trace))


def rows_of(trace: Trace, payer: Payer | str | None, function: str) -> Iterator[tuple[Dimensions, Counts]]:
    """One row for the table, one for each index it took units from."""
    counts: Counts = {"requests": 1, "milliseconds": (trace.ended_ns - trace.started_ns) / 1e6}
    if trace.outcome >= 400:
        counts["errors"] = 1
        if trace.refusal is not None and trace.refusal.get("room") == "dynamodb.throughput":
            counts["throttled"] = 1
    uses = table_uses_of(trace)
    if not uses:
        yield dimensions_of("table", payer, function, table_of(trace)), counts
        return
    for use in uses:
        if use.index_name == STREAM:
            yield dimensions_of("stream", payer, function, use.table), {**counts, "readUnits": use.read_units}
        else:
            units: Counts = {name: units for name, units in (("readUnits", use.read_units),
                                                             ("writeUnits", use.write_units)) if units}  # fmt: skip
            yield dimensions_of("table", payer, function, use.table, use.index_name or ""), {**counts, **units}
        counts = {}


def count(calls: TableCalls, minute: int, ledger: Ledger, measures: Measures) -> None:
    """Add a group of calls to the ledger and the measures."""
    first, count, times = calls.first, len(calls.nanoseconds), sorted(calls.nanoseconds)
    for dimensions, counts in rows_of(first, calls.payer, calls.function):
        many = {name: value * count for name, value in counts.items()}
        if "milliseconds" in many:
            many["milliseconds"] = sum(times) * MS_PER_NS
        ledger.count(minute, dimensions, many)
    table = table_of(first)
    called: MetricDimensions = (("Operation", operation_of(first)), ("TableName", table))
    status = first.outcome
    if table and status < 400:
        measures.add_sorted(MetricName(DYNAMODB, "SuccessfulRequestLatency", called), times, MS_PER_NS)
    elif table and first.refusal is not None and first.refusal.get("room") == "dynamodb.throughput":
        measures.add(MetricName(DYNAMODB, "ThrottledRequests", called), 1.0, count)
        kind = "Write" if "Write" in str(first.refusal.get("throttling", "")) else "Read"
        measures.add(MetricName(DYNAMODB, f"{kind}ThrottleEvents", (("TableName", table),)), 1.0, count)
    elif first.refusal is not None and first.refusal.get("code") == "ConditionalCheckFailedException":
        measures.add(MetricName(DYNAMODB, "ConditionalCheckFailedRequests", (("TableName", table),)), 1.0, count)
    elif status >= 500:
        measures.add(MetricName(DYNAMODB, "SystemErrors", called), 1.0, count)
    else:
        measures.add(MetricName(DYNAMODB, "UserErrors", ()), 1.0, count)
    for use in table_uses_of(first):
        where: MetricDimensions = (("TableName", use.table),)
        if use.index_name is not None:
            where = (("GlobalSecondaryIndexName", use.index_name), *where)
        if use.read_units:
            measures.add(MetricName(DYNAMODB, "ConsumedReadCapacityUnits", where), use.read_units, count)
        if use.write_units:
            measures.add(MetricName(DYNAMODB, "ConsumedWriteCapacityUnits", where), use.write_units, count)
