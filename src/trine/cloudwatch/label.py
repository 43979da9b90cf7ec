"""Dynamic labels: `CPU of ${PROP('Dim.InstanceId')}, at most ${MAX}`. Pure.

Enters the label of a query and what it found; leaves the text. What is not built (times, whose form AWS does not
document) stays as it was written. Source: user guide, "Use dynamic labels"; how numbers are rounded is our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from trine.cloudwatch.time_series import TimeSeries

NO_DATA = "--"
"""Stands for a value of a series without data."""
_VALUES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "FIRST": lambda values: values[0],
    "FIRST_LAST_RANGE": lambda values: abs(values[-1] - values[0]),
    "LAST": lambda values: values[-1],
    "MAX": max,
    "MIN": min,
    "MIN_MAX_RANGE": lambda values: max(values) - min(values),
    "SUM": sum,
}
_PLACE = re.compile(r"\$\{(?:PROP\('([^']{1,300})'\)|([A-Z_]{3,40}))\}")


def is_dynamic(label: str) -> bool:
    """Whether something in it stands for something else."""
    return _PLACE.search(label) is not None


def filled(label: str, series: TimeSeries) -> str:
    """The label with what `series` and its metric give for its places."""
    values = [series[at] for at in sorted(series)]

    def fill(place: re.Match[str]) -> str:
        name, value = place[1], place[2]
        if name is not None:
            return series.facts.get(name, place[0])
        if value == "LABEL":
            return series.label
        if value == "DATAPOINT_COUNT":
            return str(len(values))
        if value not in _VALUES:
            return place[0]
        return f"{_VALUES[value](values):.6g}" if values else NO_DATA

    return _PLACE.sub(fill, label)
