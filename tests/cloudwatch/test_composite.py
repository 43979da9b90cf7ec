"""Composite alarms: their rules, how they follow their children, suppression, and the API's words about them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.errors import AwsError
from trine.cloudwatch.composite import CompositeAlarm
from trine.cloudwatch.errors import ValidationError
from trine.cloudwatch.rule import parse_rule
from trine.testing import RunningStack

STATES = {"a": "ALARM", "b": "OK", "c d": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [("ALARM(a)", True), ("ALARM(b)", False), ('INSUFFICIENT_DATA("c d")', True), ("NOT OK(b)", False), ("TRUE", True),
     ("FALSE OR alarm(a)", True), ("ALARM(a) AND NOT ALARM(b)", True), ("ALARM(b) OR ALARM(a) AND FALSE", False),
     ("(ALARM(b) OR ALARM(a)) AND TRUE", True), ("OK(gone)", False), ("NOT (TRUE AND FALSE)", True)],
)  # fmt: skip
def test_rules(text: str, holds: bool) -> None:
    assert parse_rule(text).holds(STATES.get) is holds


@pytest.mark.parametrize("text", ["", "ALARM", "ALARM(", "ALARM()", "ALARM(a", "ALARM(a) b", "a", "AND", "NOT", "(TRUE",
                                  "TRUE)", '"TRUE"', "ALARM(a) AND", "(" * 60 + "TRUE" + ")" * 60, "T" * 20_000,
                                  " OR ".join(f"ALARM(a{n})" for n in range(101))])  # fmt: skip
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_rule(text)


@given(st.text(alphabet="ALRMOKNDT() \"'a", max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    with contextlib.suppress(ValidationError):
        assert parse_rule(text).holds(STATES.get) in (True, False)


@pytest.mark.parametrize(
    "given",
    [{}, {"AlarmName": "x"}, {"AlarmName": "x", "AlarmRule": "TRUE", "ActionsSuppressor": "a"},
     {"AlarmName": "x", "AlarmRule": "TRUE", "ActionsSuppressorWaitPeriod": 1}],
    ids=str,
)  # fmt: skip
def test_definitions_that_cannot_be(given: dict[str, Any]) -> None:
    with pytest.raises(AwsError):
        CompositeAlarm(given)


def _children(stack: RunningStack, *names: str) -> Any:
    client = stack.client("cloudwatch")
    for name in names:
        client.put_metric_alarm(
            AlarmName=name, Namespace="Composite", MetricName=name, Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore",
        )  # fmt: skip
    return client


def _state(client: Any, name: str) -> Any:
    (found,) = client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    return found


def test_it_follows_its_children_and_tells_a_function(stack: RunningStack) -> None:
    client = _children(stack, "left", "right")
    told = stack.description["functions"][0]["name"]
    client.put_composite_alarm(
        AlarmName="both", AlarmRule="ALARM(left) AND NOT OK(right)", Tags=[{"Key": "team", "Value": "a"}],
        AlarmActions=[stack.client("lambda").get_function(FunctionName=told)["Configuration"]["FunctionArn"]],
    )  # fmt: skip
    assert _state(client, "both")["StateValue"] == "OK", "its rule is asked at once"
    client.set_alarm_state(AlarmName="left", StateValue="ALARM", StateReason="test")
    found = _state(client, "both")
    assert (found["StateValue"], found["AlarmRule"]) == ("ALARM", "ALARM(left) AND NOT OK(right)")
    assert "left is ALARM" in found["StateReason"]
    client.set_alarm_state(AlarmName="right", StateValue="OK", StateReason="test")
    assert _state(client, "both")["StateValue"] == "OK"
    items = client.describe_alarm_history(AlarmName="both", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items if item["HistoryItemType"] == "StateUpdate"] == [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to OK",
    ]
    assert {item["AlarmType"] for item in items} == {"CompositeAlarm"}
    assert "Action" in {item["HistoryItemType"] for item in items}
    children = client.describe_alarms(ChildrenOfAlarmName="both")["MetricAlarms"]
    assert [one["AlarmName"] for one in children] == ["left", "right"]
    (parent,) = client.describe_alarms(ParentsOfAlarmName="left", AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert parent["AlarmName"] == "both"
    arn = found["AlarmArn"]
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "more", "Value": "b"}])
    client.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "more", "Value": "b"}]
    with pytest.raises(ClientError, match="depends on it"):
        client.delete_alarms(AlarmNames=["left"])
    client.delete_alarms(AlarmNames=["both", "left", "right"])
    assert client.describe_alarm_history(AlarmName="both")["AlarmHistoryItems"], "the history outlives the alarm"


def test_an_alarm_in_alarm_holds_actions_back(stack: RunningStack) -> None:
    client = _children(stack, "cause", "known")
    target = "arn:aws:sns:us-east-1:123456789012:nobody"
    client.put_composite_alarm(
        AlarmName="quiet", AlarmRule="ALARM(cause)", AlarmActions=[target], ActionsSuppressor="known",
        ActionsSuppressorWaitPeriod=30, ActionsSuppressorExtensionPeriod=20,
    )  # fmt: skip

    def tried() -> int:
        items = client.describe_alarm_history(AlarmName="quiet", HistoryItemType="Action")["AlarmHistoryItems"]
        return len(items)

    client.set_alarm_state(AlarmName="cause", StateValue="ALARM", StateReason="test")
    assert (_state(client, "quiet")["ActionsSuppressedBy"], tried()) == ("WaitPeriod", 0)
    client.set_alarm_state(AlarmName="known", StateValue="ALARM", StateReason="test")
    assert (_state(client, "quiet")["ActionsSuppressedBy"], tried()) == ("Alarm", 0)
    client.set_alarm_state(AlarmName="known", StateValue="OK", StateReason="test")
    assert (_state(client, "quiet")["ActionsSuppressedBy"], tried()) == ("ExtensionPeriod", 0)
    stack.advance(21)
    assert "ActionsSuppressedBy" not in _state(client, "quiet")
    assert tried() == 1
    client.delete_alarms(AlarmNames=["quiet", "cause", "known"])


def test_a_rule_of_alarms_that_do_not_exist_is_refused(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    with pytest.raises(ClientError, match="do not exist"):
        client.put_composite_alarm(AlarmName="lost", AlarmRule="ALARM(nobody)")
    with pytest.raises(ClientError, match="is a MetricAlarm"):
        client.put_composite_alarm(AlarmName="busy", AlarmRule="TRUE")
