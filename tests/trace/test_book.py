"""Traces: steps with times, refusals that say why, children under their cause, bounded rings."""

from __future__ import annotations

import asyncio
import gc

from trine.clock import ManualClock
from trine.trace import CHILDREN_MAX, Trace, TraceBook
from trine.trace.book import TOGETHER_COUNT


def test_steps_carry_the_time_since_the_step_before() -> None:
    clock = ManualClock()
    trace = Trace.begun("apigateway", "r-1", clock)
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


def _request(book: TraceBook, number: int, status: int = 200) -> tuple[Trace, Trace]:
    cause = book.open("apigateway", f"cause-{number}")
    child = book.open("lambda", f"child-{number}", cause)
    grandchild = book.open("dynamodb", f"grandchild-{number}", child)
    for trace in (grandchild, child, cause):
        book.close(trace, status if trace is not cause else 200)
    return cause, grandchild


def test_requests_that_were_pushed_out_leave_nothing_for_the_cycle_collector() -> None:
    book = TraceBook(ManualClock(), capacity_per_ring=5)
    gc.collect()
    gc.disable()
    try:
        before = sum(type(each) is Trace for each in gc.get_objects())
        for number in range(100):
            _request(book, number)
        book.hand_on()
        kept = sum(type(each) is Trace for each in gc.get_objects()) - before
    finally:
        gc.enable()
    assert kept <= 3 * 5


def test_a_call_whose_cause_was_pushed_out_is_still_shown_below_it() -> None:
    book = TraceBook(ManualClock(), capacity_per_ring=2)
    cause, _ = _request(book, 1)
    for number in (2, 3):
        book.close(book.open("apigateway", f"other-{number}"), 200)
    assert cause.children == []
    found = book.find("grandchild-1")
    assert found is not None
    assert found.parent is not None
    assert found.parent.parent is cause
    below = cause.as_document()["children"]
    assert [below[0]["requestId"], below[0]["children"][0]["requestId"]] == ["child-1", "grandchild-1"]


def test_what_is_under_way_or_refused_below_keeps_everything_when_it_is_pushed_out() -> None:
    book = TraceBook(ManualClock(), capacity_per_ring=1)
    under_way = book.open("apigateway", "slow")
    book.open("lambda", "slow-child", under_way)
    refused_below, _ = _request(book, 1, status=400)
    _request(book, 2)
    _request(book, 3)
    assert [child.request_id for child in under_way.children] == ["slow-child"]
    assert [child.request_id for child in refused_below.children] == ["child-1"]


ROOMS = ("iam.signature", "dynamodb.shape", "iam.policy")


def test_a_usual_trace_is_kept_in_one_piece_and_read_as_it_was() -> None:
    clock = ManualClock()
    book = TraceBook(clock)
    trace = book.open("dynamodb", "r-1")
    trace.title, trace.usage, trace.payer = "dynamodb:GetItem Users", (("Users", None, 0.5, 0.0),), "arn"
    started_ns = clock.monotonic_ns()
    trace.way = (ROOMS, {"principal": "ann"}, started_ns + 1000, None, started_ns + 2000, None, 0)
    clock.advance(0.000_005)
    book.close(trace, 200, "dynamodb.read")
    (found,) = book.latest("dynamodb")
    assert found.as_document() == trace.as_document()
    assert (found.usage, found.payer, found.outcome) == (trace.usage, trace.payer, 200)
    steps = found.as_document()["steps"]
    assert [(step["room"], step["endMicros"], step["detail"]) for step in steps] == [
        ("iam.signature", 1, {"principal": "ann"}),
        ("dynamodb.shape", 2, None),
        ("dynamodb.read", 5, None),
    ]
    assert found.last_room == "dynamodb.read"


def test_notes_beside_the_way_stand_in_order_of_time() -> None:
    clock = ManualClock()
    book = TraceBook(clock)
    trace = book.open("dynamodb", "r-1")
    clock.advance(0.000_003)
    trace.step("dynamodb.consistency", {"could_be_stale": True})
    now_ns = clock.monotonic_ns()
    trace.way = (ROOMS, None, now_ns - 2000, None, now_ns - 1000, None, now_ns + 1000)
    clock.advance(0.000_002)
    book.close(trace, 200, "dynamodb.read")
    found = book.find("r-1")
    assert found is not None
    assert [room for room, _ in found.times()] == [*ROOMS[:2], "dynamodb.consistency", ROOMS[2], "dynamodb.read"]


def test_a_trace_that_others_have_overtaken_is_found_too() -> None:
    book = TraceBook(ManualClock())
    slow, quick = book.open("dynamodb", "slow"), book.open("dynamodb", "quick")
    book.close(slow, 200, "dynamodb.commit")
    book.close(quick, 200, "dynamodb.read")
    assert [trace.request_id for trace in book.latest("dynamodb")] == ["quick", "slow"]
    assert book.find("slow") is slow


def _closed(book: TraceBook, name: str, status: int = 200) -> Trace:
    trace = book.begin("dynamodb", name)
    tick = book._tick()
    trace.way = ((*ROOMS, "dynamodb.expressions"), None, tick, None, tick, None, tick, None, tick)
    book.close(trace, status, "dynamodb.read")
    return trace


def test_followers_are_told_by_the_round_of_the_loop() -> None:
    told = list[list[str]]()
    book = TraceBook(ManualClock())
    stop = book.follow(lambda closed: told.append([one.request_id for one in closed]))

    async def scenario() -> None:
        _closed(book, "first", 400)
        _closed(book, "second", 400)
        assert told == []
        await asyncio.sleep(0)
        assert told == [["first", "second"]]
        for number in range(TOGETHER_COUNT + 1):
            _closed(book, str(number), 400)
        assert len(told[1]) == TOGETHER_COUNT, "so many do not wait"
        stop()
        assert told[2] == [str(TOGETHER_COUNT)]
        _closed(book, "later", 400)
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert len(told) == 3


def test_without_a_loop_followers_are_told_at_once() -> None:
    told = list[str]()
    book = TraceBook(ManualClock())
    book.follow(lambda closed: told.extend(one.request_id for one in closed))
    _closed(book, "first", 400)
    assert told == ["first"]


def test_usual_ones_are_told_to_whoever_wants_every_one_and_else_counted_only() -> None:
    clock, counted, told, all_told = ManualClock(), list[int](), list[str](), list[str]()
    book = TraceBook(clock)
    book.count_usual(lambda trace: None, lambda first: counted.append, lambda count: None)
    book.follow(lambda closed: told.extend(one.request_id for one in closed))
    _closed(book, "usual")
    _closed(book, "refused", 400)
    book.hand_on()
    assert (counted, told) == ([0], ["refused"])
    book.follow(lambda closed: all_told.extend(one.request_id for one in closed), every=True)
    _closed(book, "another")
    book.hand_on()
    assert (counted, told, all_told) == ([0], ["refused", "another"], ["another"])
    for name in ("usual", "refused", "another"):
        found = book.find(name)
        assert found is not None
        assert (found.request_id, found.started_at) == (name, clock.now())


def test_what_waits_to_be_handed_on_is_found_already() -> None:
    clock = ManualClock()
    book = TraceBook(clock)
    _closed(book, "older")
    book.hand_on()
    clock.advance(0.001)
    opened = book.open("dynamodb", "opened")
    clock.advance(0.001)
    _closed(book, "waiting")
    book.close(opened, 200)
    for name in ("older", "opened", "waiting"):
        found = book.find(name)
        assert found is not None
        assert (found.request_id, found.outcome) == (name, 200)
    assert [trace.request_id for trace in book.latest("dynamodb")] == ["waiting", "opened", "older"]
    book.hand_on()
    assert [trace.request_id for trace in book.latest("dynamodb")] == ["waiting", "opened", "older"]
    assert [trace.request_id for trace in book.latest("dynamodb", 1)] == ["waiting"]
    assert list(book.latest("dynamodb", 0)) == []
