"""What an alarm tells topics and functions."""

from __future__ import annotations

from typing import Any

import orjson

from trine.aws.arn import Place
from trine.cloudwatch.alarm import Alarm
from trine.cloudwatch.kept_alarm import KeptAlarm
from trine.cloudwatch.message import message_of

PLACE = Place("us-east-1", "123456789012")
TOPIC = "arn:aws:sns:us-east-1:123456789012:told"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:told"


def kept(**more: Any) -> KeptAlarm:
    given = {"AlarmName": "a", "Namespace": "n", "MetricName": "m", "Period": 60, "Statistic": "Average",
             "EvaluationPeriods": 2, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
             **more}  # fmt: skip
    return KeptAlarm(Alarm(given), "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a", 0.0)


def moved(alarm: KeptAlarm, state: str, reason: str, at: float) -> KeptAlarm:
    alarm.previous = alarm.standing()
    alarm.state, alarm.reason, alarm.updated_at = state, reason, at
    return alarm


def test_a_topic_is_told_the_datapoints_that_were_given_and_no_others() -> None:
    trigger = orjson.loads(message_of(TOPIC, kept(), "OK", PLACE))["Trigger"]
    assert "DatapointsToAlarm" not in trigger
    assert trigger["EvaluateLowSampleCountPercentile"] == ""
    given = kept(DatapointsToAlarm=1, EvaluateLowSampleCountPercentile="ignore")
    trigger = orjson.loads(message_of(TOPIC, given, "OK", PLACE))["Trigger"]
    assert (trigger["DatapointsToAlarm"], trigger["EvaluateLowSampleCountPercentile"]) == (1, "ignore")


def test_a_function_is_told_why_and_since_when_the_state_before_was() -> None:
    alarm = moved(kept(), "ALARM", "testing", 5.0)
    data = orjson.loads(message_of(FUNCTION, alarm, "INSUFFICIENT_DATA", PLACE))["alarmData"]
    assert data["state"] == {"value": "ALARM", "reason": "testing", "timestamp": "1970-01-01T00:00:05.000+0000"}
    assert data["previousState"] == {
        "value": "INSUFFICIENT_DATA",
        "reason": "Unchecked: Initial alarm creation",
        "timestamp": "1970-01-01T00:00:00.000+0000",
    }


def test_of_a_state_whose_actions_were_held_back_its_name_is_told() -> None:
    alarm = moved(moved(kept(), "OK", "fine", 5.0), "ALARM", "testing", 6.0)
    data = orjson.loads(message_of(FUNCTION, alarm, "INSUFFICIENT_DATA", PLACE))["alarmData"]
    assert data["previousState"] == {"value": "INSUFFICIENT_DATA"}
