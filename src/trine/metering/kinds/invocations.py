"""Invocations of functions."""

from __future__ import annotations

from collections.abc import Iterator

from trine.metering.batch import Invocations
from trine.metering.kinds.meter import DATA_OUT, GB_BYTES, LOGS_IN, Meter, Meters, dimensions_of
from trine.metering.ledger import Ledger
from trine.metering.measures import LAMBDA, Measures, MetricDimensions, MetricName
from trine.metering.tally import streamed, time_used
from trine.metering.usage import Counts, Dimensions, FunctionUse, Payer, add, root_of
from trine.trace import Trace

_GB_SECOND = 1024 * 1000
"""MB of memory times milliseconds in a GB-second."""
METERS: dict[str, Meters] = {
    "lambda": (
        Meter("rest.request", "restUnits"),
        Meter("lambda.request", "requests"),
        Meter("lambda.gb-second", "mbMs", _GB_SECOND),
        Meter("lambda.arm-gb-second", "armMbMs", _GB_SECOND),
        Meter("lambda.ready-gb-second", "readyMbMs", _GB_SECOND),
        Meter("lambda.arm-ready-gb-second", "armReadyMbMs", _GB_SECOND),
        Meter("lambda.storage-gb-second", "storageMbMs", _GB_SECOND),
        Meter("lambda.streamed-gb", "streamedBytes", GB_BYTES),
        LOGS_IN,
        DATA_OUT,
    ),
}


def tally(trace: Trace) -> Iterator[tuple[Dimensions, Counts]]:
    """What one of them adds to."""
    yield row_of(trace, root_of(trace).payer)


def row_of(trace: Trace, payer: Payer | str | None) -> tuple[Dimensions, Counts]:
    """An invocation of a function; one that was refused has run nothing and costs nothing."""
    counts: Counts = {}
    if trace.usage is not None:
        use = FunctionUse(*trace.usage)
        counts = {"requests": 1, "milliseconds": use.duration_ms, "billedMs": use.billed_ms}
        add(counts, time_used(use))
        if use.init_ms:
            counts["initMs"] = use.init_ms
            counts["coldStarts"] = 1
        if use.streamed_bytes:
            add(counts, streamed(use, root_of(trace)))
    if trace.refusal is not None or trace.outcome >= 400:
        counts["errors"] = 1
    if trace.outcome == 429:
        counts["throttled"] = 1
    return dimensions_of("lambda", payer, trace.title), counts


def count(group: Invocations, minute: int, ledger: Ledger, measures: Measures) -> None:
    """Add a group of invocations to the ledger and the measures."""
    count, function, times = len(group.durations_ms), group.first.title, sorted(group.durations_ms)
    if not function:
        return
    dimensions, one = row_of(group.first, group.payer)
    counts = {name: value * (count + group.refused) for name, value in one.items() if name in ("errors", "throttled")}
    if count:
        counts |= {"requests": count, "milliseconds": sum(times)} | group.used()
    if group.cold_starts:
        counts |= {"initMs": group.init_ms, "coldStarts": group.cold_starts}
    if counts:
        ledger.count(minute, dimensions, counts)
    where: MetricDimensions = (("FunctionName", function),)
    measure = measures.add
    if counts.get("throttled"):
        measure(MetricName(LAMBDA, "Throttles", where), 1.0, counts["throttled"])
    if count:
        measure(MetricName(LAMBDA, "Invocations", where), 1.0, count)
        measure(MetricName(LAMBDA, "Errors", where), float("errors" in counts), count)
        measure(MetricName(LAMBDA, "Throttles", where), 0.0, count)
        measures.add_sorted(MetricName(LAMBDA, "Duration", where), times)
