"""One alarm: what PutMetricAlarm says, checked, and the state that data points give it. Pure.

Enters members of `PutMetricAlarmInput` (a template's properties have the same names) and data points, the newest last;
leaves a `Verdict`. How missing data counts is AWS's: user guide, "Configuring how CloudWatch alarms treat missing
data", whose two tables are test cases.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from trine.cloudwatch import limits
from trine.cloudwatch.errors import InvalidParameterCombination, MissingParameter, ValidationError
from trine.cloudwatch.metric import dimensions_of
from trine.cloudwatch.query import check_period
from trine.cloudwatch.statistic import SIMPLE, statistic

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
_COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_MISSING = ("missing", "ignore", "breaching", "notBreaching")
EXTRA_PERIODS = 2
"""Periods looked at beyond the evaluation periods, as in AWS's example (5 for 3 out of 3)."""


class Verdict(NamedTuple):
    """The state that data gives an alarm; None: it keeps the one it has."""

    state: str | None
    reason: str
    recent: tuple[float, ...]


class Alarm:
    """A metric alarm's definition."""

    kind = "MetricAlarm"
    __slots__ = (
        "_compare",
        "_words",
        "evaluation_periods",
        "given",
        "missing",
        "name",
        "needed",
        "period",
        "threshold",
    )

    def __init__(self, given: Mapping[str, Any]) -> None:
        """From the members of PutMetricAlarm. ValidationError, MissingParameter, InvalidParameterCombination, …"""
        self.given = dict(given)
        self.name = str(given.get("AlarmName", ""))
        comparison = str(given.get("ComparisonOperator", ""))
        if comparison not in _COMPARISONS:
            raise ValidationError(
                f"ComparisonOperator {comparison[:60]!r} is not offered: anomaly detection is not built into Trine."
                if comparison
                else "The parameter ComparisonOperator is required."
            )
        self._compare, self._words = _COMPARISONS[comparison]
        if given.get("Threshold") is None:
            raise MissingParameter("The parameter Threshold is required: anomaly detection is not built into Trine.")
        self.threshold = float(given["Threshold"])
        self.evaluation_periods = int(given.get("EvaluationPeriods") or 0)
        self.needed = int(given.get("DatapointsToAlarm") or self.evaluation_periods)
        if self.evaluation_periods < 1:
            raise MissingParameter("The parameter EvaluationPeriods must be 1 or more.")
        if not 1 <= self.needed <= self.evaluation_periods:
            raise ValidationError("DatapointsToAlarm must be from 1 to EvaluationPeriods.")
        self.missing = str(given.get("TreatMissingData") or "missing")
        if self.missing not in _MISSING:
            raise ValidationError(f"TreatMissingData must be one of {', '.join(_MISSING)}.")
        self.period = self._checked_period()

    @property
    def metrics(self) -> int:
        """How many metrics it looks at: those it is charged for."""
        return sum(1 for query in self.given.get("Metrics") or () if query.get("MetricStat")) or 1

    def _checked_period(self) -> int:
        given = self.given
        if given.get("Metrics"):
            if given.get("MetricName") is not None:
                raise InvalidParameterCombination("MetricName and Metrics are mutually exclusive.")
            returning = [query for query in given["Metrics"] if query.get("ReturnData") is not False]
            if len(returning) != 1:
                raise ValidationError("Exactly one element of the metrics list should return data.")
            stats = [query["MetricStat"].get("Period") for query in given["Metrics"] if query.get("MetricStat")]
            period = max(
                (check_period(period) for period in stats), default=check_period(returning[0].get("Period", 60))
            )
        else:
            for name in ("MetricName", "Namespace", "Period"):
                if given.get(name) is None:
                    raise MissingParameter(f"The parameter {name} is required.")
            if (given.get("Statistic") is None) == (given.get("ExtendedStatistic") is None):
                raise InvalidParameterCombination("Exactly one of Statistic and ExtendedStatistic must be given.")
            if given.get("Statistic") is not None and given["Statistic"] not in SIMPLE:
                raise ValidationError(f"Statistic must be one of {', '.join(SIMPLE)}.")
            statistic(self.stat)
            dimensions_of(given.get("Dimensions"))
            period = check_period(given["Period"])
        longest = limits.ALARM_LONG_RANGE_MAX_SECONDS if period >= 3600 else limits.ALARM_RANGE_MAX_SECONDS
        if period * self.evaluation_periods > longest:
            raise ValidationError(
                f"Metrics cannot be checked across more than {longest // 86_400} day(s) at that period."
            )
        return period

    @property
    def stat(self) -> str:
        """The statistic's name."""
        return str(self.given.get("Statistic") or self.given.get("ExtendedStatistic") or "")

    def queries(self) -> list[Mapping[str, Any]]:
        """As GetMetricData would ask for it."""
        if self.given.get("Metrics"):
            return list(self.given["Metrics"])
        metric = {name: self.given[name] for name in ("Namespace", "MetricName", "Dimensions") if name in self.given}
        stat = {"Metric": metric, "Period": self.period, "Stat": self.stat, "Unit": self.given.get("Unit")}
        return [{"Id": "m1", "MetricStat": stat}]

    @property
    def looks_at(self) -> int:
        """Periods that an evaluation looks at."""
        return self.evaluation_periods + EXTRA_PERIODS

    def judge(self, points: Sequence[float | None]) -> Verdict:
        """The state that data points give, the newest last; None stands for a missing one."""
        existing = [value for value in points if value is not None][-self.evaluation_periods :]
        breaching = [self._compare(value, self.threshold) for value in existing]
        count, lacking = sum(breaching), self.evaluation_periods - len(existing)
        recent = tuple(existing)
        if lacking > 0 and self.missing in ("breaching", "notBreaching"):
            filled = lacking if self.missing == "breaching" else 0
            state = ALARM if count + filled >= self.needed else OK
            return Verdict(state, self._reason(existing, count, lacking), recent)
        if count >= self.needed:
            return Verdict(ALARM, self._reason(existing, count, lacking), recent)
        if lacking <= 0 or count < len(existing):
            return Verdict(OK, self._reason(existing, count, lacking), recent)
        if self.missing == "ignore":
            return Verdict(None, "missing data is ignored", recent)
        oldest = next((len(points) - at for at, value in enumerate(points) if value is not None), 0)
        if existing and oldest >= self.needed:
            # Nothing is known to be fine since a breach as old as what is asked for: "premature" would be wrong now.
            return Verdict(ALARM, self._reason(existing, count, lacking), recent)
        return Verdict(INSUFFICIENT, f"Insufficient Data: {lacking} datapoints were unknown.", recent)

    def _reason(self, existing: Sequence[float], count: int, lacking: int) -> str:
        if not existing:  # CloudWatch's own sentence, which people's scripts look for
            periods = "period" if lacking == 1 else "periods"
            missing = "missing datapoint was" if lacking == 1 else "missing datapoints were"
            return (
                f"Threshold Crossed: no datapoints were received for {lacking} {periods} and {lacking} {missing} "
                f"treated as [{'Breaching' if self.missing == 'breaching' else 'NonBreaching'}]."
            )
        crossed = count > 0
        shown = count if crossed else len(existing)
        number = f"{shown} datapoint{'s' if shown != 1 else ''}"
        values = ", ".join(f"{value:g}" for value in existing[-5:])
        verb = ("were" if shown != 1 else "was") + ("" if crossed else " not")
        unknown = f" ({lacking} datapoints were unknown and treated as {self.missing})" if lacking > 0 else ""
        least = f"minimum {self.needed} datapoint{'s' if self.needed != 1 else ''}"
        return (
            f"Threshold Crossed: {number} [{values}] {verb} {self._words} the threshold ({self.threshold:g}){unknown}"
            f" ({least} for {'OK -> ALARM' if crossed else 'ALARM -> OK'} transition)."
        )
