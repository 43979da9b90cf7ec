"""Metric filters: values out of log events, by pattern; from a template into an alarm, over a restart, and refused."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from tests.waiting import wait_until
from trine.clock import ManualClock, SystemClock
from trine.logs.errors import InvalidParameter
from trine.logs.metric_filter import Emission, MetricFilter, filter_of
from trine.testing import RunningStack, running

MINUTE = 1_800_000_000_000


def made(pattern: str, value: str = "1", **more: Any) -> MetricFilter:
    given = {"metricName": "m", "metricNamespace": "Own", "metricValue": value, **more}
    return MetricFilter("f", pattern, [given], 1)


def values(found: MetricFilter, *messages: str) -> list[float]:
    return [one.value for message in messages for one in found.emissions(message, MINUTE)]


@pytest.mark.parametrize(
    ("pattern", "value", "message", "found"),
    [
        ("ERROR", "1", "an ERROR\n", [1]),
        ("ERROR", "1", "fine\n", []),
        ("", "2.5", "anything", [2.5]),
        ("{ $.ms > 10 }", "$.ms", '{"ms": 12.5}', [12.5]),
        ("{ $.ms > 10 }", "$.ms", '{"ms": 9}', []),
        ("{ $.a.b = * }", "$.a.b", '{"a": {"b": "17"}}', [17]),
        ("{ $.a = * }", "$.b", '{"a": "x", "b": "none"}', []),
        ("{ $.a = * }", "$.b", '{"a": "x"}', []),
        ("[ip, status = 5*, bytes]", "$bytes", "10.0.0.1 503 1200", [1200]),
        ("[ip, ..., bytes]", "$bytes", "10.0.0.1 a b c 7", [7]),
        ("[ip, status, bytes]", "$bytes", "10.0.0.1 200 -", []),
    ],
)
def test_what_a_filter_publishes(pattern: str, value: str, message: str, found: list[float]) -> None:
    assert values(made(pattern, value), message) == found
    assert values(filter_of(made(pattern, value).document()), message) == found, "as it is kept"


def test_dimensions_come_from_the_event() -> None:
    found = made("{ $.ms = * }", "$.ms", dimensions={"Route": "$.route"}, unit="Milliseconds")
    (one,) = found.emissions('{"ms": 3, "route": "GET /"}', MINUTE)
    assert one == Emission("Own", "m", 3, "Milliseconds", (("Route", "GET /"),))
    assert list(found.emissions('{"ms": 3}', MINUTE)) == [], "without its dimension it is another metric: none"


def test_a_default_value_is_reported_once_a_minute_without_a_match() -> None:
    found = made("ERROR", "1", defaultValue=0)
    told = [[one.value for one in found.emissions(message, at)] for message, at in (
        ("fine", MINUTE), ("fine", MINUTE + 1), ("ERROR", MINUTE + 2), ("ERROR", MINUTE + 60_000),
        ("fine", MINUTE + 60_001), ("fine", MINUTE + 120_000))]  # fmt: skip
    assert told == [[0], [], [1], [1], [], [0]]


@pytest.mark.parametrize(
    ("pattern", "given", "said"),
    [
        ("{ $.a", {}, "filter pattern"),
        ("ERROR", {"metricValue": "$.ms"}, "names nothing of the filter pattern"),
        ("[a, b]", {"metricValue": "$c"}, "names nothing of the filter pattern"),
        ("{ $.a = * }", {"metricValue": "much"}, "names nothing of the filter pattern"),
        ("ERROR", {"metricNamespace": "AWS/Own"}, "AWS's own"),
        ("ERROR", {"metricName": "a:b"}, "no colon"),
        ("{ $.a = * }", {"dimensions": {"A": "$.a"}, "defaultValue": 0}, "mutually exclusive"),
        ("{ $.a = * }", {"dimensions": dict.fromkeys("ABCD", "$.a")}, "at most 3"),
    ],
)
def test_what_means_nothing_is_refused(pattern: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        made(
            pattern, **{"value": "1", **{("value" if key == "metricValue" else key): one for key, one in given.items()}}
        )
    assert said in refused.value.message
    with pytest.raises(InvalidParameter, match="exactly one"):
        MetricFilter("f", "", [], 1)


TEMPLATE = """
Resources:
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: app}}
  Errors:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref Group
      FilterName: errors
      FilterPattern: '{ $.level = "ERROR" }'
      MetricTransformations:
        - {MetricName: Errors, MetricNamespace: App, MetricValue: $.weight, DefaultValue: 0}
  TooMany:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: too-many, Namespace: App, MetricName: Errors, Statistic: Sum, Period: 60,
                 EvaluationPeriods: 1, Threshold: 5, ComparisonOperator: GreaterThanThreshold}
"""


def _put(stack: RunningStack, *messages: str) -> None:
    logs, now_ms = stack.client("logs"), int(stack.stack.wings.clock.now() * 1000)
    events = [{"timestamp": now_ms, "message": message} for message in messages]
    logs.put_log_events(logGroupName="app", logStreamName="s", logEvents=events)


def _sum(stack: RunningStack) -> float:
    now = datetime.datetime.fromtimestamp(stack.stack.wings.clock.now(), datetime.UTC)
    found = stack.client("cloudwatch").get_metric_statistics(
        Namespace="App", MetricName="Errors", Period=60, Statistics=["Sum"],
        StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=1),
    )["Datapoints"]  # fmt: skip
    return sum(float(point["Sum"]) for point in found)


def test_lines_of_a_log_raise_an_alarm_over_a_restart(tmp_path: Path) -> None:
    template, state = tmp_path / "template.yaml", tmp_path / "state"
    template.write_text(TEMPLATE)
    clock = ManualClock(SystemClock().now())
    with running(template, state_directory=state, memory=False, clock=clock) as stack:
        stack.client("logs").create_log_stream(logGroupName="app", logStreamName="s")
        _put(stack, '{"level": "INFO"}', '{"level": "ERROR", "weight": 4}')
        wait_until(lambda: _sum(stack) == 4)
    with running(template, state_directory=state, memory=False, clock=clock) as stack:
        (kept,) = stack.client("logs").describe_metric_filters(logGroupName="app")["metricFilters"]
        assert (kept["filterName"], kept["metricTransformations"][0]["metricValue"]) == ("errors", "$.weight")
        _put(stack, '{"level": "ERROR", "weight": 2}')
        wait_until(lambda: _sum(stack) == 6)
        stack.advance(66)
        alarms = stack.client("cloudwatch").describe_alarms(AlarmNames=["too-many"])["MetricAlarms"]
        assert alarms[0]["StateValue"] == "ALARM"


def test_the_api_of_filters(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    with running(tmp_path) as stack:
        logs = stack.client("logs")
        given = {"metricName": "Slow", "metricNamespace": "App", "metricValue": "$.ms", "unit": "Milliseconds"}
        logs.put_metric_filter(
            logGroupName="app", filterName="slow", filterPattern="{ $.ms > 9 }", metricTransformations=[given]
        )
        found = logs.describe_metric_filters(filterNamePrefix="s")["metricFilters"]
        assert [(one["logGroupName"], one["filterPattern"], one["metricTransformations"]) for one in found] == [
            ("app", "{ $.ms > 9 }", [given])
        ]
        assert len(logs.describe_metric_filters(metricName="Errors", metricNamespace="App")["metricFilters"]) == 1
        assert logs.describe_log_groups(logGroupNamePrefix="app")["logGroups"][0]["metricFilterCount"] == 2
        first = logs.describe_metric_filters(logGroupName="app", limit=1)
        rest = logs.describe_metric_filters(logGroupName="app", nextToken=first["nextToken"])
        assert [one["filterName"] for one in (*first["metricFilters"], *rest["metricFilters"])] == ["errors", "slow"]
        logs.delete_metric_filter(logGroupName="app", filterName="slow")
        for call, members in (
            (logs.delete_metric_filter, {"logGroupName": "app", "filterName": "slow"}),
            (logs.describe_metric_filters, {"logGroupName": "none"}),
        ):
            with pytest.raises(botocore.exceptions.ClientError, match="ResourceNotFoundException"):
                call(**members)
