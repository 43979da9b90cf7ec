"""`/_trine/live`: how the stack is doing now, for `trine top` and the console's map.

Enters a running stack; leaves counters since its start (a reader makes rates of two of them), times of the last two
minutes, and what there is: environments by state, bytes stored, units provisioned. Plain JSON values.
"""

from __future__ import annotations

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
    wings = stack.wings
    wings.cloudwatch.measured()
    totals, now = wings.observing.collector.measures.totals, wings.clock.now()

    def recent(namespace: str, name: str, where: MetricDimensions) -> dict[str, float | None]:
        values = Distribution()
        key = MetricKey(namespace, name, tuple(sorted(where)))
        for _, part in wings.cloudwatch.store.periods(key, now - RECENT_SECONDS, now + 60, 60):
            values.merge(part)
        if not values.count:
            return {"p50Millis": None, "p99Millis": None}
        return {"p50Millis": values.percentile(50), "p99Millis": values.percentile(99)}

    def sum_of(namespace: str, name: str, where: MetricDimensions) -> float:
        found = totals.get(MetricName(namespace, name, where))
        return found.total if found is not None else 0.0

    names = {api.id: api.name or api.id for api in wings.gateway.apis}
    routes = []
    for where in _places(totals, GATEWAY, "Count"):
        kept = dict(where)
        rest = "ApiName" in kept
        client, server = ("4XXError", "5XXError") if rest else ("4xx", "5xx")
        routes.append(
            {
                "api": kept["ApiName"] if rest else names.get(kept["ApiId"], kept["ApiId"]),
                "stage": kept["Stage"],
                "route": f"{kept['Method']} {kept['Resource']}" if rest else kept["Route"],
                "count": sum_of(GATEWAY, "Count", where),
                "clientErrors": sum_of(GATEWAY, client, where),
                "serverErrors": sum_of(GATEWAY, server, where),
                **recent(GATEWAY, "Latency", where),
            }
        )
    functions = []
    for entry in wings.functions.registry:
        name = entry.function.name
        where = (("FunctionName", name),)
        states: dict[str, int] = {}
        for environment in wings.functions.registry.describe_environments(name):
            states[environment["state"]] = states.get(environment["state"], 0) + 1
        functions.append(
            {
                "function": name,
                "invocations": sum_of(LAMBDA, "Invocations", where),
                "errors": sum_of(LAMBDA, "Errors", where),
                "throttles": sum_of(LAMBDA, "Throttles", where),
                "running": wings.functions.concurrency.running(name),
                "environments": states,
                **recent(LAMBDA, "Duration", where),
            }
        )
    tables = []
    for table, index, stored_bytes, read_units, write_units, _ in wings.dynamodb.regions.levels():
        where = (("GlobalSecondaryIndexName", index), ("TableName", table)) if index else (("TableName", table),)
        tables.append(
            {
                "table": table,
                "index": index or None,
                "readUnits": sum_of(DYNAMODB, "ConsumedReadCapacityUnits", where),
                "writeUnits": sum_of(DYNAMODB, "ConsumedWriteCapacityUnits", where),
                "throttled": 0.0 if index else _throttled(totals, table),
                "storedBytes": stored_bytes,
                "provisionedReadUnits": read_units or None,
                "provisionedWriteUnits": write_units or None,
            }
        )
    alarms = [{"name": kept.alarm.name, "state": kept.state} for kept in wings.cloudwatch.alarms.all()]
    return {"at": now, "routes": routes, "functions": functions, "tables": tables, "alarms": alarms}


def _places(totals: Totals, namespace: str, name: str) -> Iterable[MetricDimensions]:
    return [one.dimensions for one in totals if (one.namespace, one.name) == (namespace, name)]


def _throttled(totals: Totals, table: str) -> float:
    return sum(
        values.total
        for name, values in totals.items()
        if (name.namespace, name.name) == (DYNAMODB, "ThrottledRequests") and ("TableName", table) in name.dimensions
    )
