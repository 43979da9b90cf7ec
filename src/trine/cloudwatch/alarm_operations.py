"""The operations on alarms, metric and composite ones: the checked input of a call in, its output's members out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trine.aws.arn import Arn
from trine.cloudwatch.alarm import Alarm
from trine.cloudwatch.alarms import Alarms
from trine.cloudwatch.composite import CompositeAlarm, name_of
from trine.cloudwatch.errors import InvalidParameterCombination, TagsNotFound, ValidationError
from trine.cloudwatch.kept_alarm import LISTS, KeptAlarm
from trine.cloudwatch.metric import MetricKey, dimensions_of
from trine.cloudwatch.pages import Input, Output, Pending, page_of

ALARMS_PAGE_COUNT = 50
HISTORY_PAGE_COUNT = 100


class AlarmOperations:
    """Every operation on alarms, by name."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self.built: Mapping[str, Callable[[Input, Pending], Output]] = {
            "PutMetricAlarm": self._put_metric_alarm,
            "PutCompositeAlarm": self._put_composite_alarm,
            "DescribeAlarms": self._describe_alarms,
            "DescribeAlarmsForMetric": self._describe_alarms_for_metric,
            "DescribeAlarmHistory": self._describe_alarm_history,
            "DeleteAlarms": self._delete_alarms,
            "SetAlarmState": self._set_alarm_state,
            "EnableAlarmActions": lambda given, pending: self._enable(given, pending, True),
            "DisableAlarmActions": lambda given, pending: self._enable(given, pending, False),
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    def _put_metric_alarm(self, given: Input, pending: Pending) -> Output:
        _check_actions(given)
        pending.append(self._alarms.put(given))
        return {}

    def _put_composite_alarm(self, given: Input, pending: Pending) -> Output:
        _check_actions(given)
        pending.append(self._alarms.put_composite(given))
        return {}

    def _describe_alarms(self, given: Input, pending: Pending) -> Output:
        names, prefix, action = given.get("AlarmNames"), given.get("AlarmNamePrefix"), given.get("ActionPrefix")
        if names and prefix:
            raise InvalidParameterCombination("AlarmNames and AlarmNamePrefix are mutually exclusive.")
        related = self._related(given)
        if related is not None:
            # AWS then gives names and ARNs only, and takes no other filter.
            found = [{"AlarmName": kept.alarm.name, "AlarmArn": kept.arn, **_state(kept)} for kept in related]
            kinds = [kept.alarm.kind for kept in related]
        else:
            wanted = given.get("AlarmTypes") or [Alarm.kind]
            chosen = [
                kept
                for kept in self._alarms.all()
                if kept.alarm.kind in wanted
                and (not names or kept.alarm.name in names)
                and kept.alarm.name.startswith(prefix or "")
                and given.get("StateValue") in (None, kept.state)
                and (action is None or any(one.startswith(action) for one in kept.actions()))
            ]
            found, kinds = [kept.shown() for kept in chosen], [kept.alarm.kind for kept in chosen]
        count = int(given.get("MaxRecords") or ALARMS_PAGE_COUNT)
        page, output = page_of(list(zip(kinds, found, strict=True)), given.get("NextToken"), count)
        for kind in (Alarm.kind, CompositeAlarm.kind):
            output[f"{kind}s"] = [shown for own, shown in page if own == kind]
        return output

    def _related(self, given: Input) -> list[KeptAlarm] | None:
        """The alarms that a composite one watches, or those that watch an alarm; None when nobody asked for either."""
        child_of, parent_of = given.get("ChildrenOfAlarmName"), given.get("ParentsOfAlarmName")
        if child_of is not None:
            alarm = self._alarms.get(str(child_of)).alarm
            names = map(name_of, alarm.named()) if isinstance(alarm, CompositeAlarm) else ()
            return [kept for kept in map(self._alarms.find, names) if kept is not None]
        if parent_of is not None:
            return [
                kept
                for kept in self._alarms.all()
                if isinstance(kept.alarm, CompositeAlarm) and parent_of in map(name_of, kept.alarm.named())
            ]
        return None

    def _describe_alarms_for_metric(self, given: Input, pending: Pending) -> Output:
        wanted = MetricKey(given["Namespace"], given["MetricName"], dimensions_of(given.get("Dimensions")))
        return {
            "MetricAlarms": [
                kept.shown()
                for kept in self._alarms.all()
                if isinstance(kept.alarm, Alarm)
                and given.get("Period") in (None, kept.alarm.period)
                and given.get("Statistic") in (None, kept.alarm.given.get("Statistic"))
                and given.get("ExtendedStatistic") in (None, kept.alarm.given.get("ExtendedStatistic"))
                and any(_metric_of(query) == wanted for query in kept.alarm.queries())
            ]
        }

    def _describe_alarm_history(self, given: Input, pending: Pending) -> Output:
        kinds = given.get("AlarmTypes") or [Alarm.kind]
        since, until = given.get("StartDate", 0.0), given.get("EndDate", float("inf"))
        found = [
            change
            for change in self._alarms.history(given.get("AlarmName"))
            if given.get("HistoryItemType") in (None, change.kind)
            and (given.get("AlarmName") is not None or change.alarm_kind in kinds)
            and since <= change.at <= until
        ]
        if given.get("ScanBy") == "TimestampAscending":
            found.reverse()
        page, output = page_of(found, given.get("NextToken"), int(given.get("MaxRecords") or HISTORY_PAGE_COUNT))
        return {"AlarmHistoryItems": [change.shown() for change in page], **output}

    def _delete_alarms(self, given: Input, pending: Pending) -> Output:
        pending += self._alarms.delete(list(dict.fromkeys(given["AlarmNames"])))
        return {}

    def _set_alarm_state(self, given: Input, pending: Pending) -> Output:
        data = given.get("StateReasonData") or ""
        pending.append(self._alarms.set_state(given["AlarmName"], given["StateValue"], given["StateReason"], data))
        return {}

    def _enable(self, given: Input, pending: Pending, enabled: bool) -> Output:
        pending += self._alarms.enable(given["AlarmNames"], enabled)
        return {}

    # -- tags --------------------------------------------------------------------------------------------------------

    def _tagged(self, given: Input) -> KeptAlarm:
        kept = self._alarms.find(name_of(str(given["ResourceARN"])))
        if kept is None:
            raise TagsNotFound(f"{str(given['ResourceARN'])[:300]} not found")
        return kept

    def _list_tags(self, given: Input, pending: Pending) -> Output:
        # An alarm that is gone has no tags, and that is no error on AWS.
        kept = self._alarms.find(name_of(str(given["ResourceARN"])))
        tags = {} if kept is None else kept.tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tag(self, given: Input, pending: Pending) -> Output:
        tags = {str(tag["Key"]): str(tag["Value"]) for tag in given["Tags"]}
        pending.append(self._alarms.tag(self._tagged(given), tags))
        return {}

    def _untag(self, given: Input, pending: Pending) -> Output:
        pending.append(self._alarms.tag(self._tagged(given), {}, given["TagKeys"]))
        return {}


def _check_actions(given: Input) -> None:
    """Actions are ARNs. ValidationError."""
    for target in (target for name in LISTS for target in given.get(name) or ()):
        try:
            Arn.parse(str(target))
        except ValueError:
            raise ValidationError(f"Invalid arn syntax: {str(target)[:200]}") from None


def _metric_of(query: Mapping[str, Any]) -> MetricKey:
    metric = (query.get("MetricStat") or {}).get("Metric") or {}
    return MetricKey(
        str(metric.get("Namespace")), str(metric.get("MetricName")), dimensions_of(metric.get("Dimensions"))
    )


def _state(kept: KeptAlarm) -> Output:
    return {"StateValue": kept.state, "StateReason": kept.reason, "StateUpdatedTimestamp": kept.updated_at}
