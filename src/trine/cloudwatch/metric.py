"""A metric and one datum of it: what PutMetricData and EMF lines say, checked, as values. Pure.

Enters members of `MetricDatum`; leaves a `Datum` with a `Distribution`, or InvalidParameterValue in AWS's words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from trine.cloudwatch import limits
from trine.cloudwatch.errors import InvalidParameterCombination, InvalidParameterValue, MissingParameter
from trine.metering.distribution import Distribution

Dimensions = tuple[tuple[str, str], ...]
"""(name, value) pairs, sorted."""
RESERVED_NAMESPACE = "AWS/"


class MetricKey(NamedTuple):
    """Namespace, name and all dimensions: together they are one metric."""

    namespace: str
    name: str
    dimensions: Dimensions


class Datum(NamedTuple):
    """Values of one metric at one time."""

    key: MetricKey
    at: int
    """Seconds since the epoch, floored to the metric's resolution."""
    values: Distribution
    unit: str
    resolution: int
    """1 or 60 seconds."""


def dimensions_of(given: Iterable[Mapping[str, Any]] | None) -> Dimensions:
    """The dimensions that a request lists, sorted. InvalidParameterValue."""
    pairs = []
    for one in given or ():
        name, value = str(one.get("Name", "")), str(one.get("Value", ""))
        if not name.strip() or not value.strip() or len(name) > limits.NAME_MAX_CHARACTERS:
            raise InvalidParameterValue("Dimension names and values must be 1 to 255 (1024) characters and not blank.")
        if len(value) > limits.DIMENSION_VALUE_MAX_CHARACTERS or not (name + value).isascii() or name.startswith(":"):
            raise InvalidParameterValue(
                f"The dimension {name[:80]!r} is longer than allowed, begins with ':' or is no ASCII."
            )
        pairs.append((name, value))
    if len(pairs) > limits.DIMENSIONS_MAX_COUNT:
        raise InvalidParameterValue(f"A metric has at most {limits.DIMENSIONS_MAX_COUNT} dimensions.")
    if len({name for name, _ in pairs}) != len(pairs):
        raise InvalidParameterValue("No two dimensions may have the same name.")
    return tuple(sorted(pairs))


def datum_of(namespace: str, given: Mapping[str, Any], now: float) -> Datum:
    """One member of `MetricData`. InvalidParameterValue, InvalidParameterCombination, MissingParameter."""
    name = str(given.get("MetricName", ""))
    if not name.strip():
        raise MissingParameter("The parameter MetricData.member.MetricName is required.")
    key = MetricKey(namespace, name, dimensions_of(given.get("Dimensions")))
    at = float(given.get("Timestamp", now))
    if not now - limits.PAST_MAX_SECONDS <= at <= now + limits.FUTURE_MAX_SECONDS:
        raise InvalidParameterValue(
            "The parameter MetricData.member.Timestamp must specify a time within the past two weeks and no more than "
            "two hours in the future."
        )
    resolution = given.get("StorageResolution", 60)
    if resolution not in (1, 60):
        raise InvalidParameterValue("The parameter MetricData.member.StorageResolution must be 1 or 60.")
    floored = int(at) // resolution * resolution
    return Datum(key, floored, _values(given), str(given.get("Unit", "None")), resolution)


def _values(given: Mapping[str, Any]) -> Distribution:
    kinds = [name for name in ("Value", "Values", "StatisticValues") if given.get(name) is not None]
    if not kinds:
        raise MissingParameter(
            "At least one of the parameters MetricData.member.Value, MetricData.member.Values, "
            "MetricData.member.StatisticValues is required."
        )
    if len(kinds) > 1:
        raise InvalidParameterCombination(
            f"The parameters MetricData.member.{kinds[0]} and MetricData.member.{kinds[1]} are mutually exclusive and "
            "you have specified both."
        )
    found = Distribution()
    if "Value" in kinds:
        found.add(_number(given["Value"]))
    elif "Values" in kinds:
        _add_counted(found, given["Values"], given.get("Counts"))
    else:
        _add_set(found, given["StatisticValues"])
    return found


def _add_counted(found: Distribution, values: Sequence[float], counts: Sequence[float] | None) -> None:
    if len(values) > limits.VALUES_PER_DATUM_MAX_COUNT:
        raise InvalidParameterValue(
            f"MetricData.member.Values has at most {limits.VALUES_PER_DATUM_MAX_COUNT} members."
        )
    if counts is not None and len(counts) != len(values):
        raise InvalidParameterValue(
            "The parameters MetricData.member.Values and MetricData.member.Counts must be of the same size."
        )
    for value, count in zip(values, counts if counts is not None else [1.0] * len(values), strict=True):
        if count < 0:
            raise InvalidParameterValue("MetricData.member.Counts must not be negative.")
        if count:
            found.add(_number(value), _number(count))


def _add_set(found: Distribution, given: Mapping[str, Any]) -> None:
    missing = [name for name in ("SampleCount", "Sum", "Minimum", "Maximum") if given.get(name) is None]
    if missing:
        raise MissingParameter(f"The parameter MetricData.member.StatisticValues.{missing[0]} is required.")
    count, total, least, most = (_number(given[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum"))
    if count < 0 or least > most:
        raise InvalidParameterValue("The statistic values of a datum contradict each other.")
    if count:
        found.add_set(count, total, least, most)


def _number(value: float) -> float:
    if not math.isfinite(value) or (
        value and not -limits.VALUE_MAX_EXPONENT <= math.log2(abs(value)) <= limits.VALUE_MAX_EXPONENT
    ):
        raise InvalidParameterValue(
            "The parameter MetricData.member.Value must be a number from 2^-360 to 2^360 of either sign, or zero; "
            "NaN and infinity are not supported."
        )
    return float(value)
