"""Traces: steps with times, refusals that say why, children under their cause, bounded rings."""

from __future__ import annotations

from trine.clock import ManualClock
from trine.trace import CHILDREN_MAX, Trace, TraceBook


def test_steps_carry_the_time_since_the_step_before() -> None:
    clock = ManualClock()
    trace = Trace("apigateway", "r-1", clock)
    clock.advance(0.001)
    trace.step("apigateway.router", {"route": "GET /users"})
    clock.advance(0.002)
    trace.step("awslambda.invoke")
    first, second = trace.as_document()["steps"]
    assert (first["startMicros"], first["endMicros"]) == (0, 1000)
    assert (second["startMicros"], second["endMicros"]) == (1000, 3000)
    assert first["detail"] == {"route": "GET /users"}


def test_a_refusal_says_who_refused_and_why_and_outlives_busy_traffic() -> None:
    clock = ManualClock()
    book = TraceBook(clock, capacity_per_ring=10)
    refused = book.open("dynamodb", "refused")
    refused.refuse("iam.policy", "no statement allows dynamodb:PutItem", action="dynamodb:PutItem")
    book.close(refused, 400)
    for number in range(100):
        book.close(book.open("dynamodb", f"r-{number}"), 200)
    found = book.find("refused")
    assert found is not None
    assert found.as_document()["refusal"]["action"] == "dynamodb:PutItem"
    assert book.find("r-0") is None
    assert [trace.request_id for trace in book.latest("dynamodb", 2)] == ["r-99", "r-98"]


def test_children_hang_under_their_cause_and_are_bounded() -> None:
    clock = ManualClock()
    book = TraceBook(clock)
    parent = book.open("apigateway", "parent")
    for number in range(CHILDREN_MAX + 5):
        book.open("dynamodb", f"child-{number}", parent)
    assert len(parent.children) == CHILDREN_MAX
    assert parent.as_document()["children"][0]["requestId"] == "child-0"


def test_a_refusal_that_is_made_once() -> None:
    facts = {"room": "apigateway.authorizer", "reason": "denied", "resource": "arn"}
    for recording in (True, False):
        book = TraceBook(ManualClock(), recording=recording)
        trace = book.open("apigateway", "r1")
        trace.refuse_as(facts)
        assert trace.refusal == facts
    recorded = TraceBook(ManualClock()).open("apigateway", "r2")
    recorded.refuse_as(facts)
    assert [(step.room, step.detail) for step in recorded.steps] == [("apigateway.authorizer", facts)]
