"""Every kind of usage there is: which one a trace is of, and what a row turns."""

from __future__ import annotations

from collections.abc import Iterator

from trine.metering.batch import Groups
from trine.metering.kinds import invocations, requests, service_calls, sockets, table_calls
from trine.metering.kinds.meter import Meters
from trine.metering.kinds.table_calls import Paid
from trine.metering.ledger import Ledger
from trine.metering.measures import Measures
from trine.metering.usage import Counts, Dimensions
from trine.trace import Trace

_TALLIES = {
    "apigateway": requests.tally,
    "websocket": sockets.tally,
    "lambda": invocations.tally,
    "dynamodb": table_calls.tally,
}
"""By the kind of the trace; all others are calls to a service."""
_METERS = requests.METERS | sockets.METERS | invocations.METERS | table_calls.METERS | service_calls.METERS


def tally(trace: Trace) -> Iterator[tuple[Dimensions, Counts]]:
    """Every row that `trace` itself adds to; its children are counted on their own. Nothing for traces that cost
    nothing (control planes). The receipt and the ledger count with the same functions, so they can never disagree."""
    return _TALLIES.get(trace.kind, service_calls.tally)(trace)


def count(groups: Groups, minute: int, ledger: Ledger, measures: Measures) -> None:
    """Add everything that closed to the ledger and the measures."""
    for calls in groups.table_calls:
        table_calls.count(calls, minute, ledger, measures)
    for asked in groups.requests:
        requests.count(asked, minute, ledger, measures)
    for events in groups.socket_events:
        sockets.count(events, minute, ledger, measures)
    for invoked in groups.invocations:
        invocations.count(invoked, minute, ledger, measures)
    for call in groups.service_calls:
        for dimensions, counts in service_calls.tally(call):
            ledger.count(minute, dimensions, counts)


def meters_of(dimensions: Dimensions, paid: Paid) -> Meters:
    """What a row of usage turns; of one that is about a table, how that is `paid` for."""
    return table_calls.meters_of(paid) if dimensions.service == "table" else _METERS.get(dimensions.service, ())
