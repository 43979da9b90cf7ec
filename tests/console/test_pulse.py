"""The living map's numbers: counted while somebody looks, forgotten when nobody does."""

from __future__ import annotations

import json
from typing import Any

from trine.clock import ManualClock
from trine.console.pulse import NODES_MAX, SECONDS, Pulse
from trine.metering.batch import Batch, Groups
from trine.metering.usage import FunctionUse, Payer, RequestUse, RouteName
from trine.trace import Trace


def request(clock: ManualClock, status: int = 200) -> list[Trace]:
    """A request through the door, a function and a table."""
    door = Trace.begun("apigateway", "1", clock)
    door.payer = Payer(RouteName("api1", "shop", "prod", "GET", "/x", rest=True))
    run = Trace.begun("lambda", "2", clock, door)
    run.title, run.usage = "list", FunctionUse(128, 4.0, 4, 0.0)
    door.usage = RequestUse(True, 10, 10)
    call = Trace.begun("dynamodb", "3", clock, run)
    call.title = "dynamodb:Query Orders"
    call.usage = (("Orders", None, 2.5, 0.0),)
    for trace in (call, run, door):
        trace.outcome, trace.ended_ns = status, trace.started_ns + 4_000_000
    return [call, run, door]


def counted(*traces: Trace) -> Groups:
    """Traces as the collector hands them on."""
    batch = Batch(lambda: None, lambda: None, lambda: None)
    batch.add(traces)
    return batch.take()


def named(look: dict[str, Any]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {tuple(node["name"]): node for node in look["nodes"]}


def test_nodes_and_edges_of_the_last_minute() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    pulse.take(counted(*request(clock)))
    assert pulse.look()["nodes"] == [], "nobody looked"
    pulse.take(counted(*request(clock)))
    clock.advance(2)
    pulse.take(counted(*request(clock, 500)))
    nodes = named(pulse.look())
    assert set(nodes) == {
        ("route", "api1", "shop/prod GET /x"), ("function", "list"), ("table", "Orders"),
        ("edge", "door", "api1", "function", "list"), ("edge", "function", "list", "table", "Orders", "Query"),
    }  # fmt: skip
    route = nodes["route", "api1", "shop/prod GET /x"]
    assert (route["errors"], route["faults"]) == (1, 1)
    table = nodes["table", "Orders"]
    assert (table["count"], table["errors"], table["readUnits"]) == (2, 1, 5.0)
    json.dumps(pulse.look(), allow_nan=False)
    assert 3.9 < table["p50"] < 4.1
    assert len(table["series"]) == SECONDS
    assert sum(table["series"]) == 1, "the running second is not drawn yet"


def test_what_the_caller_did_wrong_is_no_fault_and_a_failing_function_is() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    pulse.look()
    call, run, door = request(clock, 404)
    run.outcome = 200
    run.refuse("awslambda.environment", "KeyError")
    pulse.take(counted(call, run, door))
    nodes = named(pulse.look())
    assert (nodes["route", "api1", "shop/prod GET /x"]["errors"], nodes["table", "Orders"]["errors"]) == (1, 1)
    assert nodes["route", "api1", "shop/prod GET /x"]["faults"] == nodes["table", "Orders"]["faults"] == 0
    assert (nodes["function", "list"]["errors"], nodes["function", "list"]["faults"]) == (1, 1)


def test_what_sends_events_counts_once_for_each_run_that_it_starts() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    pulse.look()
    stream = "arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/1"
    runs = []
    for outcome, usage in (
        (200, FunctionUse(128, 4.0, 4, 0.0)),
        (202, None),
    ):  # a run, and an event that was only accepted
        run = Trace.begun("lambda", str(outcome), clock)
        run.title, run.payer, run.usage, run.outcome = "on-order", stream, usage, outcome
        run.ended_ns = run.started_ns + 4_000_000
        runs.append(run)
    pulse.take(counted(*runs))
    nodes = named(pulse.look())
    assert nodes["event", stream]["count"] == 1
    assert nodes["edge", "event", stream, "function", "on-order"]["count"] == 1
    assert nodes["function", "on-order"]["count"] == 1


def test_rates_are_of_the_time_that_was_counted() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    assert pulse.look()["seconds"] == 1
    clock.advance(5)
    pulse.take(counted(*request(clock)))
    assert pulse.look()["seconds"] == 5, "a minute has not passed"
    for _ in range(20):
        clock.advance(5)
        pulse.look()
    assert pulse.look()["seconds"] == SECONDS
    clock.advance(30)
    assert (pulse.look()["seconds"], pulse.look()["nodes"]) == (1, []), "nobody looked for a while: anew"


def test_messages_of_connections_count_at_their_door() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    pulse.look()
    event = Trace.begun("websocket", "1", clock)
    event.payer = Payer(RouteName("chat", "chat", "prod", "", "$default", rest=False))
    event.usage, event.outcome, event.ended_ns = (1, 0.0), 200, event.started_ns + 2_000_000
    pulse.take(counted(event))
    (door,) = pulse.look()["nodes"]
    assert (door["name"][:2], door["count"]) == (["route", "chat"], 1)


def test_it_forgets_when_nobody_looks() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    pulse.look()
    pulse.take(counted(*request(clock)))
    clock.advance(11)
    pulse.take(counted(*request(clock)))
    assert pulse.look()["nodes"] == []


def test_many_names_of_one_second_become_one() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    pulse.look()
    traces = []
    for number in range(NODES_MAX + 10):
        trace = Trace.begun("lambda", str(number), clock)
        trace.title, trace.ended_ns, trace.usage = f"f{number}", trace.started_ns, FunctionUse(128, 4.0, 4, 0.0)
        traces.append(trace)
    pulse.take(counted(*traces))
    nodes = named(pulse.look())
    assert nodes["other",]["count"] == 10
