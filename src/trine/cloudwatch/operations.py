"""The operations of the API: each takes the checked input of a call and answers with its output's members."""

from __future__ import annotations

import base64
from asyncio import Future
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from trine.clock import Clock
from trine.cloudwatch import limits
from trine.cloudwatch.alarms import Change, KeptAlarm
from trine.cloudwatch.errors import (
    InvalidNextToken,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
)
from trine.cloudwatch.metric import RESERVED_NAMESPACE, MetricKey, datum_of, dimensions_of
from trine.cloudwatch.query import Queries, check_period, statistics_range
from trine.cloudwatch.service import CloudWatch
from trine.cloudwatch.statistic import SIMPLE, statistic

Input = Mapping[str, Any]
Output = dict[str, Any]
Pending = list[Future[None]]
"""What must be durable before the answer goes out."""
Run = Callable[[Input, Pending], Output]


class Operations:
    """Every operation that is built, by name."""

    def __init__(self, service: CloudWatch, clock: Clock) -> None:
        self._service, self._clock = service, clock
        self.built: Mapping[str, Run] = {
            "PutMetricData": self._put_metric_data,
            "GetMetricData": self._get_metric_data,
            "GetMetricStatistics": self._get_metric_statistics,
            "ListMetrics": self._list_metrics,
            "PutMetricAlarm": self._put_metric_alarm,
            "DescribeAlarms": self._describe_alarms,
            "DescribeAlarmsForMetric": self._describe_alarms_for_metric,
            "DescribeAlarmHistory": self._describe_alarm_history,
            "DeleteAlarms": self._delete_alarms,
            "SetAlarmState": self._set_alarm_state,
            "EnableAlarmActions": lambda given, pending: self._enable(given, pending, True),
            "DisableAlarmActions": lambda given, pending: self._enable(given, pending, False),
            "ListTagsForResource": self._list_tags,
        }

    # -- metrics -----------------------------------------------------------------------------------------------------

    def _put_metric_data(self, given: Input, pending: Pending) -> Output:
        namespace, data = str(given["Namespace"]), given.get("MetricData") or []
        if given.get("EntityMetricData"):
            raise InvalidParameterValue("EntityMetricData is not built into Trine; use MetricData.")
        if namespace.startswith(RESERVED_NAMESPACE):
            raise InvalidParameterValue("The value AWS/ for parameter Namespace is invalid.")
        if not data:
            raise MissingParameter("The parameter MetricData is required.")
        if len(data) > limits.DATA_PER_PUT_MAX_COUNT:
            raise InvalidParameterValue(
                f"The parameter MetricData has at most {limits.DATA_PER_PUT_MAX_COUNT} members."
            )
        now = self._clock.now()
        self._service.put([datum_of(namespace, one, now) for one in data])
        return {}

    def _get_metric_data(self, given: Input, pending: Pending) -> Output:
        self._service.measured()
        queries = Queries(self._service.store, given["MetricDataQueries"], given["StartTime"], given["EndTime"])
        ascending = given.get("ScanBy") == "TimestampAscending"
        most = int(given.get("MaxDatapoints") or limits.DATAPOINTS_PER_CALL_MAX_COUNT)
        skipped = _offset(given.get("NextToken"))
        results, seen, left = [], 0, most
        for result in queries.results():
            times = sorted(result.values, reverse=not ascending)
            first = min(len(times), max(0, skipped - seen))
            chosen = times[first : first + left]
            seen += len(times)
            left -= len(chosen)
            complete = first + len(chosen) == len(times)
            results.append(
                {
                    "Id": result.id,
                    "Label": result.label,
                    "Timestamps": chosen,
                    "Values": [result.values[at] for at in chosen],
                    "StatusCode": "Complete" if complete else "PartialData",
                }
            )
        output: Output = {"MetricDataResults": results, "Messages": []}
        if seen > skipped + most:
            output["NextToken"] = _token(skipped + most)
        return output

    def _get_metric_statistics(self, given: Input, pending: Pending) -> Output:
        self._service.measured()
        simple, extended = given.get("Statistics") or [], given.get("ExtendedStatistics") or []
        if not simple and not extended:
            raise InvalidParameterCombination("At least one of Statistics and ExtendedStatistics must be given.")
        period = check_period(given["Period"])
        start, stop = given["StartTime"], given["EndTime"]
        statistics_range(start, stop, period)
        for name in simple:
            if name not in SIMPLE:
                raise InvalidParameterValue(f"The value {name[:40]} for parameter Statistics is not supported.")
        chosen = {name: statistic(name) for name in (*simple, *extended)}
        key = MetricKey(given["Namespace"], given["MetricName"], dimensions_of(given.get("Dimensions")))
        series = self._service.store.get(key)
        points = []
        if series is not None and given.get("Unit") in (None, series.unit):
            for at, values in self._service.store.periods(key, int(start // period) * period, stop, period):
                point: Output = {"Timestamp": at, "Unit": series.unit}
                point |= {name: chosen[name](values) for name in simple}
                if extended:
                    point["ExtendedStatistics"] = {name: chosen[name](values) for name in extended}
                points.append(point)
        return {"Label": given["MetricName"], "Datapoints": points}

    def _list_metrics(self, given: Input, pending: Pending) -> Output:
        self._service.measured()
        recent = given.get("RecentlyActive") is not None
        seconds = limits.LIST_RECENTLY_ACTIVE_SECONDS if recent else limits.LIST_RECENT_SECONDS
        wanted = [(str(one.get("Name")), one.get("Value")) for one in given.get("Dimensions") or ()]
        found = self._service.store.find(
            given.get("Namespace"), given.get("MetricName"), wanted, self._clock.now() - seconds
        )
        skipped = _offset(given.get("NextToken"))
        page = found[skipped : skipped + limits.LIST_PAGE_COUNT]
        output: Output = {"Metrics": [_metric(key) for key in page]}
        if len(found) > skipped + len(page):
            output["NextToken"] = _token(skipped + len(page))
        return output

    # -- alarms ------------------------------------------------------------------------------------------------------

    def _put_metric_alarm(self, given: Input, pending: Pending) -> Output:
        pending.append(self._service.alarms.put(given))
        return {}

    def _describe_alarms(self, given: Input, pending: Pending) -> Output:
        if "MetricAlarm" not in (given.get("AlarmTypes") or ["MetricAlarm"]):
            return {"MetricAlarms": [], "CompositeAlarms": []}
        names, prefix = given.get("AlarmNames"), given.get("AlarmNamePrefix")
        if names and prefix:
            raise InvalidParameterCombination("AlarmNames and AlarmNamePrefix are mutually exclusive.")
        action = given.get("ActionPrefix")
        found = [
            kept
            for kept in self._service.alarms.all()
            if (not names or kept.alarm.name in names)
            and kept.alarm.name.startswith(prefix or "")
            and given.get("StateValue") in (None, kept.state)
            and (action is None or any(str(one).startswith(action) for one in _actions(kept)))
        ]
        skipped, count = _offset(given.get("NextToken")), int(given.get("MaxRecords") or 50)
        output: Output = {
            "MetricAlarms": [_alarm(kept) for kept in found[skipped : skipped + count]],
            "CompositeAlarms": [],
        }
        if len(found) > skipped + count:
            output["NextToken"] = _token(skipped + count)
        return output

    def _describe_alarms_for_metric(self, given: Input, pending: Pending) -> Output:
        wanted = MetricKey(given["Namespace"], given["MetricName"], dimensions_of(given.get("Dimensions")))
        found = []
        for kept in self._service.alarms.all():
            for query in kept.alarm.queries():
                metric = (query.get("MetricStat") or {}).get("Metric") or {}
                of = (metric.get("Namespace"), metric.get("MetricName"), dimensions_of(metric.get("Dimensions")))
                period = given.get("Period") in (None, kept.alarm.period)
                if of == wanted and period and given.get("Statistic") in (None, kept.alarm.given.get("Statistic")):
                    found.append(_alarm(kept))
                    break
        return {"MetricAlarms": found}

    def _describe_alarm_history(self, given: Input, pending: Pending) -> Output:
        name, kind = given.get("AlarmName"), given.get("HistoryItemType")
        since, until = given.get("StartDate", 0.0), given.get("EndDate", float("inf"))
        items = [
            (change, kept)
            for kept in self._service.alarms.all()
            if name in (None, kept.alarm.name)
            for change in kept.history
            if kind in (None, change.kind) and since <= change.at <= until
        ]
        items.sort(key=lambda item: item[0].at, reverse=given.get("ScanBy") != "TimestampAscending")
        skipped, count = _offset(given.get("NextToken")), int(given.get("MaxRecords") or 100)
        output: Output = {"AlarmHistoryItems": [_history(*item) for item in items[skipped : skipped + count]]}
        if len(items) > skipped + count:
            output["NextToken"] = _token(skipped + count)
        return output

    def _delete_alarms(self, given: Input, pending: Pending) -> Output:
        pending += self._service.alarms.delete(list(dict.fromkeys(given["AlarmNames"])))
        return {}

    def _set_alarm_state(self, given: Input, pending: Pending) -> Output:
        pending.append(
            self._service.alarms.set_state(
                given["AlarmName"], given["StateValue"], given["StateReason"], given.get("StateReasonData") or ""
            )
        )
        return {}

    def _enable(self, given: Input, pending: Pending, enabled: bool) -> Output:
        pending += self._service.alarms.enable(given["AlarmNames"], enabled)
        return {}

    def _list_tags(self, given: Input, pending: Pending) -> Output:
        name = str(given["ResourceARN"]).partition(":alarm:")[2]
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._service.alarms.get(name).tags.items()]}


def _offset(token: Any) -> int:
    if token is None:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(str(token)[:64]).decode()))
    except ValueError:
        raise InvalidNextToken("The token is none that was given out.") from None


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode()


def _metric(key: MetricKey) -> Output:
    dimensions = [{"Name": name, "Value": value} for name, value in key.dimensions]
    return {"Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions}


def _actions(kept: KeptAlarm) -> list[Any]:
    return [one for name in ("OKActions", "AlarmActions", "InsufficientDataActions")
            for one in kept.alarm.given.get(name) or ()]  # fmt: skip


def _alarm(kept: KeptAlarm) -> Output:
    given = {name: value for name, value in kept.alarm.given.items() if value is not None}
    lists = {name: list(given.get(name) or ()) for name in ("OKActions", "AlarmActions", "InsufficientDataActions")}
    if "Metrics" not in given:
        lists["Dimensions"] = list(given.get("Dimensions") or ())
    return {
        **given,
        **lists,
        "AlarmArn": kept.arn,
        "ActionsEnabled": given.get("ActionsEnabled") is not False,
        "AlarmConfigurationUpdatedTimestamp": kept.written_at,
        "StateValue": kept.state,
        "StateReason": kept.reason,
        "StateReasonData": kept.reason_data or None,
        "StateUpdatedTimestamp": kept.updated_at,
        "StateTransitionedTimestamp": kept.transitioned_at,
    }


def _history(change: Change, kept: KeptAlarm) -> Output:
    return {
        "AlarmName": kept.alarm.name,
        "AlarmType": "MetricAlarm",
        "Timestamp": change.at,
        "HistoryItemType": change.kind,
        "HistorySummary": change.summary,
        "HistoryData": orjson.dumps({"version": "1.0", "type": change.kind, **change.data}).decode(),
    }
