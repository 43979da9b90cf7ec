"""Events of WebSocket connections, and messages posted to them."""

from __future__ import annotations

from collections.abc import Iterator

from trine.metering.batch import SocketEvents
from trine.metering.kinds.meter import LOGS_IN, MS_PER_NS, Meter, Meters, dimensions_of
from trine.metering.ledger import Ledger
from trine.metering.measures import Measures
from trine.metering.usage import Counts, Dimensions, Payer, SocketUse, root_of
from trine.trace import Trace

METERS: dict[str, Meters] = {
    "websocket": (
        Meter("websocket.message", "messages"),
        Meter("websocket.connection-minute", "connectionMinutes"),
        LOGS_IN,
    ),
}


def tally(trace: Trace) -> Iterator[tuple[Dimensions, Counts]]:
    """What one of them adds to."""
    if trace.usage is not None:
        yield row_of(trace, root_of(trace).payer)


def row_of(trace: Trace, payer: Payer | str | None) -> tuple[Dimensions, Counts]:
    """An event of a WebSocket connection, or a message posted to one. A connect costs nothing by itself."""
    use = SocketUse(*trace.usage)
    counts: Counts = {"milliseconds": (trace.ended_ns - trace.started_ns) / 1e6}
    if use.messages:
        counts |= {"requests": 1, "messages": use.messages}
    if use.minutes:
        counts["connectionMinutes"] = use.minutes
    if use.log_bytes:
        counts["logBytes"] = use.log_bytes
    if trace.outcome >= 400:
        counts["errors"] = 1
    if trace.outcome == 429:
        counts["throttled"] = 1
    return dimensions_of("websocket", payer), counts


def count(group: SocketEvents, minute: int, ledger: Ledger, measures: Measures) -> None:
    """Add a group of events to the ledger."""
    dimensions, one = row_of(group.first, group.payer)
    count = len(group.nanoseconds)
    counts = {name: value * count for name, value in one.items() if name in ("errors", "throttled")}
    took_ms = sum(group.nanoseconds) * MS_PER_NS
    counts |= {"milliseconds": took_ms, "requests": group.requests, "messages": group.messages,
               "connectionMinutes": group.minutes, "logBytes": group.log_bytes}  # fmt: skip
    ledger.count(minute, dimensions, {name: value for name, value in counts.items() if value})
