"""Metric math, computed: trees of `expression` over time series. Pure.

A value is a number, a `TimeSeries`, or a list of series (`METRICS()`, `[a, b]`). Points without a value on both sides
of an operation have none in its result; a division by zero has none either. Functions that are not built are refused
by name. Source: user guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import math
import operator
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import pstdev

from trine.cloudwatch.errors import ValidationError
from trine.cloudwatch.expression import Binary, Call, Group, Name, Negative, Node, Number, Text
from trine.cloudwatch.time_series import TimeSeries

Value = float | TimeSeries | list[TimeSeries]
Pair = Callable[[float, float], float]


def _divided(left: float, right: float) -> float:
    return left / right if right else math.nan


def _power(left: float, right: float) -> float:
    try:
        found = left**right
    except (OverflowError, ZeroDivisionError):
        return math.nan
    return found if isinstance(found, float) else math.nan


_SIGNS: Mapping[str, Pair] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divided, "^": _power,
    "==": lambda left, right: float(left == right), "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right), ">": lambda left, right: float(left > right),
    "<=": lambda left, right: float(left <= right), ">=": lambda left, right: float(left >= right),
    "&&": lambda left, right: float(bool(left) and bool(right)),
    "||": lambda left, right: float(bool(left) or bool(right)),
}  # fmt: skip
_EACH: Mapping[str, Callable[[float], float]] = {
    "ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor,
    "LOG": lambda value: math.log(value) if value > 0 else math.nan,
    "LOG10": lambda value: math.log10(value) if value > 0 else math.nan,
}  # fmt: skip
_OVER: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": lambda values: math.fsum(values) / len(values), "SUM": math.fsum, "MIN": min, "MAX": max, "STDDEV": pstdev,
}  # fmt: skip
_SORTED_BY = frozenset({"AVG", "MIN", "MAX", "SUM"})


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


OF_TIME: Mapping[str, Callable[[int], float]] = {
    "MINUTE": lambda at: float(_utc(at).minute), "HOUR": lambda at: float(_utc(at).hour),
    "DAY": lambda at: float(_utc(at).isoweekday()), "DATE": lambda at: float(_utc(at).day),
    "MONTH": lambda at: float(_utc(at).month), "YEAR": lambda at: float(_utc(at).year), "EPOCH": float,
}  # fmt: skip
"""Of the time of each point, in UTC; `DAY` is 1 for Monday."""
_OF_SERIES: Mapping[str, Callable[[TimeSeries], float]] = {
    "DATAPOINT_COUNT": lambda series: float(len(series)),
    "FIRST": lambda series: next(iter(series.values()), math.nan),
    "LAST": lambda series: next(reversed(series.values()), math.nan),
}


Search = Callable[[str, str, int | None], list[TimeSeries]]
"""(search, statistic, period in seconds or None: the expression's) → what was found."""
Spend = Callable[[Value], None]
"""Told of each value that was computed; ValidationError when they have become too many."""
REFUSED = {
    "ANOMALY_DETECTION_BAND": "anomaly detection is not built into Trine",
    "INSIGHT_RULE_METRIC": "Contributor Insights rules are not built into Trine",
    "DB_PERF_INSIGHTS": "RDS Performance Insights are not part of Trine",
    "SERVICE_QUOTA": "usage metrics of service quotas are not built into Trine",
    "LAMBDA": "Lambda data source connectors are not built into Trine",
}


class Computation:
    """One GetMetricData call's worth of series by id."""

    def __init__(
        self,
        look_up: Callable[[str], Value],
        metrics: Callable[[str], list[TimeSeries]],
        search: Search,
        times: Sequence[int],
        period: int,
        spend: Spend,
    ) -> None:
        """`look_up` gives the value of an id, `metrics` all series whose id holds a text, `search` those of a search;
        `times` are all periods.
        """
        self._look_up, self._metrics, self._search, self._spend = look_up, metrics, search, spend
        self._times, self._period = times, period

    def compute(self, node: Node) -> Value:
        """The value of a tree. ValidationError."""
        value = self._computed(node)
        self._spend(value)
        return value

    def _computed(self, node: Node) -> Value:
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Name):
            return self._look_up(node.name)
        if isinstance(node, Negative):
            return _each(self.compute(node.operand), operator.neg)
        if isinstance(node, Group):
            return [series for member in node.members for series in _series_of(self.compute(member), "[…]")]
        if isinstance(node, Binary):
            return _paired(self.compute(node.left), self.compute(node.right), _SIGNS[node.sign])
        if isinstance(node, Text):
            raise ValidationError(f"A text ({node.value[:40]!r}) is no value of an expression.")
        return self._call(node)

    def _call(self, call: Call) -> Value:
        name, arguments = call.function, call.arguments
        if name == "METRICS":
            return self._metrics(self._text(arguments))
        if name == "SEARCH":
            return self._searched(arguments)
        if name in ("SORT", "SLICE"):
            return self._chosen(name, arguments)
        if name == "FILL":
            return self._fill(arguments)
        if name == "IF":
            return self._if(arguments)
        if name == "TIME_SERIES":
            (value,) = self._values(call, 1)
            return TimeSeries(dict.fromkeys(self._times, _number(value, name)))
        if name == "PERIOD":
            self._values(call, 1)
            return float(self._period)
        if name in _EACH:
            (value,) = self._values(call, 1)
            return _each(value, _EACH[name])
        if name in OF_TIME:
            (value,) = self._values(call, 1)
            if isinstance(value, float):
                raise ValidationError(f"{name} takes series, not a number.")
            apply = OF_TIME[name]
            return _mapped(value, lambda series: {at: apply(at) for at in series}, name)
        if name == "REMOVE_EMPTY":
            (value,) = self._values(call, 1)
            return [series for series in _series_of(value, name) if series]
        if name in _OVER:
            (value,) = self._values(call, 1)
            return _over(value, _OVER[name], name)
        if name in _OF_SERIES:
            (value,) = self._values(call, 1)
            return _of_series(value, _OF_SERIES[name], name)
        if name in _CHANGES:
            (value,) = self._values(call, 1)
            return _mapped(value, _CHANGES[name], name)
        if name == "METRIC_COUNT":
            (value,) = self._values(call, 1)
            return float(len(_series_of(value, name)))
        raise ValidationError(REFUSED.get(name) or f"There is no function {name[:40]} in metric math.")

    def _values(self, call: Call, count: int) -> list[Value]:
        if len(call.arguments) != count:
            raise ValidationError(f"{call.function} takes {count} argument{'s' if count > 1 else ''}.")
        return [self.compute(argument) for argument in call.arguments]

    @staticmethod
    def _text(arguments: tuple[Node, ...]) -> str:
        if not arguments:
            return ""
        if len(arguments) == 1 and isinstance(arguments[0], Text):
            return arguments[0].value
        raise ValidationError('METRICS takes nothing, or a text: METRICS("errors").')

    def _searched(self, arguments: tuple[Node, ...]) -> Value:
        texts = [one.value for one in arguments[:2] if isinstance(one, Text)]
        if len(arguments) not in (2, 3) or len(texts) != 2:
            raise ValidationError("SEARCH takes a search and a statistic in quotes, and perhaps a period.")
        period = _number(self.compute(arguments[2]), "SEARCH") if len(arguments) == 3 else None
        return self._search(texts[0], texts[1], None if period is None else int(period))

    def _chosen(self, name: str, arguments: tuple[Node, ...]) -> Value:
        if len(arguments) < 2:
            raise ValidationError(f"{name} takes 2 arguments or more.")
        value = self.compute(arguments[0])
        if not isinstance(value, list):
            raise ValidationError(f"{name} takes a list of series.")
        if name == "SLICE":
            return _sliced(value, [int(_number(self.compute(one), name)) for one in arguments[1:]])
        words = [one.name.upper() for one in arguments[1:3] if isinstance(one, Name)]
        least = int(_number(self.compute(arguments[3]), name)) if len(arguments) > 3 else None
        if len(words) != 2 or words[0] not in _SORTED_BY or words[1] not in ("ASC", "DESC") or len(arguments) > 4:
            raise ValidationError("SORT takes series, one of AVG, MIN, MAX, SUM, and ASC or DESC, and perhaps a limit.")
        over = _OVER[words[0]]
        ranked = sorted((series for series in value if series), key=lambda series: over(list(series.values())))
        ordered = ranked[::-1] if words[1] == "DESC" else ranked
        return ordered[:least] + ([series for series in value if not series] if least is None else [])

    def _fill(self, arguments: tuple[Node, ...]) -> Value:
        if len(arguments) != 2:
            raise ValidationError("FILL takes 2 arguments.")
        value, how = self.compute(arguments[0]), arguments[1]
        if isinstance(how, Name) and how.name.upper() in ("REPEAT", "LINEAR"):
            filler = _repeated if how.name.upper() == "REPEAT" else _interpolated
            return _mapped(value, lambda series: filler(series, self._times), "FILL")
        number = _number(self.compute(how), "FILL")
        return _mapped(value, lambda series: {at: series.get(at, number) for at in self._times}, "FILL")

    def _if(self, arguments: tuple[Node, ...]) -> Value:
        if len(arguments) not in (2, 3):
            raise ValidationError("IF takes 2 or 3 arguments.")
        condition, then = self.compute(arguments[0]), self.compute(arguments[1])
        otherwise: Value = self.compute(arguments[2]) if len(arguments) == 3 else TimeSeries()
        if isinstance(condition, float):
            return then if condition else otherwise
        if isinstance(condition, list):
            raise ValidationError("The condition of IF must be one series or a number.")
        found = TimeSeries()
        for at, decided in condition.items():
            chosen = then if decided else otherwise
            if isinstance(chosen, list):
                raise ValidationError("IF chooses between single series and numbers.")
            value = chosen if isinstance(chosen, float) else chosen.get(at)
            if value is not None:
                found[at] = value
        return found


def _sliced(value: list[TimeSeries], bounds: list[int]) -> Value:
    """`SLICE(series, at)` is one, `SLICE(series, from, to)` those from one up to but without the other."""
    if len(bounds) == 1 and 0 <= bounds[0] < len(value):
        return value[bounds[0]]
    if len(bounds) == 1:
        return TimeSeries()
    if len(bounds) == 2 and 0 <= bounds[0] <= bounds[1]:
        return value[bounds[0] : bounds[1]]
    raise ValidationError("SLICE takes series and the number of one, or of the first and the one after the last.")


def _number(value: Value, name: str) -> float:
    if not isinstance(value, float):
        raise ValidationError(f"{name} takes a number there.")
    return value


def _series_of(value: Value, name: str) -> list[TimeSeries]:
    if isinstance(value, float):
        raise ValidationError(f"{name} takes series, not a number.")
    return value if isinstance(value, list) else [value]


def _clean(series: Mapping[int, float], label: str = "") -> TimeSeries:
    return TimeSeries({at: value for at, value in series.items() if math.isfinite(value)}, label)


def _each(value: Value, apply: Callable[[float], float]) -> Value:
    if isinstance(value, float):
        return float(apply(value))
    if isinstance(value, list):
        return [_clean({at: float(apply(one)) for at, one in series.items()}, series.label) for series in value]
    return _clean({at: float(apply(one)) for at, one in value.items()}, value.label)


def _paired(left: Value, right: Value, apply: Pair) -> Value:
    if isinstance(left, list) or isinstance(right, list):
        lefts = left if isinstance(left, list) else None
        rights = right if isinstance(right, list) else None
        if lefts is not None and rights is not None and len(lefts) != len(rights):
            raise ValidationError("Two lists of series in one operation must be of the same length.")
        count = len(lefts if lefts is not None else rights or ())
        pairs = [
            (lefts[at] if lefts is not None else left, rights[at] if rights is not None else right)
            for at in range(count)
        ]
        return [series for one, other in pairs for series in _series_of(_paired(one, other, apply), "The operation")]
    if isinstance(left, float) and isinstance(right, float):
        return float(apply(left, right))
    if isinstance(left, float):
        assert isinstance(right, dict)
        return _clean({at: float(apply(left, value)) for at, value in right.items()}, right.label)
    if isinstance(right, float):
        return _clean({at: float(apply(value, right)) for at, value in left.items()}, left.label)
    assert isinstance(right, dict)
    return _clean({at: float(apply(value, right[at])) for at, value in left.items() if at in right}, left.label)


def _over(value: Value, apply: Callable[[Sequence[float]], float], name: str) -> Value:
    """Of one series a number; of several, a series of what `apply` makes of their values at each time."""
    if isinstance(value, float):
        raise ValidationError(f"{name} takes series, not a number.")
    if not isinstance(value, list):
        return float(apply(list(value.values()))) if value else math.nan
    times = sorted(set().union(*value)) if value else []
    return TimeSeries({at: float(apply([series[at] for series in value if at in series])) for at in times})


def _of_series(value: Value, apply: Callable[[TimeSeries], float], name: str) -> float:
    series = _series_of(value, name)
    if len(series) != 1:
        raise ValidationError(f"{name} takes one series.")
    return apply(series[0])


def _mapped(value: Value, apply: Callable[[TimeSeries], Mapping[int, float]], name: str) -> Value:
    series = [_clean(apply(one), one.label) for one in _series_of(value, name)]
    return series if isinstance(value, list) else series[0]


def _differences(series: TimeSeries) -> dict[int, float]:
    times = list(series)
    return {later: series[later] - series[earlier] for earlier, later in pairwise(times)}


def _time_differences(series: TimeSeries) -> dict[int, float]:
    times = list(series)
    return {later: float(later - earlier) for earlier, later in pairwise(times)}


def _rates(series: TimeSeries) -> dict[int, float]:
    times = list(series)
    return {later: (series[later] - series[earlier]) / (later - earlier) for earlier, later in pairwise(times)}


def _running_sum(series: TimeSeries) -> dict[int, float]:
    found, total = {}, 0.0
    for at, value in series.items():
        total += value
        found[at] = total
    return found


_CHANGES: Mapping[str, Callable[[TimeSeries], Mapping[int, float]]] = {
    "DIFF": _differences, "DIFF_TIME": _time_differences, "RATE": _rates, "RUNNING_SUM": _running_sum,
}  # fmt: skip


def _repeated(series: TimeSeries, times: Sequence[int]) -> dict[int, float]:
    found, latest = {}, None
    for at in times:
        latest = series.get(at, latest)
        if latest is not None:
            found[at] = latest
    return found


def _interpolated(series: TimeSeries, times: Sequence[int]) -> dict[int, float]:
    known = sorted(series)
    found = {}
    for at in times:
        here = bisect_left(known, at)
        if here < len(known) and known[here] == at:
            found[at] = series[at]
        elif 0 < here < len(known):
            before, after = known[here - 1], known[here]
            found[at] = series[before] + (series[after] - series[before]) * (at - before) / (after - before)
    return found
