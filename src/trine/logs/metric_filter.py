"""Metric filters: log events that fit a pattern become values of a metric. Pure, but for the minute it remembers.

Enters a filter as PutMetricFilter describes it and, one after another, events of its group; leaves what is to be
published. Sources: API reference, MetricTransformation; user guide, "Creating metrics from log events using filters" (a
default value is reported for a minute "if logs are ingested … but no matches are found").
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from trine.logs.errors import InvalidParameter
from trine.logs.pattern import compile_pattern
from trine.logs.pattern_fields import field_named
from trine.logs.pattern_json import as_number, property_named

FILTERS_MAX_COUNT = 100
"""Quotas: metric filters of one log group."""
DIMENSIONS_MAX_COUNT = 3
TRANSFORMATIONS_COUNT = 1
MINUTE_MS = 60_000
_NAME = re.compile(r"[^:*$]{1,255}").fullmatch
Pick = Callable[[str], str | None]
"""A part of a message as text; None when it has none."""


class Emission(NamedTuple):
    """One value to publish."""

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: tuple[tuple[str, str], ...]


class MetricFilter:
    """One filter of one group."""

    def __init__(self, name: str, pattern: str, transformations: Sequence[Mapping[str, Any]], created_ms: int) -> None:
        """InvalidParameter when it can mean nothing."""
        if len(transformations) != TRANSFORMATIONS_COUNT:
            raise InvalidParameter("A metric filter has exactly one metric transformation.")
        given = transformations[0]
        self.name, self.pattern, self.created_ms = name, pattern, created_ms
        self.transformation = {key: value for key, value in given.items() if value not in (None, {})}
        self.metric, self.namespace = str(given["metricName"]), str(given["metricNamespace"])
        dimensions: Mapping[str, str] = given.get("dimensions") or {}
        if not _NAME(name) or not _NAME(self.metric) or not _NAME(self.namespace):
            raise InvalidParameter("Names of filters, metrics and namespaces hold no colon, asterisk or dollar sign.")
        if self.namespace.startswith("AWS/"):
            raise InvalidParameter(f"Invalid metric namespace: {self.namespace}. AWS/ is AWS's own.")
        if len(dimensions) > DIMENSIONS_MAX_COUNT:
            raise InvalidParameter(f"A metric filter has at most {DIMENSIONS_MAX_COUNT} dimensions.")
        default = given.get("defaultValue")
        if default is not None and dimensions:
            raise InvalidParameter(
                "Invalid metric transformation: dimensions and default value are mutually exclusive."
            )
        self._default = None if default is None else float(default)
        self._matches = compile_pattern(pattern)
        self._value = self._picked(str(given["metricValue"]), "metricValue")
        self._dimensions = {key: self._picked(str(value), "a dimension") for key, value in dimensions.items()}
        self._unit = str(given.get("unit") or "None")
        self._minute = -1
        """The latest minute for which something was published."""

    def _picked(self, text: str, what: str) -> Pick:
        """What `$.property` or `$field` means under this pattern; a number stands for itself."""
        if as_number(text) is not None:
            return lambda message: text
        pattern = self.pattern.strip()
        if pattern.startswith("{") and text.startswith("$"):
            return property_named(text)
        if pattern.startswith("[") and text.startswith("$"):
            found = field_named(pattern, text[1:])
            if found is not None:
                return found
        raise InvalidParameter(f"Invalid metric transformation: {what} {text!r} names nothing of the filter pattern.")

    def emissions(self, message: str, timestamp_ms: int) -> Iterator[Emission]:
        """What an event publishes."""
        minute = timestamp_ms // MINUTE_MS
        text = message.rstrip("\n")
        if self._matches(text):
            value = as_number((self._value(text) or "").strip())
            dimensions = tuple((name, pick(text)) for name, pick in self._dimensions.items())
            if value is not None and math.isfinite(value) and all(found for _, found in dimensions):
                self._minute = max(minute, self._minute)
                shown = tuple((name, found or "") for name, found in dimensions)
                yield Emission(self.namespace, self.metric, value, self._unit, shown)
        elif self._default is not None and minute > self._minute:
            self._minute = minute
            yield Emission(self.namespace, self.metric, self._default, self._unit, ())

    def document(self) -> dict[str, Any]:
        """As it is kept, and shown by DescribeMetricFilters."""
        return {
            "filterName": self.name,
            "filterPattern": self.pattern,
            "metricTransformations": [self.transformation],
            "creationTime": self.created_ms,
        }


def filter_of(document: Mapping[str, Any]) -> MetricFilter:
    """The filter that was kept as `document`. InvalidParameter."""
    return MetricFilter(
        document["filterName"],
        document["filterPattern"],
        document["metricTransformations"],
        int(document["creationTime"]),
    )
