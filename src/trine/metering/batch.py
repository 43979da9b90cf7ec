"""Traces as they close, sorted into groups of what is alike: the work of counting is by groups, not by requests.

Enter traces, some at a time, and of usual ones the time that each took (`trace.rows`); leave `TableCalls`, `Requests`,
`Invocations`, each with the first trace of its kind, from which `tally` makes the row, and with sums and times of all.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

from trine.metering.limits import BATCH_MAX_COUNT
from trine.metering.tally import metered_units, streamed, time_used
from trine.metering.usage import Counts, FunctionUse, Payer, SocketUse, function_of, root_of
from trine.metering.usage import add as add_counts
from trine.trace import Note, Trace

_log = logging.getLogger("trine.metering")
_Alike = tuple[object, str, str, object, int, str]


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

    def add(self, trace: Trace) -> None:
        """One more."""
        self.nanoseconds.append(trace.ended_ns - trace.started_ns)
        use = trace.usage
        if use is None:
            return
        rest, request_bytes, response_bytes, log_bytes, integration_ns = use
        self.bytes_out += response_bytes
        self.log_bytes += log_bytes
        self.units += 1 if rest else metered_units(request_bytes, response_bytes)
        if integration_ns is not None:
            self.integration_ns.append(integration_ns)


class Invocations:
    """Invocations of one function for one payer with one outcome."""

    __slots__ = ("billed_ms", "cold_starts", "durations_ms", "first", "init_ms", "log_bytes", "payer", "refused",
                 "streamed")  # fmt: skip

    def __init__(self, first: Trace, payer: Payer | str | None) -> None:
        self.first, self.payer = first, payer
        self.durations_ms = array("d")
        """How long each of those ran that ran at all."""
        self.billed_ms: dict[tuple[int, bool, int, bool], int] = {}
        """(memory, arm64, extra storage, kept ready), as in `FunctionUse` → billed milliseconds."""
        self.cold_starts = self.refused = self.log_bytes = 0
        self.streamed: Counts = {}
        """Bytes of streamed answers of all of them."""
        self.init_ms = 0.0

    def add(self, trace: Trace, root: Trace) -> None:
        """One more, which `root` has caused."""
        use = trace.usage
        if use is None:
            self.refused += 1
            return
        memory_mb, duration_ms, billed_ms, init_ms, arm, storage_mb, kept_ready, log_bytes, streamed_bytes = use
        self.durations_ms.append(duration_ms)
        alike, billed = (memory_mb, arm, storage_mb, kept_ready), self.billed_ms
        billed[alike] = billed.get(alike, 0) + billed_ms
        self.log_bytes += log_bytes
        if streamed_bytes:
            add_counts(self.streamed, streamed(FunctionUse(*use), root))
        if init_ms:
            self.init_ms += init_ms
            self.cold_starts += 1

    def used(self) -> Counts:
        """Time, memory, storage, log and streamed bytes of all of them."""
        counts: Counts = {"billedMs": sum(self.billed_ms.values()), **self.streamed}
        for (memory_mb, arm, storage_mb, kept_ready), billed_ms in self.billed_ms.items():
            add_counts(counts, time_used(FunctionUse(memory_mb, 0.0, billed_ms, 0.0, arm, storage_mb, kept_ready)))
        if self.log_bytes:
            counts["logBytes"] = self.log_bytes
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
        ran = sum(len(group.durations_ms) + group.refused for group in self.invocations)
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
        """Of what `add` took, and of usual ones as far as `more` was told."""
        self._on_first, self._on_full, self._on_other = on_first, on_full, on_other

    def add(self, traces: Sequence[Trace]) -> None:
        """Traces that have just closed."""
        for trace in traces:
            self.count(trace)

    def count(self, trace: Trace) -> None:
        """A trace that has just closed. Runs for every request: what it costs is counted in `make bench`."""
        try:
            if trace.kind == "apigateway":
                self._add_request(trace)
            elif trace.kind == "lambda":
                self._add_invocation(trace)
            elif trace.kind == "dynamodb":
                self._calls_like(trace).nanoseconds.append(trace.ended_ns - trace.started_ns)
            elif not self._add_other(trace):
                self._on_other()
                return
        except Exception:
            self._failures += 1
            _log.exception("a request could not be counted")
        if not self._begun:
            self._begin()
        self._count += 1
        if self._count >= BATCH_MAX_COUNT:
            self._on_full()

    def note_of(self, first: Trace) -> Note:
        """What notes, until `take`, the time of usual requests like `first`: the table's alone are ever usual."""
        self._begin()
        return self._calls_like(first).nanoseconds.append

    def more(self, count: int) -> None:
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
        if group is not None:
            group.add(trace)
            return
        group = Requests(trace)
        group.add(trace)  # before it is kept: a trace that cannot be counted begins no group
        self._requests[key] = group

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
        root = trace
        while root.parent is not None:
            root = root.parent
        key = (root.payer, trace.title, trace.outcome, trace.refusal is None)
        group = self._invocations.get(key)
        if group is not None:
            group.add(trace, root)
            return
        group = Invocations(trace, root.payer)
        group.add(trace, root)
        self._invocations[key] = group
