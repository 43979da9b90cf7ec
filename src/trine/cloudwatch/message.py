"""What an alarm tells: the JSON that a topic's subscribers get, and the event that a function gets. Pure.

Source: user guide, "Alarm events and EventBridge", "Lambda alarm actions", and the notification of SNS actions.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from trine.aws.arn import Place
from trine.cloudwatch.alarm import Alarm
from trine.cloudwatch.composite import EXTENSION, WAIT, CompositeAlarm
from trine.cloudwatch.kept_alarm import LISTS, KeptAlarm, Standing


def message_of(target_arn: str, kept: KeptAlarm, before: str, place: Place) -> bytes:
    """What a target is told: an event when it is a function, else a topic's message."""
    return function_event(kept, before, place) if ":lambda:" in target_arn else topic_message(kept, before, place)


def topic_message(kept: KeptAlarm, before: str, place: Place) -> bytes:
    """The message of an SNS action."""
    given = kept.alarm.given
    about = {"Trigger": _trigger(kept.alarm)} if isinstance(kept.alarm, Alarm) else {"AlarmRule": given["AlarmRule"]}
    return orjson.dumps(
        {
            "AlarmName": kept.alarm.name,
            "AlarmDescription": given.get("AlarmDescription"),
            "AWSAccountId": place.account_id,
            "AlarmConfigurationUpdatedTimestamp": _instant(kept.written_at),
            "NewStateValue": kept.state,
            "NewStateReason": kept.reason,
            "StateChangeTime": _instant(kept.updated_at),
            "Region": place.region,
            "AlarmArn": kept.arn,
            "OldStateValue": before,
            **{name: given.get(name) or [] for name in LISTS},
            **about,
        }
    )


def _trigger(alarm: Alarm) -> dict[str, Any]:
    given = alarm.given
    trigger: dict[str, Any] = {
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "ComparisonOperator": given["ComparisonOperator"],
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.missing,
        "EvaluateLowSampleCountPercentile": given.get("EvaluateLowSampleCountPercentile") or "",
    }
    if given.get("DatapointsToAlarm") is not None:
        trigger["DatapointsToAlarm"] = alarm.needed
    if given.get("Metrics"):
        return {**trigger, "Metrics": given["Metrics"]}
    return {
        **trigger,
        "MetricName": given["MetricName"],
        "Namespace": given["Namespace"],
        "StatisticType": "Statistic" if given.get("Statistic") else "ExtendedStatistic",
        "Statistic": alarm.stat.upper(),
        "Unit": given.get("Unit"),
        "Dimensions": [{"name": one["Name"], "value": one["Value"]} for one in given.get("Dimensions") or ()],
    }


def function_event(kept: KeptAlarm, before: str, place: Place) -> bytes:
    """The event of a Lambda action."""
    known = kept.previous
    # An alarm whose actions were held back may have moved since: of the state before only the name is known then.
    previous = known if known is not None and known.value == before else None
    return orjson.dumps(
        {
            "source": "aws.cloudwatch",
            "alarmArn": kept.arn,
            "accountId": place.account_id,
            "time": _instant(kept.updated_at),
            "region": place.region,
            "alarmData": {
                "alarmName": kept.alarm.name,
                "state": _told(kept.standing()),
                "previousState": {"value": before} if previous is None else _told(previous),
                "configuration": {
                    "description": kept.alarm.given.get("AlarmDescription"),
                    **(_rule(kept.alarm) if isinstance(kept.alarm, CompositeAlarm) else _metrics(kept.alarm)),
                },
            },
        }
    )


def _told(standing: Standing) -> dict[str, Any]:
    told: dict[str, Any] = {"value": standing.value, "reason": standing.reason}
    if standing.reason_data:
        told["reasonData"] = standing.reason_data
    return {**told, "timestamp": _instant(standing.updated_at)}


def _rule(alarm: CompositeAlarm) -> dict[str, Any]:
    found: dict[str, Any] = {"alarmRule": alarm.given["AlarmRule"]}
    if alarm.suppressor:
        found |= {"actionsSuppressor": alarm.suppressor, "actionsSuppressorWaitPeriod": alarm.given[WAIT],
                  "actionsSuppressorExtensionPeriod": alarm.given[EXTENSION]}  # fmt: skip
    return found


def _metrics(alarm: Alarm) -> dict[str, Any]:
    metrics = []
    for query in alarm.queries():
        stat = query.get("MetricStat")
        if stat is None:
            metrics.append({"id": query.get("Id"), "expression": query.get("Expression")})
            continue
        dimensions = {one["Name"]: one["Value"] for one in stat["Metric"].get("Dimensions") or ()}
        metric = {"namespace": stat["Metric"].get("Namespace"), "name": stat["Metric"].get("MetricName"),
                  "dimensions": dimensions}  # fmt: skip
        metrics.append({"id": query.get("Id"), "metricStat": {"metric": metric, "period": stat["Period"],
                                                              "stat": stat["Stat"]}, "returnData": True})  # fmt: skip
    return {"metrics": metrics}


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
