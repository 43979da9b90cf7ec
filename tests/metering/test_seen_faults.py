"""Faults that only traffic shows: counted by function, rule and table, with the last request as witness."""

from __future__ import annotations

from trine.clock import ManualClock
from trine.metering.seen_faults import FAULTS_MAX, SeenFaults
from trine.trace import Trace


def call(request_id: str, room: str, detail: dict[str, object], function: str = "list-users") -> Trace:
    clock = ManualClock()
    above = Trace.begun("lambda", "above", clock)
    above.title = function
    trace = Trace.begun("dynamodb", request_id, clock, above)
    trace.step(room, detail)
    return trace


def test_faults_are_counted_with_their_last_witness() -> None:
    seen = SeenFaults()
    scan = {"operation": "Scan", "table": "T", "units": 3}
    seen.note([call("1", "dynamodb.access", scan), call("2", "dynamodb.access", {**scan, "units": 4})])
    seen.note([call("3", "dynamodb.access", {"operation": "Query", "table": "T"})])
    seen.note([call("4", "dynamodb.consistency", {"table": "T", "index": "by-email"}), call("5", "dynamodb.shape", {})])
    assert [(one.rule, one.count, one.request_id, one.index) for one in seen.all()] == [
        ("dynamodb/scan-in-request-path", 2, "2", ""),
        ("dynamodb/filter-in-request-path", 1, "3", ""),
        ("dynamodb/needs-consistent-read", 1, "4", "by-email"),
    ]
    assert seen.all()[0].detail["units"] == 4


def test_what_no_function_did_is_no_fault_of_the_pattern() -> None:
    seen = SeenFaults()
    alone = Trace.begun("dynamodb", "1", ManualClock())
    alone.step("dynamodb.consistency", {"table": "T"})
    seen.note([alone])
    assert seen.all() == []


def test_it_is_bounded() -> None:
    seen = SeenFaults()
    seen.note([call(str(n), "dynamodb.consistency", {"table": f"T{n}"}) for n in range(FAULTS_MAX + 5)])
    assert (len(seen.all()), seen.dropped) == (FAULTS_MAX, 5)
