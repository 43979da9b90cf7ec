"""From closed traces to usage and measures: once a second, and in bulk.

A trace that closes is appended to a list, that is all its request pays. When the list is full, or a second after its
first trace, everything in it is counted together: calls to the table that are alike in everything but their time are
one entry. Nothing runs while nothing happens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from trine.clock import Clock, Timer
from trine.metering.distribution import Distribution
from trine.metering.ledger import Ledger, Level, day_of
from trine.metering.limits import DRAIN_SECONDS, MINUTE_SECONDS
from trine.metering.measures import (
    DYNAMODB,
    GATEWAY,
    LAMBDA,
    Measures,
    MetricDimensions,
    MetricName,
    request_dimensions,
)
from trine.metering.tally import operation_of, table_of, tally_invocation, tally_request, tally_table_call
from trine.metering.usage import FunctionUse, Payer, RouteName, as_table_uses, function_of, root_of
from trine.trace import BATCH_TRACES, Trace, TraceBook

_log = logging.getLogger("trine.metering")
Levels = Callable[[], Iterable[tuple[str, str, float, float, float]]]
"""(table, index or "", stored bytes, provisioned read units, provisioned write units) of everything there is now."""
_Alike = tuple[object, str, str, object, int, str]
_ONE = 1.0


class Collector:
    """Counts what a TraceBook closes."""

    def __init__(self, clock: Clock, traces: TraceBook, ledger: Ledger, levels: Levels = tuple) -> None:
        self._clock, self.ledger, self._levels = clock, ledger, levels
        self.measures = Measures()
        self.traces_counted = 0
        self.failures = 0
        """Traces that could not be counted, because of a fault of our own; the log says which."""
        self.gauges: Callable[[], Iterable[tuple[MetricName, float]]] = tuple
        """What is looked at once a second while requests come: figures that no single request tells."""
        self.on_counted: list[Callable[[list[Trace]], None]] = []
        """Told each batch once it is counted (trace export); must not block or raise."""
        self.on_minute: Callable[[int, Iterable[tuple[MetricName, Distribution]]], None] = _nobody
        """Told what was measured in a minute, in one part or several."""
        self._measured_minute = 0
        self._closed: list[Trace] = []
        self._since = 0.0
        self._timer: Timer | None = None
        self._minute_timer: Timer | None = None
        self._day = ""
        self._request_names: dict[RouteName, list[MetricDimensions]] = {}
        traces.follow(self._closed, self._batch)

    def _batch(self) -> None:
        if len(self._closed) >= BATCH_TRACES:
            self.drain()
            return
        self._since = self._clock.now()
        if self._timer is None:
            self._timer = self._clock.call_later(DRAIN_SECONDS, self._drain_late)

    def _drain_late(self) -> None:
        self._timer = None
        for name, value in self.gauges():
            self.measures.add(name, value)
        self.drain()

    def start(self) -> None:
        """Note what there is, and pack what earlier runs have left; needs the running loop."""
        self.note_levels()
        self.flush()
        self._day = day_of(self._minute())
        self.ledger.pack(self._day)

    def close(self) -> None:
        """Count and write everything."""
        for timer in (self._timer, self._minute_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._minute_timer = None
        self.flush()

    def _minute(self) -> int:
        return int(self._clock.now() // MINUTE_SECONDS)

    def flush(self) -> None:
        """Count what is closed, note the levels, write to the ledger."""
        self.drain()
        self.note_levels()
        self.ledger.flush()

    def note_levels(self) -> None:
        """Note how much is stored and provisioned now."""
        minute, living = self._minute(), set()
        for table, index, stored_bytes, read_units, write_units in self._levels():
            living.add((table, index))
            self.ledger.level(Level(minute, table, index, stored_bytes, read_units, write_units))
        self.ledger.gone(minute, living)

    def _minute_over(self) -> None:
        self._minute_timer = None
        self.flush()
        self._turn()
        today = day_of(self._minute())
        if today != self._day:
            self._day = today
            self.ledger.pack(today)

    def drain(self) -> None:
        """Count every trace that has closed."""
        closed = self._closed
        if not closed:
            return
        batch = closed[:]
        closed.clear()
        if self._minute_timer is None:
            left = MINUTE_SECONDS - self._clock.now() % MINUTE_SECONDS
            self._minute_timer = self._clock.call_later(left + DRAIN_SECONDS, self._minute_over)
        minute = int(self._since // MINUTE_SECONDS)
        if minute != self._measured_minute:
            self._turn()
            self._measured_minute = minute
        try:
            self._count(batch, minute)
        except Exception:
            self.failures += len(batch)
            _log.exception("requests could not be counted")
        self.traces_counted += len(batch)
        self._since = self._clock.now()
        for tell in self.on_counted:
            tell(batch)

    def measure(self) -> None:
        """Hand on everything measured up to now."""
        self.drain()
        self._turn()

    def _turn(self) -> None:
        self.on_minute(self._measured_minute, self.measures.turn())

    def _count(self, batch: list[Trace], minute: int) -> None:
        alike: dict[_Alike, list[Trace]] = {}
        for trace in batch:
            kind = trace.kind
            if kind == "dynamodb":
                # The hot path: everything is worked out once for all calls that are alike.
                if trace.parent is None:
                    payer, function = trace.payer, ""
                else:
                    payer, function = root_of(trace).payer, function_of(trace)
                refused = "" if trace.refusal is None else str(trace.refusal.get("room"))
                key: _Alike = (payer, function, trace.title, trace.usage, trace.outcome, refused)
                known = alike.get(key)
                if known is None:
                    alike[key] = [trace]
                else:
                    known.append(trace)
            elif kind == "apigateway":
                self._count_request(trace, minute)
            elif kind == "lambda":
                self._count_invocation(trace, minute)
        for (payer, function, *_), traces in alike.items():
            self._count_table_calls(traces, payer, function, minute)

    # -- the front door ----------------------------------------------------------------------------------------------

    def _count_request(self, trace: Trace, minute: int) -> None:
        dimensions, counts = tally_request(trace)
        self.ledger.count(minute, dimensions, counts)
        payer: Payer | None = trace.payer
        if payer is None:
            return
        route = payer.route
        names = self._request_names.get(route)
        if names is None:
            names = self._request_names[route] = request_dimensions(route)
        status = trace.outcome
        integration = integration_ms(trace)
        client, server = ("4XXError", "5XXError") if route.rest else ("4xx", "5xx")
        for where in names:
            add = self.measures.add
            add(MetricName(GATEWAY, "Count", where), _ONE)
            add(MetricName(GATEWAY, "Latency", where), counts["milliseconds"])
            add(MetricName(GATEWAY, client, where), float(400 <= status < 500))
            add(MetricName(GATEWAY, server, where), float(status >= 500))
            if integration is not None:
                add(MetricName(GATEWAY, "IntegrationLatency", where), integration)
            if not route.rest:
                add(MetricName(GATEWAY, "DataProcessed", where), counts["bytesOut"])

    # -- functions ---------------------------------------------------------------------------------------------------

    def _count_invocation(self, trace: Trace, minute: int) -> None:
        dimensions, counts = tally_invocation(trace, root_of(trace).payer)
        if not counts or not dimensions.function:
            return
        self.ledger.count(minute, dimensions, counts)
        where: MetricDimensions = (("FunctionName", dimensions.function),)
        add = self.measures.add
        if counts.get("throttled"):
            add(MetricName(LAMBDA, "Throttles", where), _ONE)
        if trace.usage is None:
            return
        use = FunctionUse(*trace.usage)
        add(MetricName(LAMBDA, "Invocations", where), _ONE)
        add(MetricName(LAMBDA, "Errors", where), counts.get("errors", 0.0))
        add(MetricName(LAMBDA, "Throttles", where), 0.0)
        add(MetricName(LAMBDA, "Duration", where), use.duration_ms)

    # -- tables ------------------------------------------------------------------------------------------------------

    def _count_table_calls(self, traces: list[Trace], payer: object, function: str, minute: int) -> None:
        first, count = traces[0], len(traces)
        times = sorted([(trace.ended_ns - trace.started_ns) / 1e6 for trace in traces])
        paying = payer if isinstance(payer, Payer | str) else None
        for dimensions, counts in tally_table_call(first, paying, function):
            many = {name: value * count for name, value in counts.items()}
            if "milliseconds" in many:
                many["milliseconds"] = sum(times)
            self.ledger.count(minute, dimensions, many)
        table = table_of(first)
        called: MetricDimensions = (("Operation", operation_of(first)), ("TableName", table))
        measures, status = self.measures, first.outcome
        if table and status < 400:
            measures.add_sorted(MetricName(DYNAMODB, "SuccessfulRequestLatency", called), times)
        elif table and first.refusal is not None and first.refusal.get("room") == "dynamodb.throughput":
            measures.add(MetricName(DYNAMODB, "ThrottledRequests", called), _ONE, count)
            kind = "Write" if "Write" in str(first.refusal.get("throttling", "")) else "Read"
            measures.add(MetricName(DYNAMODB, f"{kind}ThrottleEvents", (("TableName", table),)), _ONE, count)
        elif first.refusal is not None and first.refusal.get("code") == "ConditionalCheckFailedException":
            measures.add(MetricName(DYNAMODB, "ConditionalCheckFailedRequests", (("TableName", table),)), _ONE, count)
        elif status >= 500:
            measures.add(MetricName(DYNAMODB, "SystemErrors", called), _ONE, count)
        else:
            measures.add(MetricName(DYNAMODB, "UserErrors", ()), _ONE, count)
        for use in as_table_uses(first.usage):
            where: MetricDimensions = (("TableName", use.table),)
            if use.index_name is not None:
                where = (("GlobalSecondaryIndexName", use.index_name), *where)
            if use.read_units:
                measures.add(MetricName(DYNAMODB, "ConsumedReadCapacityUnits", where), use.read_units, count)
            if use.write_units:
                measures.add(MetricName(DYNAMODB, "ConsumedWriteCapacityUnits", where), use.write_units, count)


def _nobody(minute: int, measured: Iterable[tuple[MetricName, Distribution]]) -> None:
    """Nobody keeps measures by the minute: they are let go."""
    for _ in measured:
        pass


def integration_ms(trace: Trace) -> float | None:
    """How long the integration took: from the room before it to its own mark. None when none ran."""
    began_ns = trace.started_ns
    for step in trace.times():
        if step[0] == "apigateway.integration":
            return (step[1] - began_ns) / 1e6
        began_ns = step[1]
    return None
