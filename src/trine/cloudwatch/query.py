"""GetMetricData's queries: series by `MetricStat`, values by `Expression`, each computed once. Pure over a store.

Enters `MetricDataQuery` members and a range; leaves a `Result` for each query that returns data. An alarm on metric
math is evaluated with the same rooms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from trine.cloudwatch import limits
from trine.cloudwatch.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    ValidationError,
)
from trine.cloudwatch.label import filled, is_dynamic
from trine.cloudwatch.metric import MetricKey, dimensions_of
from trine.cloudwatch.statistic import Statistic, statistic
from trine.cloudwatch.store import MetricStore
from trine.cloudwatch.time_series import NO_FACTS, TimeSeries

if TYPE_CHECKING:
    from trine.cloudwatch.arithmetic import Value

PERIODS_SECONDS = (1, 5, 10, 20, 30)
"""Below a minute; above, any multiple of 60."""


_ID = re.compile("^[a-z][a-zA-Z0-9_]*$", re.ASCII)
"""API reference, `MetricDataQuery`: it "must start with a lowercase letter"."""


class Result(NamedTuple):
    """What one query found."""

    id: str
    label: str
    values: TimeSeries


def check_period(period: Any, name: str = "Period") -> int:
    """The period as CloudWatch takes it. InvalidParameterValue."""
    if isinstance(period, int) and (period in PERIODS_SECONDS or (period >= 60 and period % 60 == 0)):
        return period
    raise InvalidParameterValue(
        f"The parameter {name} must be 1, 5, 10, 20, 30, or any multiple of 60. You have specified {str(period)[:20]}."
    )


class Queries:
    """The queries of one call."""

    def __init__(
        self,
        store: MetricStore,
        queries: Sequence[Mapping[str, Any]],
        start: float,
        stop: float,
        home: Mapping[str, str] = NO_FACTS,
    ) -> None:
        """`home` is what labels may ask that is the same for all metrics: `AccountId` and `Region`."""
        if len(queries) > limits.QUERIES_PER_CALL_MAX_COUNT:
            raise InvalidParameterValue(f"At most {limits.QUERIES_PER_CALL_MAX_COUNT} queries are taken in one call.")
        if not start < stop:
            raise ValidationError("The parameter StartTime must be less than the parameter EndTime.")
        self._store, self._start, self._stop, self._home = store, start, stop, home
        self._queries = {str(query.get("Id", "")): query for query in queries}
        for name in self._queries:
            if _ID.fullmatch(name) is None:
                raise ValidationError(
                    f"The value {name[:60]} for parameter Id is not matching the expected pattern {_ID.pattern}."
                )
        if len(self._queries) != len(queries):
            raise ValidationError("The values for parameter id in MetricDataQueries are not unique.")
        self._values: dict[str, Value] = {}
        self._open: list[str] = []
        self._recent: list[MetricKey] | None = None
        """What searches look through, once one has asked."""
        self._left = limits.POINTS_PER_CALL_MAX_COUNT
        periods = [self._period_of(query) for query in queries if query.get("MetricStat") is not None]
        self._names = made_labels([query["MetricStat"] for query in queries if query.get("MetricStat") is not None])
        self._period = max(periods, default=60)
        """Of expressions: the longest of what they can refer to."""

    def results(self) -> list[Result]:
        """Every query's result that is to be returned. AwsError."""
        found = []
        for name, query in self._queries.items():
            value = self.value(name)
            if query.get("ReturnData") is False:
                continue
            if isinstance(value, float):
                raise ValidationError(
                    f"The expression {name} gives a number, not a time series; TIME_SERIES makes one."
                )
            label = str(query.get("Label") or "")
            dynamic = is_dynamic(label)
            if not isinstance(value, list):
                own = value.label if query.get("MetricStat") is not None else name
                found.append(Result(name, filled(label, value) if dynamic else label or own or name, value))
                continue
            found += [
                Result(name, filled(label, series) if dynamic else f"{label} {series.label}".strip() or name, series)
                for series in value
            ]
        return found

    def value(self, name: str) -> Value:
        """The value of one query, computed when it is first asked for."""
        if name in self._values:
            return self._values[name]
        query = self._queries.get(name)
        if query is None:
            raise ValidationError(f"Error in expression: there is no query with the id {name[:60]!r}.")
        if name in self._open:
            raise ValidationError(f"The expressions {' → '.join([*self._open, name])[:200]} refer to each other.")
        self._open.append(name)
        try:
            stat, expression = query.get("MetricStat"), query.get("Expression")
            if (stat is None) == (expression is None):
                raise ValidationError(f"The query {name} must have either MetricStat or Expression.")
            self._values[name] = self._compute(name, query, str(expression)) if stat is None else self._measured(query)
        finally:
            self._open.pop()
        return self._values[name]

    def _period_of(self, query: Mapping[str, Any]) -> int:
        return check_period(query["MetricStat"].get("Period"), "MetricStat.Period")

    def _measured(self, query: Mapping[str, Any]) -> TimeSeries:
        stat = query["MetricStat"]
        metric = stat.get("Metric") or {}
        if not metric.get("Namespace") or not metric.get("MetricName"):
            raise MissingParameter("MetricStat.Metric must have a Namespace and a MetricName.")
        key = MetricKey(str(metric["Namespace"]), str(metric["MetricName"]), dimensions_of(metric.get("Dimensions")))
        name, period = str(stat.get("Stat", "")), self._period_of(query)
        compute, facts = statistic(name), self._facts(key, name, period)
        series = self._store.get(key)
        made = self._names[key.name, name, period]
        label = str(query.get("Label") or made)
        label = made if is_dynamic(label) else label
        if series is None or (stat.get("Unit") is not None and stat["Unit"] != series.unit):
            return TimeSeries(label=label, facts=facts)
        return self._series_of(key, compute, period, label, facts)

    def _facts(self, key: MetricKey, stat: str, period: int) -> Mapping[str, str]:
        """What a label may ask of a metric: the names of `${PROP('…')}`."""
        of_metric = {"MetricName": key.name, "Namespace": key.namespace, "Stat": stat, "Period": str(period)}
        return {**self._home, **of_metric, **{f"Dim.{name}": value for name, value in key.dimensions}}

    def _series_of(
        self, key: MetricKey, compute: Statistic, period: int, label: str, facts: Mapping[str, str]
    ) -> TimeSeries:
        points = self._store.periods(key, self._start // period * period, self._stop, period)
        values = {at: value for at, values in points if math.isfinite(value := compute(values))}
        series = TimeSeries(values, label, facts)
        self._spend(series)
        return series

    def _spend(self, value: Value) -> None:
        """Count what was read or computed. ValidationError when it is more than one call may ask for."""
        if isinstance(value, float):
            self._left -= 1
        else:
            self._left -= sum(len(series) + 1 for series in (value if isinstance(value, list) else (value,)))
        if self._left < 0:
            raise ValidationError(
                f"The queries of this call compute more than {limits.POINTS_PER_CALL_MAX_COUNT:,} data points; "
                "ask for fewer queries, a shorter range or a longer period."
            )

    def _search(self, text: str, stat: str, period: int) -> list[TimeSeries]:
        """What `SEARCH` finds: metrics that had data in the last two weeks, the first hundred by name."""
        from trine.cloudwatch.search import parse_search

        matches, compute = parse_search(text), statistic(stat)
        if self._recent is None:
            self._recent = self._store.find(None, None, (), self._stop - limits.LIST_RECENT_SECONDS)
        self._left -= len(self._recent)
        keys = list(islice((key for key in self._recent if matches(key)), limits.SEARCH_RESULTS_MAX_COUNT))
        return [self._series_of(key, compute, period, " ".join((*(v for _, v in key.dimensions), key.name)),
                                self._facts(key, stat, period)) for key in keys]  # fmt: skip

    def _compute(self, name: str, query: Mapping[str, Any], text: str) -> Value:
        # Metric math loads when an expression asks for it: 2 ms that no start has to pay.
        from trine.cloudwatch.arithmetic import Computation
        from trine.cloudwatch.expression import parse

        period = check_period(query["Period"]) if query.get("Period") is not None else self._period
        start = int(self._start // period * period)
        if (self._stop - start) / period > limits.DATAPOINTS_PER_CALL_MAX_COUNT:
            raise ValidationError("The expression covers more data points than one call may return.")
        times = range(start, math.ceil(self._stop), period)

        def metrics(part: str) -> list[TimeSeries]:
            names = [one for one in self._queries if one != name and part in one
                     and self._queries[one].get("MetricStat") is not None]  # fmt: skip
            return [series for one in names if isinstance(series := self.value(one), TimeSeries)]

        def search(of: str, stat: str, given: int | None) -> list[TimeSeries]:
            return self._search(of, stat, period if given is None else check_period(given))

        return Computation(self.value, metrics, search, times, period, self._spend).compute(parse(text))


def made_labels(stats: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, int], str]:
    """(metric's name, statistic, period) of a call's queries → the label of a result that was given none.

    As recorded on AWS: the metric's name, and what tells the queries of that name apart: statistic, period or both.
    """
    asked = [(str((one.get("Metric") or {}).get("MetricName")), str(one.get("Stat", "")), int(one["Period"]))
             for one in stats]  # fmt: skip
    labels = {}
    for name, stat, period in asked:
        others = [one for one in asked if one[0] == name]
        parts = [name]
        parts += [stat] if len({one[1] for one in others}) > 1 else []
        parts += [str(period)] if len({one[2] for one in others}) > 1 else []
        labels[name, stat, period] = " ".join(parts)
    return labels


def statistics_range(start: float, stop: float, period: int) -> None:
    """Whether GetMetricStatistics may answer so many points. AwsError."""
    if not start < stop:
        raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
    count = math.ceil((stop - start) / period)
    if count > limits.DATAPOINTS_OF_STATISTICS_MAX_COUNT:
        raise InvalidParameterCombination(
            f"You have requested up to {count} datapoints, which exceeds the limit of "
            f"{limits.DATAPOINTS_OF_STATISTICS_MAX_COUNT}. You may reduce the datapoints requested by increasing "
            "Period, or decreasing the time range."
        )
