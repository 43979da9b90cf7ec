"""The operations on metrics and dashboards: the checked input of a call in, its output's members out.

`Operations.built` holds every operation of the API that there is; those on alarms are in `alarm_operations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from trine.clock import Clock
from trine.cloudwatch import limits
from trine.cloudwatch.alarm_operations import AlarmOperations
from trine.cloudwatch.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
)
from trine.cloudwatch.metric import RESERVED_NAMESPACE, MetricKey, datum_of, dimensions_of
from trine.cloudwatch.pages import Input, Output, Pending, Run, offset_of, page_of, token_of
from trine.cloudwatch.query import Queries, check_period, statistics_range
from trine.cloudwatch.service import CloudWatch
from trine.cloudwatch.statistic import SIMPLE, statistic


class Operations:
    """Every operation that is built, by name."""

    def __init__(self, service: CloudWatch, clock: Clock) -> None:
        self._service, self._clock = service, clock
        self.built: Mapping[str, Run] = {
            "PutMetricData": self._put_metric_data,
            "GetMetricData": self._get_metric_data,
            "GetMetricStatistics": self._get_metric_statistics,
            "ListMetrics": self._list_metrics,
            "PutDashboard": self._put_dashboard,
            "GetDashboard": lambda given, pending: dict(service.dashboards.get(str(given.get("DashboardName")))),
            "ListDashboards": self._list_dashboards,
            "DeleteDashboards": self._delete_dashboards,
            **AlarmOperations(service.alarms).built,
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
        pending.append(self._service.put([datum_of(namespace, one, now) for one in data]))
        return {}

    def _get_metric_data(self, given: Input, pending: Pending) -> Output:
        self._service.measured()
        place = self._service.place
        home = {"AccountId": place.account_id, "Region": place.region}
        queries = Queries(self._service.store, given["MetricDataQueries"], given["StartTime"], given["EndTime"], home)
        ascending = given.get("ScanBy") == "TimestampAscending"
        most = int(given.get("MaxDatapoints") or limits.DATAPOINTS_PER_CALL_MAX_COUNT)
        skipped = offset_of(given.get("NextToken"))
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
            output["NextToken"] = token_of(skipped + most)
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
                    found = {name: chosen[name](values) for name in extended}
                    point["ExtendedStatistics"] = {name: value for name, value in found.items() if isfinite(value)}
                if simple or point["ExtendedStatistics"]:
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
        page, output = page_of(found, given.get("NextToken"), limits.LIST_PAGE_COUNT)
        return {"Metrics": [_metric(key) for key in page], **output}

    # -- dashboards --------------------------------------------------------------------------------------------------

    def _put_dashboard(self, given: Input, pending: Pending) -> Output:
        body = str(given.get("DashboardBody") or "")
        pending.append(self._service.dashboards.put(str(given.get("DashboardName") or ""), body))
        return {"DashboardValidationMessages": []}

    def _list_dashboards(self, given: Input, pending: Pending) -> Output:
        found = self._service.dashboards.entries(str(given.get("DashboardNamePrefix") or ""))
        page, output = page_of(found, given.get("NextToken"), limits.DASHBOARDS_PAGE_COUNT)
        return {"DashboardEntries": page, **output}

    def _delete_dashboards(self, given: Input, pending: Pending) -> Output:
        pending += self._service.dashboards.delete(list(dict.fromkeys(given["DashboardNames"])))
        return {}


def _metric(key: MetricKey) -> Output:
    dimensions = [{"Name": name, "Value": value} for name, value in key.dimensions]
    return {"Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions}
