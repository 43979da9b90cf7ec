"""What the stack measured, put metrics, alarms and their history over a restart, and in a fork."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from tests.cloudwatch.conftest import SHOP, TEMPLATE, TOLD
from tests.pattern.conftest import http
from tests.waiting import wait_until
from trine.clock import ManualClock, SystemClock
from trine.metering.ledger import Ledger
from trine.stack.state import fork
from trine.testing import RunningStack, running


def _sum(stack: RunningStack, namespace: str, name: str, **dimensions: str) -> float:
    now = datetime.datetime.fromtimestamp(stack.stack.wings.clock.now(), datetime.UTC)
    points: list[dict[str, Any]] = stack.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, Period=60, Statistics=["Sum"],
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=1),
    )["Datapoints"]  # fmt: skip
    return sum(float(point["Sum"]) for point in points)


def test_everything_is_there_after_a_restart_and_in_a_fork(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "told.py").write_text(TOLD)
    (tmp_path / "src" / "shop.py").write_text(SHOP)
    template, state = tmp_path / "template.yaml", tmp_path / "state"
    template.write_text(TEMPLATE)
    clock = ManualClock(SystemClock().now())

    with running(template, state_directory=state, memory=False, clock=clock) as stack:
        for _ in range(3):
            assert http("POST", f"{stack.url}/order").status == 200
        stack.advance(61)
        client = stack.client("cloudwatch")
        client.put_metric_data(Namespace="Own", MetricData=[{"MetricName": "m", "Value": 7}])
        client.set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="by hand")
        api = stack.description["apis"][0]["id"]
        assert _sum(stack, "AWS/ApiGateway", "Count", ApiId=api) == 3

    fork(state, tmp_path / "fork")
    for directory in (state, tmp_path / "fork"):
        with running(template, state_directory=directory, memory=False, clock=clock) as stack:
            assert _sum(stack, "AWS/ApiGateway", "Count", ApiId=api) == 3
            assert _sum(stack, "Own", "m") == 7
            client = stack.client("cloudwatch")
            (alarm,) = client.describe_alarms(AlarmNames=["busy"])["MetricAlarms"]
            assert (alarm["StateValue"], alarm["StateReason"]) == ("ALARM", "by hand")
            items = client.describe_alarm_history(AlarmName="busy", ScanBy="TimestampAscending")["AlarmHistoryItems"]
            told = [item["HistorySummary"] for item in items]
            assert told[0] == 'Alarm "busy" created'
            assert any(said.endswith("to ALARM") for said in told)
            assert 'Alarm "busy" updated' not in told, "a start changes no definition"
        rows = list(Ledger(directory / "usage").view().rows(0, 2**40))
        assert sum(row.counts.get("requests", 0) for row in rows if row.dimensions.service == "http") == 3


def test_actions_that_are_held_back_wait_on_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "told.py").write_text(TOLD)
    (tmp_path / "src" / "shop.py").write_text(SHOP)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    clock = ManualClock(SystemClock().now())

    def start() -> Any:
        return running(tmp_path / "template.yaml", state_directory=tmp_path / "state", memory=False, clock=clock)

    def held(client: Any) -> tuple[str | None, int]:
        (alarm,) = client.describe_alarms(AlarmNames=["quiet"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        items = client.describe_alarm_history(AlarmName="quiet", HistoryItemType="Action")["AlarmHistoryItems"]
        return alarm.get("ActionsSuppressedBy"), len(items)

    with start() as stack:
        client = stack.client("cloudwatch")
        common = {"Namespace": "Own", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
                  "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
                  "TreatMissingData": "ignore"}  # fmt: skip
        for name in ("cause", "known"):
            client.put_metric_alarm(AlarmName=name, **common)
        client.put_composite_alarm(
            AlarmName="quiet", AlarmRule="ALARM(cause)", AlarmActions=["arn:aws:sns:us-east-1:123456789012:nobody"],
            ActionsSuppressor="known", ActionsSuppressorWaitPeriod=30, ActionsSuppressorExtensionPeriod=20,
        )  # fmt: skip
        client.set_alarm_state(AlarmName="known", StateValue="ALARM", StateReason="test")
        client.set_alarm_state(AlarmName="cause", StateValue="ALARM", StateReason="test")
        assert held(client) == ("Alarm", 0)

    with start() as stack:
        client = stack.client("cloudwatch")
        assert held(client) == ("Alarm", 0)
        client.set_alarm_state(AlarmName="known", StateValue="OK", StateReason="test")
        assert held(client) == ("ExtensionPeriod", 0)

    clock.advance(5)
    with start() as stack:
        client = stack.client("cloudwatch")
        stack.advance(10)
        assert held(client) == ("ExtensionPeriod", 0)
        stack.advance(6)
        wait_until(lambda: held(client) == (None, 1))  # the history is written a moment later
