"""Requests at the front door of REST and HTTP APIs."""

from __future__ import annotations

from collections.abc import Iterator

from trine.metering.batch import Requests
from trine.metering.kinds.meter import DATA_OUT, LOGS_IN, MS_PER_NS, Meter, Meters, dimensions_of
from trine.metering.ledger import Ledger
from trine.metering.measures import GATEWAY, Measures, MetricName, request_dimensions
from trine.metering.tally import metered_units
from trine.metering.usage import Counts, Dimensions, Payer, RequestUse
from trine.trace import Trace

_FREE_ROOMS = frozenset({"iam.signature", "iam.policy", "apigateway.authorizer", "apigateway.usage-plan",
                        "apigateway.throttle", "apigateway.resource-policy"})  # fmt: skip
"""Where API Gateway refuses without charging: "You're not charged … if the request authorization fails", "when API keys
are required and missing or invalid", "for throttled requests" (developer guide, "Amazon API Gateway pricing")."""
_THROTTLING_ROOMS = frozenset({"apigateway.throttle", "apigateway.usage-plan", "dynamodb.throughput"})
METERS: dict[str, Meters] = {
    service: (Meter(f"{service}.request", "units"), DATA_OUT, LOGS_IN) for service in ("rest", "http")
}


def tally(trace: Trace) -> Iterator[tuple[Dimensions, Counts]]:
    """What one of them adds to."""
    yield row_of(trace)


def row_of(trace: Trace) -> tuple[Dimensions, Counts]:
    """The row it belongs to, and what it adds."""
    payer: Payer | None = trace.payer
    room = trace.refusal.get("room", "") if trace.refusal is not None else ""
    use: RequestUse = RequestUse(*trace.usage) if trace.usage is not None else RequestUse(True, 0, 0)
    counts: Counts = {"milliseconds": (trace.ended_ns - trace.started_ns) / 1e6, "bytesOut": use.response_bytes}
    if use.log_bytes:
        counts["logBytes"] = use.log_bytes
    if payer is None or (room in _FREE_ROOMS and trace.outcome in (401, 403, 429)):
        counts["unbilled"] = 1
    else:
        counts["requests"] = 1
        counts["units"] = 1 if use.rest else metered_units(use.request_bytes, use.response_bytes)
    if trace.outcome >= 400:
        counts["errors"] = 1
    if room in _THROTTLING_ROOMS and trace.outcome == 429:
        counts["throttled"] = 1
    return dimensions_of("rest" if use.rest else "http", payer), counts


def count(group: Requests, minute: int, ledger: Ledger, measures: Measures) -> None:
    """Add a group of requests to the ledger and the measures."""
    count, times = len(group.nanoseconds), sorted(group.nanoseconds)
    dimensions, one = row_of(group.first)
    counts = {name: value * count for name, value in one.items()}
    counts |= {"milliseconds": sum(times) * MS_PER_NS, "bytesOut": group.bytes_out}
    if "units" in counts:
        counts["units"] = group.units
    if group.log_bytes:
        counts["logBytes"] = group.log_bytes
    ledger.count(minute, dimensions, counts)
    payer: Payer | None = group.first.payer
    if payer is None:
        return
    route, status, add = payer.route, group.first.outcome, measures.add
    where = request_dimensions(route)
    client, server = ("4XXError", "5XXError") if route.rest else ("4xx", "5xx")
    add(MetricName(GATEWAY, "Count", where), 1.0, count)
    add(MetricName(GATEWAY, client, where), float(400 <= status < 500), count)
    add(MetricName(GATEWAY, server, where), float(status >= 500), count)
    measures.add_sorted(MetricName(GATEWAY, "Latency", where), times, MS_PER_NS)
    measures.add_sorted(MetricName(GATEWAY, "IntegrationLatency", where), sorted(group.integration_ns), MS_PER_NS)
    if not route.rest:
        add(MetricName(GATEWAY, "DataProcessed", where), group.bytes_out / count, count)
