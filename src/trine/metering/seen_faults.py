"""Faults of the pattern that only traffic shows, counted as they happen: scans in a request path, reads by luck.

Enters the traces that a collector has counted, leaves one `SeenFault` for each function, rule, table and index: how
often, the last request that shows it, and what the table's wing had to say. Bounded; what no longer fits is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from trine.metering.usage import function_of
from trine.trace import Trace

FAULTS_MAX = 1_000
RULES: Mapping[str, str] = {
    "dynamodb.access": "dynamodb/scan-in-request-path",
    "dynamodb.consistency": "dynamodb/needs-consistent-read",
}
"""Room whose note tells it → rule of `trine check`."""


class SeenFault(Struct):
    """One fault. `detail` is the last note of the room that saw it."""

    rule: str
    function: str
    table: str
    index: str
    count: int = 0
    request_id: str = ""
    seen_at: float = 0.0
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """The fault as JSON values."""
        return {
            "rule": self.rule,
            "function": self.function,
            "table": self.table,
            "index": self.index,
            "count": self.count,
            "requestId": self.request_id,
            "seenAt": self.seen_at,
            "detail": dict(self.detail),
        }


class SeenFaults:
    """Every fault that traffic has shown since the process began."""

    def __init__(self) -> None:
        self._faults: dict[tuple[str, str, str, str], SeenFault] = {}
        self.dropped = 0

    def note(self, traces: Iterable[Trace]) -> None:
        """Look through closed traces. Their notes are only made where there is something to see."""
        for trace in traces:
            if trace.kind == "dynamodb" and trace.parent is not None:
                for room, _ in trace.times():
                    if room in RULES:
                        self._note(trace)
                        break

    def _note(self, trace: Trace) -> None:
        function = function_of(trace)
        if not function:
            return
        for step in trace.steps:
            rule = RULES.get(step.room)
            if rule is None or step.detail is None:
                continue
            if rule == "dynamodb/scan-in-request-path" and step.detail.get("operation") != "Scan":
                rule = "dynamodb/filter-in-request-path"
            table, index = str(step.detail.get("table", "")), str(step.detail.get("index", ""))
            key = (rule, function, table, index)
            fault = self._faults.get(key)
            if fault is None:
                if len(self._faults) >= FAULTS_MAX:
                    self.dropped += 1
                    continue
                fault = self._faults[key] = SeenFault(*key)
            fault.count += 1
            fault.request_id, fault.seen_at, fault.detail = trace.request_id, trace.started_at, step.detail

    def all(self) -> list[SeenFault]:
        """Every fault, the most frequent first."""
        return sorted(self._faults.values(), key=lambda fault: -fault.count)
