"""The collector: batches by size and by the clock, minutes closed, parts bounded, faults told, idle silent."""

from __future__ import annotations

from typing import Any

import pytest

from trine.clock import ManualClock
from trine.metering.collector import Collector
from trine.metering.distribution import Distribution
from trine.metering.kinds.known import tally
from trine.metering.ledger import Ledger, TableLevel
from trine.metering.limits import BATCH_MAX_COUNT, PAYERS_MAX_COUNT, SERIES_MAX_COUNT
from trine.metering.measures import DYNAMODB, GATEWAY, LAMBDA, Measures, MetricName
from trine.metering.usage import Counts, Dimensions, FunctionUse, Payer, Payers, RequestUse, RouteName, add, take
from trine.trace import Trace, TraceBook

ROUTE = RouteName("abc", "profiles", "Prod", "GET", "/users/{id}", rest=True)


class Bench:
    """A collector over a book, moved by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_800_000_000.0)
        self.book = TraceBook(self.clock)
        self.ledger = Ledger(None)
        self.levels: list[TableLevel] = []
        self.collector = Collector(self.clock, self.book, self.ledger, lambda: self.levels)
        self.measured: dict[Any, Distribution] = {}
        self.collector.on_minute = self._take

    def call(
        self, kind: str, title: str, status: int = 200, parent: Trace | None = None, took: float = 0.001, **given: Any
    ) -> Trace:
        trace = self.book.open(kind, "id", parent)
        trace.title = title
        trace.usage, trace.payer = given.get("usage"), given.get("payer")
        if "refusal" in given:
            trace.refuse(**given["refusal"])
        self.clock.advance(took)
        self.book.close(trace, status)
        return trace

    def rows(self) -> dict[Dimensions, Counts]:
        found: dict[Dimensions, Counts] = {}
        for row in self.ledger.view().rows(0, 10**9):
            add(found.setdefault(row.dimensions, {}), row.counts)
        return found

    def total(self, namespace: str, name: str, **dimensions: str) -> Any:
        self.collector.measure()
        return self.measured[namespace, name, tuple(sorted(dimensions.items()))]

    def _take(self, minute: int, measured: Any) -> None:
        for series, values in measured:
            key = (series.namespace, series.name, tuple(sorted(series.dimensions)))
            self.measured.setdefault(key, Distribution()).merge(values)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_batch_is_counted_when_it_is_full_or_a_second_old(bench: Bench) -> None:
    for _ in range(BATCH_MAX_COUNT - 1):
        bench.call("dynamodb", "dynamodb:GetItem Users", took=0, usage=(("Users", None, 0.5, 0.0),))
    assert bench.collector.traces_counted == 0
    for _ in range(2):
        bench.call("dynamodb", "dynamodb:GetItem Users", took=0, usage=(("Users", None, 0.5, 0.0),))
    assert bench.collector.traces_counted == BATCH_MAX_COUNT
    bench.clock.advance(1.0)
    assert bench.collector.traces_counted == BATCH_MAX_COUNT + 1
    assert bench.rows()[Dimensions("table", table="Users")]["readUnits"] == (BATCH_MAX_COUNT + 1) / 2


def test_usual_calls_do_not_wait_without_end(bench: Bench) -> None:
    who: dict[str, str] = {}
    for _ in range(2 * BATCH_MAX_COUNT):
        trace = bench.book.begin("dynamodb", "id")
        trace.title, trace.usage, trace.payer = "dynamodb:GetItem Users", (("Users", None, 0.5, 0.0),), "arn"
        trace.way = (("a", "b", "c", "d"), who, 1, None, 1, who, 1, None, 1)
        bench.book.close(trace, 200, "dynamodb.read")
    assert bench.collector.traces_counted >= BATCH_MAX_COUNT
    bench.clock.advance(1.0)
    assert bench.collector.traces_counted == 2 * BATCH_MAX_COUNT


def test_usual_calls_are_counted_like_the_others(bench: Bench) -> None:
    who = {"principal": "ada"}
    for number in range(200):
        trace = bench.book.begin("dynamodb", f"id-{number}")
        trace.title, trace.payer = "dynamodb:GetItem Users", "arn"
        take(trace, "Users", None, 0.5 if number % 4 else 1.0, 0.0)
        tick = bench.clock.monotonic_ns
        trace.way = (("a", "b", "c", "d"), who, tick(), None, tick(), who, tick(), None, tick())
        bench.clock.advance(0.001)
        bench.book.close(trace, 400 if number % 10 == 0 else 200, "dynamodb.read")
    bench.collector.flush()
    counts = bench.rows()[Dimensions("table", caller="arn", table="Users")]
    assert (counts["requests"], counts["errors"], counts["readUnits"]) == (200, 20, 125.0)
    assert counts["milliseconds"] == pytest.approx(200.0)
    assert bench.total(DYNAMODB, "SuccessfulRequestLatency", Operation="GetItem", TableName="Users").count == 180


def test_everything_goes_on_the_account_of_who_let_it_in(bench: Bench) -> None:
    payer = Payer(ROUTE, "key", "ada")
    request = bench.book.open("apigateway", "r")
    request.payer = payer
    function = bench.call("lambda", "Get", parent=request, usage=FunctionUse(256, 4.2, 5, 0.0))
    bench.call("dynamodb", "dynamodb:GetItem Users", parent=function, usage=(("Users", "by-mail", 2.0, 0.0),))
    request.usage = RequestUse(True, 10, 1000, integration_ns=1_500_000)
    bench.book.close(request, 200)
    bench.collector.drain()
    common = ("profiles/Prod GET /users/{id}", "key", "ada")
    rows = bench.rows()
    assert rows[Dimensions("rest", *common)]["units"] == 1
    assert rows[Dimensions("lambda", *common, "Get")] == {
        "requests": 1,
        "milliseconds": 4.2,
        "billedMs": 5,
        "mbMs": 1280,
    }
    assert rows[Dimensions("table", *common, "Get", "Users", "by-mail")]["readUnits"] == 2
    assert bench.total(GATEWAY, "Count", ApiName="profiles").count == 1
    where = {"ApiName": "profiles", "Stage": "Prod", "Method": "GET", "Resource": "/users/{id}"}
    assert bench.total(GATEWAY, "Latency", **where).maximum == pytest.approx(2.0)
    assert bench.total(GATEWAY, "IntegrationLatency", **where).count == 1
    assert bench.total(LAMBDA, "Duration", FunctionName="Get").total == pytest.approx(4.2)
    index = {"TableName": "Users", "GlobalSecondaryIndexName": "by-mail"}
    assert bench.total(DYNAMODB, "ConsumedReadCapacityUnits", **index).total == 2


def test_arm_and_extra_storage_are_counted_apart(bench: Bench) -> None:
    bench.call("lambda", "Get", usage=FunctionUse(256, 4.2, 5, 0.0, True, 1024))
    bench.call("lambda", "Get", usage=FunctionUse(256, 4.2, 5, 0.0, False, 0))
    bench.collector.drain()
    row = bench.rows()[Dimensions("lambda", function="Get")]
    assert (row["armMbMs"], row["mbMs"], row["storageMbMs"]) == (1280, 1280, 5120)


@pytest.mark.parametrize(
    ("room", "status", "name"),
    [("apigateway.authorizer", 401, "unbilled"), ("apigateway.usage-plan", 403, "unbilled"),
     ("apigateway.throttle", 429, "unbilled"), ("apigateway.validation", 400, "units"), ("iam.policy", 500, "units")],
)  # fmt: skip
def test_refusals_that_aws_does_not_charge_for(bench: Bench, room: str, status: int, name: str) -> None:
    refusal = {"room": room, "reason": "because"}
    bench.call("apigateway", "GET /", status, usage=RequestUse(True, 0, 0), payer=Payer(ROUTE), refusal=refusal)
    bench.collector.drain()
    (counts,) = bench.rows().values()
    assert counts[name] == 1
    assert ("unbilled" in counts) != ("units" in counts)


def test_errors_and_throttles(bench: Bench) -> None:
    throttled = {
        "room": "dynamodb.throughput",
        "reason": "units",
        "throttling": "TableWriteProvisionedThroughputExceeded",
    }
    bench.call("dynamodb", "dynamodb:PutItem Users", 400, refusal=throttled)
    failed = {"room": "dynamodb.commit", "reason": "no", "code": "ConditionalCheckFailedException"}
    bench.call("dynamodb", "dynamodb:PutItem Users", 400, refusal=failed, usage=(("Users", None, 0.0, 1.0),))
    bench.call("lambda", "F", 429, refusal={"room": "awslambda.service", "reason": "full"})
    bench.call(
        "lambda", "F", usage=FunctionUse(128, 1.0, 1, 0.0), refusal={"room": "awslambda.environment", "reason": "Error"}
    )
    bench.collector.drain()
    assert bench.total(DYNAMODB, "ThrottledRequests", TableName="Users", Operation="PutItem").total == 1
    assert bench.total(DYNAMODB, "WriteThrottleEvents", TableName="Users").total == 1
    assert bench.total(DYNAMODB, "ConditionalCheckFailedRequests", TableName="Users").total == 1
    assert bench.total(LAMBDA, "Throttles", FunctionName="F").total == 1
    assert bench.total(LAMBDA, "Errors", FunctionName="F").total == 1
    assert bench.total(LAMBDA, "Invocations", FunctionName="F").total == 1
    assert bench.rows()[Dimensions("table", table="Users")] == pytest.approx(
        {"requests": 2, "milliseconds": 2.0, "errors": 2, "throttled": 1, "writeUnits": 1}
    )


def test_a_cold_start_is_billed_with_its_init(bench: Bench) -> None:
    bench.call("lambda", "F", usage=FunctionUse(1024, 10.0, 111, 100.5))
    bench.collector.drain()
    counts = bench.rows()[Dimensions("lambda", function="F")]
    assert (counts["billedMs"], counts["initMs"], counts["coldStarts"]) == (111, 100.5, 1)


def test_nothing_runs_while_nothing_happens(bench: Bench) -> None:
    assert not bench.clock._timers
    bench.call("dynamodb", "dynamodb:GetItem Users", usage=(("Users", None, 0.5, 0.0),))
    bench.clock.advance(180)
    assert not [timer for timer in bench.clock._timers if not timer.cancelled]


def test_levels_are_noted_with_the_minute(bench: Bench) -> None:
    bench.levels = [TableLevel("Users", "", 1000.0, 0.0, 0.0)]
    bench.call("dynamodb", "dynamodb:PutItem Users", usage=(("Users", None, 0.0, 1.0),))
    bench.clock.advance(120)
    bench.levels = []
    bench.collector.close()
    assert [level.now.stored_bytes for level in bench.ledger.view().levels(10**9)] == [1000, 0]


def test_control_planes_cost_nothing(bench: Bench) -> None:
    for kind in ("iam", "sts", "lambda-api"):
        bench.call(kind, "something")
    bench.collector.drain()
    assert bench.rows() == {}
    assert bench.collector.failures == 0


def test_a_fault_of_our_own_is_told_and_hurts_nobody(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.call("lambda", "F", usage=("nonsense",))
    bench.collector.drain()
    assert bench.collector.failures == 1
    assert "could not be counted" in caplog.text


def test_ten_thousand_callers_and_series_stay_bounded() -> None:
    payers, measures = Payers(), Measures()
    found = {id(payers.of(ROUTE, "", f"caller-{number}")) for number in range(10_000)}
    assert len(found) == PAYERS_MAX_COUNT + 1
    assert payers.merged == 10_000 - PAYERS_MAX_COUNT
    assert payers.of(ROUTE, "", "caller-9999").caller == "(other)"
    for number in range(10_000):
        measures.add(MetricName("Mine", f"metric-{number}", ()), 1.0)
    assert len(list(measures.turn())) == SERIES_MAX_COUNT
    assert measures.dropped == 10_000 - SERIES_MAX_COUNT


def test_units_of_one_request_add_up_by_table_and_index(bench: Bench) -> None:
    trace = bench.book.open("dynamodb", "id")
    for table, index in (("A", None), ("B", None), ("A", "i"), ("A", None)):
        take(trace, table, index, 1.0, 0.5)
    assert trace.usage == (("A", None, 2.0, 1.0), ("B", None, 1.0, 0.5), ("A", "i", 1.0, 0.5))


def test_the_time_of_the_integration_is_measured_where_there_was_one(bench: Bench) -> None:
    payer = Payer(ROUTE)
    for integration_ns in (2_000_000, None, 3_000_000):
        use = RequestUse(True, 0, 0, integration_ns=integration_ns)
        bench.call("apigateway", "GET /", usage=use, payer=payer)
    where = {"ApiName": "profiles", "Stage": "Prod", "Method": "GET", "Resource": "/users/{id}"}
    found = bench.total(GATEWAY, "IntegrationLatency", **where)
    assert (found.count, found.minimum, found.maximum) == (2, pytest.approx(2.0), pytest.approx(3.0))


def test_a_book_that_does_not_record_tells_nobody() -> None:
    clock = ManualClock()
    book = TraceBook(clock, recording=False)
    collector = Collector(clock, book, Ledger(None))
    trace = book.open("dynamodb", "id")
    trace.step("room")
    trace.refuse("room", "why")
    book.close(trace, 400)
    collector.drain()
    assert (book.find("id"), trace.steps, collector.traces_counted) == (None, [], 0)
    assert trace.refusal == {"room": "room", "reason": "why"}


def test_websocket_events_are_rows_of_their_route() -> None:
    bench = Bench()
    payer = Payer(RouteName("ws1", "chat", "prod", "", "send", rest=False))
    for _ in range(3):
        bench.call("websocket", "MESSAGE send", usage=(2, 0.0), payer=payer)
    bench.call("websocket", "MESSAGE send", status=429, usage=(1, 0.0), payer=payer)
    bench.call("websocket", "DISCONNECT /prod", usage=(0, 2.5), payer=payer)
    bench.call("websocket", "CONNECT /prod")  # costs nothing
    bench.collector.flush()
    [(dimensions, counts)] = bench.rows().items()
    assert (dimensions.service, dimensions.route) == ("websocket", "chat/prod send")
    assert {name: counts[name] for name in ("requests", "messages", "connectionMinutes", "errors", "throttled")} == {
        "requests": 4, "messages": 7, "connectionMinutes": 2.5, "errors": 1, "throttled": 1}  # fmt: skip


@pytest.mark.parametrize("asked_by", ["apigateway", "lambda-url", "lambda-api"])
def test_receipt_and_ledger_count_all_of_an_invocation_alike(asked_by: str) -> None:
    """A streamed answer counts beyond its first 6 MB; it leaves AWS when an API or a function URL gave it."""
    bench, megabyte = Bench(), 1024 * 1024
    use = FunctionUse(256, 10.0, 11, 0.5, arm=True, extra_storage_mb=512, kept_ready=True, log_bytes=300,
                      streamed_bytes=8 * megabyte)  # fmt: skip
    above = bench.book.open(asked_by, "above")
    trace = bench.call("lambda", "f", parent=above, usage=tuple(use))
    bench.call("lambda", "f", parent=above, usage=tuple(use))
    ((dimensions, one),) = tally(trace)
    bench.collector.drain()
    both = next(counts for of, counts in bench.rows().items() if of == dimensions)
    assert both == {name: pytest.approx(2 * value) for name, value in one.items()}
    assert one["streamedBytes"] == 2 * megabyte
    assert one.get("bytesOut") == (None if asked_by == "lambda-api" else 8 * megabyte)
    assert (one["armReadyMbMs"], one["storageMbMs"], one["logBytes"]) == (11 * 256, 11 * 512, 300)


def test_what_is_held_is_noted_in_the_minute_in_which_a_call_may_have_changed_it() -> None:
    bench = Bench()
    bench.collector.held = lambda: [("cloudwatch.alarm-month", "busy", 1.0)]
    bench.call("cloudwatch", "cloudwatch:PutMetricAlarm busy")
    bench.clock.advance(120)
    (holding,) = bench.ledger.view().holdings(10**9)
    assert (holding.what, holding.quantity) == ("busy", 1.0)
    assert holding.minute <= 1_800_000_000 // 60 + 1


def test_nothing_is_armed_once_it_is_closed(bench: Bench) -> None:
    """A clock may outlive a stack: the next one must not meet what the first had left behind."""
    looked: list[str] = []
    bench.collector.on_minute_over = lambda: looked.append("over")
    bench.call("dynamodb", "dynamodb:GetItem Users")
    bench.collector.close()
    bench.collector.count_work("cloudwatch", {"metricHours": 1})
    bench.call("dynamodb", "dynamodb:GetItem Users")
    looked.clear()
    bench.clock.advance(600)
    assert looked == []
