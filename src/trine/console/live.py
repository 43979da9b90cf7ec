"""`/_trine/live`: how the stack is doing now, for `trine top` and the console's map.

Enters a running stack; leaves counters since its start (a reader makes rates of two of them), times of the last two
minutes, and what there is: environments by state, bytes stored, units provisioned. Plain JSON values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from trine.cloudwatch.metric import MetricKey
from trine.metering.distribution import Distribution
from trine.metering.measures import DYNAMODB, GATEWAY, LAMBDA, MetricDimensions, MetricName
from trine.stack.stack import Stack

RECENT_SECONDS = 120
Totals = Mapping[MetricName, Distribution]


def live(stack: Stack) -> dict[str, Any]:
    """The document."""
    stack.wings.cloudwatch.measured()
    view = _View(stack)
    return {
        "at": view.now,
        "routes": view.routes(),
        "functions": view.functions(),
        "tables": view.tables(),
        "alarms": view.alarms(),
    }


class _View:
    """One look at everything."""

    def __init__(self, stack: Stack) -> None:
        self._wings = stack.wings
        self._totals: Totals = self._wings.observing.collector.measures.totals
        self.now = self._wings.clock.now()

    def routes(self) -> list[dict[str, Any]]:
        """Every route that was asked for."""
        names = {api.id: api.name or api.id for api in self._wings.gateway.apis}
        found = []
        for where in _places(self._totals, GATEWAY, "Count"):
            kept = dict(where)
            rest = "ApiName" in kept
            client, server = ("4XXError", "5XXError") if rest else ("4xx", "5xx")
            found.append(
                {
                    "api": kept["ApiName"] if rest else names.get(kept["ApiId"], kept["ApiId"]),
                    "stage": kept["Stage"],
                    "route": f"{kept['Method']} {kept['Resource']}" if rest else kept["Route"],
                    "count": self._sum(GATEWAY, "Count", where),
                    "clientErrors": self._sum(GATEWAY, client, where),
                    "serverErrors": self._sum(GATEWAY, server, where),
                    **self._recent(GATEWAY, "Latency", where),
                }
            )
        return found

    def functions(self) -> list[dict[str, Any]]:
        """Every function, with its environments by state."""
        service, found = self._wings.functions, []
        for entry in service.registry:
            name = entry.function.name
            where = (("FunctionName", name),)
            found.append(
                {
                    "function": name,
                    "invocations": self._sum(LAMBDA, "Invocations", where),
                    "errors": self._sum(LAMBDA, "Errors", where),
                    "throttles": self._sum(LAMBDA, "Throttles", where),
                    "running": service.concurrency.running(name),
                    "environments": dict(
                        Counter(each["state"] for each in service.registry.describe_environments(name))
                    ),
                    **self._recent(LAMBDA, "Duration", where),
                }
            )
        return found

    def tables(self) -> list[dict[str, Any]]:
        """Every table and index."""
        found = []
        for level in self._wings.dynamodb.regions.levels():
            table, index = level.name
            where = (("GlobalSecondaryIndexName", index), ("TableName", table)) if index else (("TableName", table),)
            found.append(
                {
                    "table": table,
                    "index": index or None,
                    "readUnits": self._sum(DYNAMODB, "ConsumedReadCapacityUnits", where),
                    "writeUnits": self._sum(DYNAMODB, "ConsumedWriteCapacityUnits", where),
                    "throttled": 0.0 if index else _throttled(self._totals, table),
                    "storedBytes": level.stored_bytes,
                    "provisionedReadUnits": level.read_units or None,
                    "provisionedWriteUnits": level.write_units or None,
                }
            )
        return found

    def alarms(self) -> list[dict[str, str]]:
        """Every alarm and its state."""
        return [{"name": kept.alarm.name, "state": kept.state} for kept in self._wings.cloudwatch.alarms.all()]

    def _sum(self, namespace: str, name: str, where: MetricDimensions) -> float:
        found = self._totals.get(MetricName(namespace, name, where))
        return found.total if found is not None else 0.0

    def _recent(self, namespace: str, name: str, where: MetricDimensions) -> dict[str, float | None]:
        values = Distribution()
        key = MetricKey(namespace, name, tuple(sorted(where)))
        for _, part in self._wings.cloudwatch.store.periods(key, self.now - RECENT_SECONDS, self.now + 60, 60):
            values.merge(part)
        if not values.count:
            return {"p50Millis": None, "p99Millis": None}
        return {"p50Millis": values.percentile(50), "p99Millis": values.percentile(99)}


def _places(totals: Totals, namespace: str, name: str) -> Iterable[MetricDimensions]:
    return [one.dimensions for one in totals if (one.namespace, one.name) == (namespace, name)]


def _throttled(totals: Totals, table: str) -> float:
    return sum(
        values.total
        for name, values in totals.items()
        if (name.namespace, name.name) == (DYNAMODB, "ThrottledRequests") and ("TableName", table) in name.dimensions
    )
