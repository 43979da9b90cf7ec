"""Calls to services that are charged by the call; each says itself what it counts as (`iam.door.Charged`)."""

from __future__ import annotations

from collections.abc import Iterator

from trine.metering.kinds.meter import GB_BYTES, LOGS_IN, Meter, Meters, dimensions_of
from trine.metering.prices import HOURS_PER_MONTH
from trine.metering.usage import Counts, Dimensions, function_of, root_of
from trine.trace import Trace

METERS: dict[str, Meters] = {
    "sqs": (Meter("queue.request", "units"), Meter("queue.fifo-request", "fifoUnits")),
    "sns": (Meter("topic.request", "units"), Meter("topic.fifo-message", "fifoUnits")),
    "events": (Meter("event.published", "units"),),
    "scheduler": (Meter("schedule.invocation", "units"),),
    "cloudwatch": (
        Meter("cloudwatch.request", "units"),
        Meter("cloudwatch.metric-month", "metricHours", HOURS_PER_MONTH),
    ),
    "logs": (LOGS_IN, Meter("logs.scanned-gb", "scannedBytes", GB_BYTES)),
}


def tally(trace: Trace) -> Iterator[tuple[Dimensions, Counts]]:
    """What one of them adds to; nothing where it is not charged for."""
    if trace.usage is not None:
        counts: Counts = {"requests": 1, **trace.usage}
        yield dimensions_of(trace.kind, root_of(trace).payer, function_of(trace)), counts
