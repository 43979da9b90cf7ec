"""Statistics by name, from a distribution: what `Stat`, `Statistics` and `ExtendedStatistics` ask for. Pure.

Enters `Average`, `p99`, `tm(10%:90%)`, …; leaves a function of a `Distribution`. Percentiles and what is cut at
percentiles are exact to two percent (see `metering.distribution`), and NaN where statistic sets hide the values (user
guide, "Percentiles": CloudWatch then has none). Source: "CloudWatch statistics definitions".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache

from trine.cloudwatch.errors import InvalidParameterValue
from trine.metering.distribution import Distribution

Statistic = Callable[[Distribution], float]
SIMPLE: dict[str, Statistic] = {
    "SampleCount": lambda of: of.count,
    "Average": lambda of: of.average,
    "Sum": lambda of: of.total,
    "Minimum": lambda of: of.minimum,
    "Maximum": lambda of: of.maximum,
}
_NUMBER = r"(\d{1,3}(?:\.\d{1,10})?)"
_PERCENTILE = re.compile(rf"p{_NUMBER}", re.IGNORECASE)
_UPPER = re.compile(rf"(tm|wm|tc|ts){_NUMBER}", re.IGNORECASE)
_RANGE = re.compile(r"(tm|wm|tc|ts|pr)\(([^:()]{0,24}):([^:()]{0,24})\)", re.IGNORECASE)


@lru_cache(1024)
def statistic(name: str) -> Statistic:
    """The statistic of a name. InvalidParameterValue when there is none."""
    if name in SIMPLE:
        return SIMPLE[name]
    if (found := _PERCENTILE.fullmatch(name)) is not None and 0 < float(found[1]) <= 100:
        percent = float(found[1])
        return lambda of: of.percentile(percent) if of.is_spread_known else math.nan
    if name.upper() == "IQM":
        return _between("TM", _Bound(25, True), _Bound(75, True))
    if (found := _UPPER.fullmatch(name)) is not None and float(found[2]) <= 100:
        return _between(found[1].upper(), None, _Bound(float(found[2]), True))
    if (found := _RANGE.fullmatch(name)) is not None:
        lower, upper = _bound(found[2]), _bound(found[3])
        percents = [bound.is_percent for bound in (lower, upper) if bound is not None]
        if percents and (found[1].upper() != "PR" or not any(percents)) and len(set(percents)) == 1:
            return _between(found[1].upper(), lower, upper)
    raise InvalidParameterValue(f"The value {name[:80]} for parameter Stat is not supported.")


class _Bound:
    __slots__ = ("is_percent", "value")

    def __init__(self, value: float, is_percent: bool) -> None:
        self.value, self.is_percent = value, is_percent


def _bound(text: str) -> _Bound | None:
    text = text.strip()
    if not text:
        return None
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        raise InvalidParameterValue(f"The bound {text!r} of a statistic is no number.") from None
    if not math.isfinite(value) or (text.endswith("%") and not 0 <= value <= 100):
        raise InvalidParameterValue(f"The bound {text!r} of a statistic is out of range.")
    return _Bound(value, text.endswith("%"))


def _between(kind: str, lower: _Bound | None, upper: _Bound | None) -> Statistic:
    def compute(of: Distribution) -> float:
        if not of.is_spread_known:
            return math.nan
        inside, below, above = _cut(of, lower, upper)
        count, total = sum(amount for _, amount in inside), sum(value * amount for value, amount in inside)
        if kind == "TC":
            return count
        if kind == "TS":
            return total
        if kind == "PR":
            return count / of.count * 100 if of.count else 0.0
        if kind == "WM" and inside:
            count += below + above
            total += below * inside[0][0] + above * inside[-1][0]
        return total / count if count else math.nan

    return compute


def _cut(
    of: Distribution, lower: _Bound | None, upper: _Bound | None
) -> tuple[list[tuple[float, float]], float, float]:
    """(value, count) within the bounds, and how many lie below and above."""
    inside: list[tuple[float, float]] = []
    below = above = seen = 0.0
    for value, count in of.spread():
        first, last = seen, seen + count
        seen = last
        least = lower.value / 100 * of.count if lower is not None and lower.is_percent else 0.0
        most = upper.value / 100 * of.count if upper is not None and upper.is_percent else of.count
        under = max(0.0, min(last, least) - first)
        over = max(0.0, last - max(first, most))
        if lower is not None and not lower.is_percent and value <= lower.value:
            under, over = count, 0.0
        elif upper is not None and not upper.is_percent and value > upper.value:
            under, over = 0.0, count
        below, above = below + under, above + over
        if count - under - over > 1e-12:
            inside.append((value, count - under - over))
    return inside, below, above
