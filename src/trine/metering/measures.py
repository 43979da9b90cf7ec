"""What happened, as numbers under names: AWS's own metrics of the three services, from closed traces.

Enters values by (namespace, name, dimensions); leaves totals since the start (for Prometheus) and whatever came in
since the last turn (for CloudWatch). The number of different series is bounded; what comes beyond is dropped and
counted. Names and dimensions: "Amazon API Gateway dimensions and metrics", "Types of metrics for Lambda functions",
"DynamoDB metrics and dimensions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from trine.metering.distribution import Distribution
from trine.metering.limits import SERIES_MAX_COUNT
from trine.metering.usage import RouteName

GATEWAY, LAMBDA, DYNAMODB = "AWS/ApiGateway", "AWS/Lambda", "AWS/DynamoDB"
MetricDimensions = tuple[tuple[str, str], ...]
"""(name, value) pairs in AWS's order."""


class MetricName(NamedTuple):
    """One series."""

    namespace: str
    name: str
    dimensions: MetricDimensions


UNITS = {
    "Latency": "Milliseconds",
    "IntegrationLatency": "Milliseconds",
    "Duration": "Milliseconds",
    "SuccessfulRequestLatency": "Milliseconds",
}
"""Of measures that are no counts."""


class Measures:
    """Every series of one stack."""

    def __init__(self) -> None:
        self.totals: dict[MetricName, Distribution] = {}
        """Since the start, up to the last turn; the front door's by method or route only."""
        self._fresh: dict[MetricName, Distribution] = {}
        self.dropped = 0
        """Values of series that are not kept, because there are too many."""

    def add(self, name: MetricName, value: float, count: float = 1.0) -> None:
        """Take in one value, `count` times."""
        if (fresh := self._of(name)) is not None:
            fresh.add(value, count)

    def add_sorted(self, name: MetricName, values: Sequence[float], unit: float = 1.0) -> None:
        """Take in many values in ascending order, each times `unit`."""
        if values and (fresh := self._of(name)) is not None:
            fresh.add_sorted(values, unit)

    def _of(self, name: MetricName) -> Distribution | None:
        fresh = self._fresh.get(name)
        if fresh is None:
            if name not in self.totals and len(self.totals) + len(self._fresh) >= SERIES_MAX_COUNT:
                self.dropped += 1
                return None
            fresh = self._fresh[name] = Distribution()
        return fresh

    def turn(self) -> Iterator[tuple[MetricName, Distribution]]:
        """What came in since the last turn; the front door's also by stage and by API."""
        fresh, self._fresh = self._fresh, {}
        coarser: dict[MetricName, Distribution] = {}
        for name, values in fresh.items():
            total = self.totals.get(name)
            if total is None:
                total = self.totals[name] = Distribution()
            total.merge(values)
            for where in _coarser(name):
                coarser.setdefault(MetricName(name.namespace, name.name, where), Distribution()).merge(values)
        return chain(fresh.items(), coarser.items())


def _coarser(name: MetricName) -> list[MetricDimensions]:
    """Under which dimensions API Gateway publishes a measure besides those of the method or route."""
    if name.namespace != GATEWAY:
        return []
    kept = dict(name.dimensions)
    whole = ("ApiName", kept["ApiName"]) if "ApiName" in kept else ("ApiId", kept["ApiId"])
    return [(whole,), (whole, ("Stage", kept["Stage"]))]


def concurrency_measures(running: Mapping[str, int]) -> Iterator[tuple[MetricName, float]]:
    """How many invocations of each function run, and of all together."""
    for function, count in running.items():
        yield MetricName(LAMBDA, "ConcurrentExecutions", (("FunctionName", function),)), float(count)
    if running:
        yield MetricName(LAMBDA, "ConcurrentExecutions", ()), float(sum(running.values()))


def request_dimensions(route: RouteName) -> MetricDimensions:
    """The dimensions of one method of a REST API, or of one route of an HTTP API."""
    if route.rest:
        return ("ApiName", route.api_name), ("Method", route.method), ("Resource", route.path), ("Stage", route.stage)
    key = route.path if route.path == "$default" else f"{route.method} {route.path}"
    return ("ApiId", route.api_id), ("Route", key), ("Stage", route.stage)
