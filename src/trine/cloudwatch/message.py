"""What an alarm tells: the JSON that a topic's subscribers get, and the event that a function gets. Pure.

Source: user guide, "Alarm events and EventBridge", "Lambda alarm actions", and the notification of SNS actions.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from trine.aws.arn import Place

if TYPE_CHECKING:
    from trine.cloudwatch.alarms import KeptAlarm


def topic_message(kept: KeptAlarm, before: str, place: Place) -> bytes:
    """The message of an SNS action."""
    given = kept.alarm.given
    trigger: dict[str, Any] = {
        "Period": kept.alarm.period,
        "EvaluationPeriods": kept.alarm.evaluation_periods,
        "DatapointsToAlarm": kept.alarm.needed,
        "ComparisonOperator": given["ComparisonOperator"],
        "Threshold": kept.alarm.threshold,
        "TreatMissingData": kept.alarm.missing,
    }
    if given.get("Metrics"):
        trigger["Metrics"] = given["Metrics"]
    else:
        trigger |= {
            "MetricName": given["MetricName"],
            "Namespace": given["Namespace"],
            "StatisticType": "Statistic" if given.get("Statistic") else "ExtendedStatistic",
            "Statistic": kept.alarm.stat.upper(),
            "Unit": given.get("Unit"),
            "Dimensions": [{"name": one["Name"], "value": one["Value"]} for one in given.get("Dimensions") or ()],
        }
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
            "OKActions": given.get("OKActions") or [],
            "AlarmActions": given.get("AlarmActions") or [],
            "InsufficientDataActions": given.get("InsufficientDataActions") or [],
            "Trigger": trigger,
        }
    )


def function_event(kept: KeptAlarm, before: str, place: Place) -> bytes:
    """The event of a Lambda action."""
    given = kept.alarm.given
    metrics = []
    for query in kept.alarm.queries():
        stat = query.get("MetricStat")
        if stat is None:
            metrics.append({"id": query.get("Id"), "expression": query.get("Expression")})
            continue
        dimensions = {one["Name"]: one["Value"] for one in stat["Metric"].get("Dimensions") or ()}
        metric = {"namespace": stat["Metric"].get("Namespace"), "name": stat["Metric"].get("MetricName"),
                  "dimensions": dimensions}  # fmt: skip
        metrics.append({"id": query.get("Id"), "metricStat": {"metric": metric, "period": stat["Period"],
                                                              "stat": stat["Stat"]}, "returnData": True})  # fmt: skip
    return orjson.dumps(
        {
            "source": "aws.cloudwatch",
            "alarmArn": kept.arn,
            "accountId": place.account_id,
            "time": _instant(kept.updated_at),
            "region": place.region,
            "alarmData": {
                "alarmName": kept.alarm.name,
                "state": {"value": kept.state, "reason": kept.reason, "reasonData": kept.reason_data,
                          "timestamp": _instant(kept.updated_at)},
                "previousState": {"value": before},
                "configuration": {"description": given.get("AlarmDescription"), "metrics": metrics},
            },
        }
    )  # fmt: skip


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
