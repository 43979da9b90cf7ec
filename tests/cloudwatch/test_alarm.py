"""Alarms: AWS's own tables of missing data, a life through API, template, clock and function, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import wait_until
from trine.aws.errors import AwsError
from trine.cloudwatch.alarm import Alarm
from trine.testing import RunningStack

GIVEN: dict[str, Any] = {
    "AlarmName": "a", "Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3,
    "Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}  # fmt: skip
INSUFFICIENT = "INSUFFICIENT_DATA"
# User guide, "How alarm state is evaluated when data is missing": 0 is fine, X breaching, - missing; None: retain.
THREE_OF_THREE = [
    ("0-X-X", "OK", "OK", "OK", "OK"),
    ("0----", "OK", "OK", "OK", "OK"),
    ("-----", INSUFFICIENT, None, "ALARM", "OK"),
    ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("----X", INSUFFICIENT, None, "ALARM", "OK"),
    ("X----", "ALARM", None, "ALARM", "OK"),
]
TWO_OF_THREE = [
    ("0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0-X--", "OK", "OK", "ALARM", "OK"),
    ("----0", "OK", "OK", "ALARM", "OK"),
    ("----X", INSUFFICIENT, None, "ALARM", "OK"),
]


@pytest.mark.parametrize("needed", [3, 2])
@pytest.mark.parametrize("at", range(6))
def test_missing_data_counts_as_in_awss_tables(needed: int, at: int) -> None:
    table = THREE_OF_THREE if needed == 3 else TWO_OF_THREE
    points, *expected = table[min(at, len(table) - 1)]
    values = [{"0": 0.0, "X": 1.0, "-": None}[point] for point in points]
    for missing, state in zip(("missing", "ignore", "breaching", "notBreaching"), expected, strict=True):
        alarm = Alarm({**GIVEN, "DatapointsToAlarm": needed, "TreatMissingData": missing})
        assert alarm.judge(values).state == state, missing


def test_the_reason_is_awss_sentence() -> None:
    reason = Alarm({**GIVEN, "Threshold": 10.0}).judge([0, 0, 11, 12, 13]).reason
    assert reason == (
        "Threshold Crossed: 3 datapoints [11, 12, 13] were greater than or equal to the threshold (10) "
        "(minimum 3 datapoints for OK -> ALARM transition)."
    )
    silent = Alarm({**GIVEN, "TreatMissingData": "notBreaching", "EvaluationPeriods": 1}).judge([None, None])
    assert silent.reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching]."
    )
    broken = Alarm({**GIVEN, "TreatMissingData": "breaching"}).judge([None] * 5)
    assert broken.reason.endswith("for 3 periods and 3 missing datapoints were treated as [Breaching].")


@pytest.mark.parametrize(
    "changed",
    [
        {"ComparisonOperator": None}, {"ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold"},
        {"Threshold": None}, {"EvaluationPeriods": 0}, {"DatapointsToAlarm": 4}, {"TreatMissingData": "maybe"},
        {"Period": 61}, {"Period": None}, {"Statistic": None}, {"Statistic": "p99"}, {"ExtendedStatistic": "p99"},
        {"Statistic": None, "ExtendedStatistic": "p101"}, {"EvaluationPeriods": 2000}, {"MetricName": None},
        {"Metrics": [{"Id": "m", "Expression": "1"}]},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_alarm_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(AwsError):
        Alarm({name: value for name, value in {**GIVEN, **changed}.items() if value is not None})


def _state(stack: RunningStack, name: str) -> str:
    (alarm,) = stack.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


def _told(stack: RunningStack) -> list[str]:
    groups = stack.stack.wings.functions.machinery.log_store.groups()
    lines = [event.message for log in groups for event in log.events()]
    return [line.strip() for line in lines if line.startswith("TOLD")]


def test_an_alarm_of_the_template_follows_the_clock_and_tells_a_function(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    # A warm environment: one that starts would be taken by the clock, which is about to jump, for one that is too slow.
    event = {"alarmData": {"alarmName": "nobody", "state": {"value": "OK"}}}
    stack.client("lambda").invoke(FunctionName=stack.description["functions"][0]["name"], Payload=json.dumps(event))
    stack.advance(120)
    assert _state(stack, "busy") == "OK", "missing data does not breach"
    for _ in range(2):
        client.put_metric_data(
            Namespace="App",
            MetricData=[{"MetricName": "Orders", "Value": 11, "Dimensions": [{"Name": "shop", "Value": "north"}]}],
        )
        stack.advance(60)
    stack.advance(10)
    assert _state(stack, "busy") == "ALARM"
    items = client.describe_alarm_history(AlarmName="busy", HistoryItemType="Action")["AlarmHistoryItems"]
    summaries = [item["HistorySummary"] for item in items]
    assert any(summary.startswith("Successfully executed action arn:aws:lambda") for summary in summaries)
    assert any("automate actions are not built into Trine" in summary for summary in summaries)

    def told() -> bool:
        stack.advance(0.001)  # the function starts in real time; the clock must not run into its timeout meanwhile
        return "TOLD busy ALARM" in _told(stack)

    wait_until(told)
    stack.advance(300)
    assert _state(stack, "busy") == "OK"


def test_an_alarm_by_api_on_metric_math(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    metric = {"Namespace": "Math", "MetricName": "Errors"}
    queries = [
        {"Id": "e", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "share", "Expression": "100 * FILL(e, 0) / 50", "Label": "share"},
    ]
    client.put_metric_alarm(
        AlarmName="math", Metrics=queries, EvaluationPeriods=1, Threshold=10, ComparisonOperator="GreaterThanThreshold",
        Tags=[{"Key": "team", "Value": "shop"}],
    )  # fmt: skip
    client.put_metric_data(Namespace="Math", MetricData=[{"MetricName": "Errors", "Value": 6}])
    stack.advance(65)
    assert _state(stack, "math") == "ALARM"
    (alarm,) = client.describe_alarms(AlarmNames=["math"])["MetricAlarms"]
    assert client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [{"Key": "team", "Value": "shop"}]
    client.set_alarm_state(AlarmName="math", StateValue="OK", StateReason="tried by hand")
    assert _state(stack, "math") == "OK"
    client.disable_alarm_actions(AlarmNames=["math"])
    (alarm,) = client.describe_alarms(AlarmNamePrefix="mat")["MetricAlarms"]
    assert alarm["ActionsEnabled"] is False
    client.delete_alarms(AlarmNames=["math"])
    assert client.describe_alarms(AlarmNames=["math"])["MetricAlarms"] == []
    with pytest.raises(ClientError, match="does not exist"):
        client.delete_alarms(AlarmNames=["math"])


def test_an_action_is_an_arn(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    with pytest.raises(ClientError, match="Invalid arn syntax: nope"):
        client.put_metric_alarm(**{**GIVEN, "AlarmName": "unheard", "OKActions": ["nope"]})
    assert client.describe_alarms(AlarmNames=["unheard"])["MetricAlarms"] == []


def test_alarms_for_a_metric(stack: RunningStack) -> None:
    found = stack.client("cloudwatch").describe_alarms_for_metric(
        Namespace="App", MetricName="Orders", Dimensions=[{"Name": "shop", "Value": "north"}]
    )
    assert [alarm["AlarmName"] for alarm in found["MetricAlarms"]] == ["busy"]


def test_a_topic_gets_awss_message(stack: RunningStack) -> None:
    topic = stack.client("sns").create_topic(Name="alarms")["TopicArn"]
    client = stack.client("cloudwatch")
    client.put_metric_alarm(**{**GIVEN, "AlarmName": "topical", "AlarmActions": [topic]})
    client.set_alarm_state(AlarmName="topical", StateValue="ALARM", StateReason="tried by hand")
    history = client.describe_alarm_history(AlarmName="topical", HistoryItemType="Action")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == [f"Successfully executed action {topic}"]
    client.describe_alarms()
    (sent,) = stack.call(lambda: stack.stack.wings.eventing.messages(topic))
    message = json.loads(sent["body"])
    assert (message["AlarmName"], message["NewStateValue"], message["OldStateValue"]) == (
        "topical",
        "ALARM",
        INSUFFICIENT,
    )
    assert message["Trigger"]["MetricName"] == "M"
