"""What happened, as numbers under names: AWS's own metrics of the three services, from closed traces.

Enters values by (namespace, name, dimensions); leaves totals since the start (for Prometheus) and whatever came in
since the last turn (for CloudWatch). The number of different series is bounded; what comes beyond is dropped and
counted. Names and dimensions: "Amazon API Gateway dimensions and metrics", "Types of metrics for Lambda functions",
"DynamoDB metrics and dimensions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        """Since the start."""
        self._fresh: dict[MetricName, Distribution] = {}
        self.dropped = 0
        """Values of series that are not kept, because there are too many."""

    def add(self, name: MetricName, value: float, count: float = 1.0) -> None:
        """Take in one value, `count` times."""
        if (pair := self._pair(name)) is not None:
            pair[0].add(value, count)
            pair[1].add(value, count)

    def add_sorted(self, name: MetricName, values: list[float]) -> None:
        """Take in many values in ascending order."""
        if (pair := self._pair(name)) is not None:
            pair[0].add_sorted(values)
            pair[1].add_sorted(values)

    def _pair(self, name: MetricName) -> tuple[Distribution, Distribution] | None:
        total = self.totals.get(name)
        if total is None:
            if len(self.totals) >= SERIES_MAX_COUNT:
                self.dropped += 1
                return None
            total = self.totals[name] = Distribution()
        fresh = self._fresh.get(name)
        if fresh is None:
            fresh = self._fresh[name] = Distribution()
        return total, fresh

    def turn(self) -> Iterator[tuple[MetricName, Distribution]]:
        """What came in since the last turn."""
        fresh, self._fresh = self._fresh, {}
        yield from fresh.items()


def concurrency_measures(running: Mapping[str, int]) -> Iterator[tuple[MetricName, float]]:
    """How many invocations of each function run, and of all together."""
    for function, count in running.items():
        yield MetricName(LAMBDA, "ConcurrentExecutions", (("FunctionName", function),)), float(count)
    if running:
        yield MetricName(LAMBDA, "ConcurrentExecutions", ()), float(sum(running.values()))


def request_dimensions(route: RouteName) -> list[MetricDimensions]:
    """The dimensions under which API Gateway publishes a request: by API, by stage, by method or route."""
    stage = ("Stage", route.stage)
    if route.rest:
        name = ("ApiName", route.api_name)
        return [(name,), (name, stage), (name, ("Method", route.method), ("Resource", route.path), stage)]
    key = route.path if route.path == "$default" else f"{route.method} {route.path}"
    api = ("ApiId", route.api_id)
    return [(api,), (api, stage), (api, ("Route", key), stage)]
