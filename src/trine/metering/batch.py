"""Traces as they close, sorted into groups of what is alike: the work of counting is by groups, not by requests.

Enter traces, some at a time, and of usual ones the time that each took (`trace.rows`); leave `TableCalls`, `Requests`,
`Invocations`, each with the first trace of its kind, from which `tally` makes the row, and with sums and times of all.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from trine.metering.limits import BATCH_MAX_COUNT
from trine.metering.tally import metered_units, streamed, time_used
from trine.metering.usage import Counts, FunctionUse, Payer, SocketUse, function_of, root_of
from trine.metering.usage import add as add_counts
from trine.trace import Note, Trace

_log = logging.getLogger("trine.metering")
_Alike = tuple[object, str, str, object, int, str]
INTEGRATION = "apigateway.integration"
_USES_COUNT = len(FunctionUse._fields)
_PLAIN_REQUEST = 3
"""The length of a `RequestUse` whose stage writes no log."""


class TableCalls:
    """Calls to the table that are alike in everything but their time."""

    __slots__ = ("first", "function", "nanoseconds", "payer")

    def __init__(self, first: Trace, payer: Payer | str | None, function: str) -> None:
        self.first, self.payer, self.function = first, payer, function
        self.nanoseconds = array("q")


class Requests:
    """Requests at the front door of one payer with one outcome."""

    __slots__ = ("bytes_out", "first", "integration_ns", "log_bytes", "nanoseconds", "units")

    def __init__(self, first: Trace) -> None:
        self.first = first
        self.nanoseconds = array("q")
        self.integration_ns = array("q")
        self.bytes_out = self.units = self.log_bytes = 0


class Invocations:
    """Invocations of one function for one payer with one outcome."""

    __slots__ = ("cold_starts", "first", "init_ms", "payer", "refused", "streamed", "uses")

    def __init__(self, first: Trace, payer: Payer | str | None) -> None:
        self.first, self.payer = first, payer
        self.uses: list[tuple[Any, ...]] = []
        """What each of them took, as `FunctionUse`: added up when the group is counted, not by each request."""
        self.cold_starts = self.refused = 0
        self.streamed: Counts = {}
        """Bytes of streamed answers of all of them."""
        self.init_ms = 0.0

    @property
    def durations_ms(self) -> list[float]:
        """How long each of those ran that ran at all; a new list."""
        return [use[1] for use in self.uses]

    def used(self) -> Counts:
        """Time, memory, storage, log and streamed bytes of all of them."""
        times: dict[tuple[int, bool, int, bool], int] = {}
        for memory_mb, _, billed_ms, _, arm, storage_mb, kept_ready, *_ in self.uses:
            alike = (memory_mb, arm, storage_mb, kept_ready)
            times[alike] = times.get(alike, 0) + billed_ms
        counts: Counts = {"billedMs": sum(times.values()), **self.streamed}
        for (memory_mb, arm, storage_mb, kept_ready), billed_ms in times.items():
            add_counts(counts, time_used(FunctionUse(memory_mb, 0.0, billed_ms, 0.0, arm, storage_mb, kept_ready)))
        if log_bytes := sum([use[7] for use in self.uses]):
            counts["logBytes"] = log_bytes
        return counts


class SocketEvents:
    """Events of WebSocket connections of one payer with one outcome."""

    __slots__ = ("first", "log_bytes", "messages", "minutes", "nanoseconds", "payer", "requests")

    def __init__(self, first: Trace, payer: Payer | str | None) -> None:
        self.first, self.payer = first, payer
        self.nanoseconds = array("q")
        self.messages = self.requests = self.log_bytes = 0
        self.minutes = 0.0


class Groups(NamedTuple):
    """What was in a batch."""

    failures: int
    """Traces that could not be sorted, because of a fault of our own."""
    table_calls: list[TableCalls]
    requests: list[Requests]
    invocations: list[Invocations]
    socket_events: list[SocketEvents]
    service_calls: list[Trace]
    """Calls to services that are charged by the call: few, so they are counted one by one."""
    caused: list[Trace]
    """Calls to the table that others caused: their traces are looked at one by one."""

    @property
    def traces(self) -> int:
        """How many there were, those that could not be sorted included."""
        groups: tuple[Sequence[TableCalls | Requests | SocketEvents], ...]
        groups = (self.table_calls, self.requests, self.socket_events)
        timed = sum(len(group.nanoseconds) for alike in groups for group in alike)
        ran = sum(len(group.uses) + group.refused for group in self.invocations)
        return timed + ran + len(self.service_calls) + self.failures


class Batch:
    """The groups of what has closed since the last time they were taken."""

    def __init__(self, on_first: Callable[[], None], on_full: Callable[[], None], on_other: Callable[[], None]) -> None:
        """`on_first` is called for the first trace after a `take`, `on_full` when there are many, `on_other` for those
        that are not counted: calls that may have changed what is paid for."""
        self._alike: dict[_Alike, TableCalls] = {}
        self._requests: dict[tuple[object, str, int], Requests] = {}
        self._invocations: dict[tuple[object, str, int, bool], Invocations] = {}
        self._socket_events: dict[tuple[object, int], SocketEvents] = {}
        self._service_calls: list[Trace] = []
        self._caused: list[Trace] = []
        self._begun = False
        """Whether anything came since the last `take`."""
        self._count = self._failures = 0
        """Of what `add` took, and of usual ones as far as `usual_more` told."""
        self._on_first, self._on_full, self._on_other = on_first, on_full, on_other

    def add(self, traces: Sequence[Trace]) -> None:
        """Traces that have just closed."""
        free = 0
        for trace in traces:
            try:
                if trace.kind == "dynamodb":
                    self._calls_like(trace).nanoseconds.append(trace.ended_ns - trace.started_ns)
                elif trace.kind == "lambda":
                    self._add_invocation(trace)
                elif trace.kind == "apigateway":
                    self._add_request(trace)
                elif not self._add_other(trace):
                    free += 1
            except Exception:
                self._failures += 1
                _log.exception("a request could not be counted")
        if free:
            self._on_other()
        if len(traces) > free:
            self._begin()
            self.usual_more(len(traces) - free)

    def note_of(self, first: Trace) -> Note:
        """What notes, until `take`, the time of usual requests like `first`: the table's alone are ever usual."""
        self._begin()
        return self._calls_like(first).nanoseconds.append

    def usual_more(self, count: int) -> None:
        """So many more have been noted."""
        self._count += count
        if self._count >= BATCH_MAX_COUNT:
            self._on_full()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._on_first()

    def take(self) -> Groups:
        """All groups; new ones begin, and whoever writes down usual requests must begin new forms."""
        groups = Groups(
            self._failures,
            list(self._alike.values()),
            list(self._requests.values()),
            list(self._invocations.values()),
            list(self._socket_events.values()),
            self._service_calls,
            self._caused,
        )
        self._caused, self._service_calls = [], []
        self._alike, self._requests, self._invocations, self._socket_events = {}, {}, {}, {}
        self._count = self._failures = 0
        self._begun = False
        return groups

    def _calls_like(self, trace: Trace) -> TableCalls:
        payer, function = trace.payer, ""
        if trace.parent is not None:
            payer, function = root_of(trace).payer, function_of(trace)
            self._caused.append(trace)
        refusal, refused = trace.refusal, ""
        if refusal is not None:
            refused = f"{refusal.get('room')} {refusal.get('code')} {refusal.get('throttling', '')}"
        key: _Alike = (payer, function, trace.title, trace.usage, trace.outcome, refused)
        known = self._alike.get(key)
        if known is None:
            known = self._alike[key] = TableCalls(trace, payer if isinstance(payer, Payer | str) else None, function)
        return known

    def _add_other(self, trace: Trace) -> bool:
        """Sort in what is neither call to the table, request nor invocation; False for what costs nothing."""
        if trace.kind == "websocket" and trace.usage is not None:
            self._add_socket_event(trace)
        elif trace.usage is not None:
            self._service_calls.append(trace)
        else:
            return False
        return True

    def _add_request(self, trace: Trace) -> None:
        room = "" if trace.refusal is None else str(trace.refusal.get("room"))
        key = (trace.payer, room, trace.outcome)
        group = self._requests.get(key)
        if group is None:
            group = self._requests[key] = Requests(trace)
        group.nanoseconds.append(trace.ended_ns - trace.started_ns)
        integration_ns = trace.time_of(INTEGRATION)
        if integration_ns is not None:
            group.integration_ns.append(integration_ns)
        use = trace.usage
        if use is not None:
            group.bytes_out += use[2]
            group.units += 1 if use[0] else metered_units(use[1], use[2])
            if len(use) > _PLAIN_REQUEST:
                group.log_bytes += use[3]

    def _add_socket_event(self, trace: Trace) -> None:
        payer = root_of(trace).payer
        key = (payer, trace.outcome)
        group = self._socket_events.get(key)
        if group is None:
            group = self._socket_events[key] = SocketEvents(trace, payer)
        messages, minutes, log_bytes = SocketUse(*trace.usage)
        group.nanoseconds.append(trace.ended_ns - trace.started_ns)
        group.messages += messages
        group.requests += messages > 0
        group.minutes += minutes
        group.log_bytes += log_bytes

    def _add_invocation(self, trace: Trace) -> None:
        use = trace.usage
        if use is not None and len(use) < _USES_COUNT:
            use = FunctionUse(*use)  # what was left out at its end has a default
        root = trace
        while root.parent is not None:
            root = root.parent
        key = (root.payer, trace.title, trace.outcome, trace.refusal is None)
        group = self._invocations.get(key)
        if group is None:
            group = self._invocations[key] = Invocations(trace, root.payer)
        if use is None:
            group.refused += 1
            return
        group.uses.append(use)
        if use[8]:
            add_counts(group.streamed, streamed(FunctionUse(*use), root))
        if use[3]:
            group.init_ms += use[3]
            group.cold_starts += 1
