"""Metric math: precedence, series against numbers, functions, and expressions that make no sense."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.errors import AwsError
from trine.clock import ManualClock
from trine.cloudwatch import limits
from trine.cloudwatch.archive import Archive
from trine.cloudwatch.arithmetic import Computation
from trine.cloudwatch.errors import ValidationError
from trine.cloudwatch.expression import parse
from trine.cloudwatch.metric import Datum, MetricKey
from trine.cloudwatch.query import Queries
from trine.cloudwatch.store import MetricStore
from trine.cloudwatch.time_series import TimeSeries
from trine.kv.memory import MemoryStore
from trine.metering.distribution import Distribution

SERIES = {"a": {0: 1.0, 60: 2.0, 120: 3.0}, "b": {0: 4.0, 120: 0.0}}
TIMES = [0, 60, 120, 180]


def _compute(text: str) -> Any:
    def look_up(name: str) -> Any:
        if name not in SERIES:
            raise ValidationError(name)
        return TimeSeries(SERIES[name], name)

    def metrics(part: str) -> list[TimeSeries]:
        return [TimeSeries(SERIES[name], name) for name in SERIES if part in name]

    def search(of: str, stat: str, period: int | None) -> list[TimeSeries]:
        return [TimeSeries({0: float(period or 60)}, f"{of} {stat}")]

    return Computation(look_up, metrics, search, TIMES, 60, lambda value: None).compute(parse(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 ^ 2", 19.0),
        ("-2 ^ 2 - (1 - 4) / 3", -3.0),
        ("1 < 2 AND 3 >= 4 || 1", 1.0),
        ("a + 1", {0: 2.0, 60: 3.0, 120: 4.0}),
        ("a / b", {0: 0.25}),
        ("SUM(a)", 6.0),
        ("SUM([a, b])", {0: 5.0, 60: 2.0, 120: 3.0}),
        ("MAX(METRICS())", {0: 4.0, 60: 2.0, 120: 3.0}),
        ('METRIC_COUNT(METRICS("b"))', 1.0),
        ("FILL(b, 9)", {0: 4.0, 60: 9.0, 120: 0.0, 180: 9.0}),
        ("FILL(b, REPEAT)", {0: 4.0, 60: 4.0, 120: 0.0, 180: 0.0}),
        ("FILL(b, LINEAR)", {0: 4.0, 60: 2.0, 120: 0.0}),
        ("FILL(FILL(a, LINEAR), LINEAR)", {0: 1.0, 60: 2.0, 120: 3.0}),
        ("IF(a > 1, a, 0)", {0: 0.0, 60: 2.0, 120: 3.0}),
        ("IF(b, a)", {0: 1.0}),
        ("DIFF(a)", {60: 1.0, 120: 1.0}),
        ("RATE(a)", {60: 1 / 60, 120: 1 / 60}),
        ("RUNNING_SUM(a)", {0: 1.0, 60: 3.0, 120: 6.0}),
        ("ABS(-a) * PERIOD(a)", {0: 60.0, 60: 120.0, 120: 180.0}),
        ("LOG10(b)", {0: pytest.approx(0.602, abs=0.001)}),
        ("TIME_SERIES(5)", dict.fromkeys(TIMES, 5.0)),
        ("LAST(a) - FIRST(a) + DATAPOINT_COUNT(b)", 4.0),
        ("[a, b] * 2", [{0: 2.0, 60: 4.0, 120: 6.0}, {0: 8.0, 120: 0.0}]),
        ("SEARCH('{N} x=\"y\"', 'p90', 300)", [{0: 300.0}]),
        ("SUM(SEARCH('x', 'Sum'))", {0: 60.0}),
        ("SORT(METRICS(), MIN, ASC, 1)", [SERIES["b"]]),
        ("SORT([b, a], SUM, DESC)", [SERIES["a"], SERIES["b"]]),
        ("SLICE([a, b], 1)", SERIES["b"]),
        ("SLICE([a, b], 0, 1)", [SERIES["a"]]),
        ("REMOVE_EMPTY([a, IF(a > 9, a)])", [SERIES["a"]]),
        ("MINUTE(a) + HOUR(a) * 100 + DAY(a) * 1e4", {0: 40000.0, 60: 40001.0, 120: 40002.0}),
        ("DATE(b) + MONTH(b) + YEAR(b) + EPOCH(b)", {0: 1972.0, 120: 2092.0}),
        ("STDDEV(a)", pytest.approx(0.8165, abs=1e-3)),
    ],
)
def test_math(text: str, expected: Any) -> None:
    assert _compute(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "a +", "(a", "a b", "c", "FOO(a)", "SUM(1)", "FILL(a)", 'SEARCH("x")', "SEARCH(x, y)", "SORT(a, AVG, ASC)",
     "SORT([a], WHO, ASC)", "SORT([a], AVG, UP)", "SLICE([a])", "SLICE([a], 2, 1)", "SLICE(a, 1)", "MINUTE(1)",
     "ANOMALY_DETECTION_BAND(a)", "INSIGHT_RULE_METRIC('x', 'y')", "SELECT AVG(x) FROM y", "a ? b",
     "'text' + 1", "IF([a, b], 1)", "1" * 3000, "(" * 200, "-" * 500 + "1", "[a, b] + [a]", "FIRST([a, b])"],
)  # fmt: skip
def test_what_makes_no_sense_is_a_clear_error(text: str) -> None:
    with pytest.raises(ValidationError):
        _compute(text)


@given(st.text(alphabet="ab1+-*/^()[],<>=&|\"' .SUMFIL", max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    with contextlib.suppress(ValidationError):
        assert isinstance(_compute(text), float | dict | list)


def _queries(*queries: dict[str, Any]) -> list[Any]:
    store = MetricStore(Archive(MemoryStore(ManualClock())))
    values = Distribution()
    values.add(5.0)
    store.gather(Datum(MetricKey("N", "m", ()), 60, values, "None", 60))
    return [(result.id, result.values) for result in Queries(store, queries, 0, 300).results()]


STAT = {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Average"}


def test_queries_refer_to_each_other_in_any_order() -> None:
    found = _queries({"Id": "e", "Expression": "m1 + 1"}, {"Id": "m1", "MetricStat": STAT, "ReturnData": False})
    assert found == [("e", {60: 6.0})]


@pytest.mark.parametrize(
    "queries",
    [
        [{"Id": "e", "Expression": "f"}, {"Id": "f", "Expression": "e"}],
        [{"Id": "e", "Expression": "nobody"}],
        [{"Id": "e", "Expression": "1 + 1"}],
        [{"Id": "e"}],
        [{"Id": "e", "Expression": "m"}, {"Id": "e", "MetricStat": STAT}],
        [{"Id": "m", "MetricStat": {**STAT, "Period": 7}}],
        [{"Id": "m", "MetricStat": {**STAT, "Stat": "p200"}}],
        [{"Id": "m", "MetricStat": {**STAT, "Metric": {}}}],
    ],
    ids=str,
)
def test_queries_that_cannot_be_answered(queries: list[dict[str, Any]]) -> None:
    with pytest.raises(AwsError):
        _queries(*queries)


@pytest.mark.parametrize(
    "queries",
    [
        [{"Id": f"e{n}", "Expression": "TIME_SERIES(1)", "Period": 1} for n in range(500)],
        [{"Id": "e0", "Expression": "[TIME_SERIES(1), TIME_SERIES(2)]"}]
        + [{"Id": f"e{n}", "Expression": f"[e{n - 1}, e{n - 1}, e{n - 1}]"} for n in range(1, 20)],
        [{"Id": f"e{n}", "Expression": "SUM(SEARCH('m', 'Sum')) + " * 60 + "1"} for n in range(500)],
        [{"Id": f"e{n}", "Expression": "TIME_SERIES(1)" + "+1" * 400, "Period": 1} for n in range(500)],
    ],
    ids=["series", "doubling", "searches", "steps"],
)
def test_the_work_of_one_call_is_bounded(queries: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "POINTS_PER_CALL_MAX_COUNT", 30_000)
    with pytest.raises(ValidationError, match="compute more than 30,000 data points"):
        _queries(*queries)


def test_gaps_are_filled_in_a_straight_line_wherever_they_are() -> None:
    series = TimeSeries({0: 0.0, 600: 10.0, 1_200: 4.0})
    computation = Computation(lambda name: series, lambda part: [], lambda *of: [], range(0, 1_500, 300), 300, len)
    assert computation.compute(parse("FILL(a, LINEAR)")) == {0: 0.0, 300: 5.0, 600: 10.0, 900: 7.0, 1_200: 4.0}


def test_a_search_finds_metrics_and_names_their_series() -> None:
    store = MetricStore(Archive(MemoryStore(ManualClock())))
    for shop, value in (("north", 1.0), ("south", 2.0)):
        values = Distribution()
        values.add(value)
        store.gather(Datum(MetricKey("App", "Orders", (("shop", shop),)), 60, values, "Count", 60))
    query = {"Id": "e", "Expression": "SEARCH('{App,shop} MetricName=\"Orders\"', 'Sum', 60)", "Label": "all"}
    found = [(result.label, result.values) for result in Queries(store, [query], 0, 300).results()]
    assert found == [("all north Orders", {60: 1.0}), ("all south Orders", {60: 2.0})]
    total = {"Id": "t", "Expression": "SUM(SEARCH('Orders', 'Sum'))"}
    assert [result.values for result in Queries(store, [total], 0, 300).results()] == [{60: 3.0}]
