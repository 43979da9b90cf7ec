"""Embedded metric format: log lines that hold metrics. Pure.

Enters one line of a function's output; leaves data of metrics, nothing when the line is none of that kind, and the
problem when it is one and wrong. Source: "Specification: Embedded metric format".
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import orjson

from trine.aws.errors import AwsError
from trine.cloudwatch import limits
from trine.cloudwatch.metric import Datum, datum_of


class Malformed(Exception):
    """A line in the format that cannot be understood; the message says why."""


def data_of(line: str, now: float) -> list[Datum]:
    """The data in one line. Malformed; whatever is no EMF at all gives nothing."""
    if '"_aws"' not in line or len(line) > limits.EMF_LINE_MAX_BYTES:
        return []
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return []
    head = document.get("_aws") if isinstance(document, dict) else None
    if not isinstance(head, dict) or not isinstance(head.get("CloudWatchMetrics"), list):
        return []
    at = head.get("Timestamp")
    if isinstance(at, bool) or not isinstance(at, int | float):
        raise Malformed("_aws.Timestamp must be milliseconds since the epoch")
    found: list[Datum] = []
    for directive in head["CloudWatchMetrics"]:
        found += _of_directive(directive, document, at / 1000, now)
    return found


def _of_directive(directive: Any, document: Mapping[str, Any], at: float, now: float) -> list[Datum]:
    if not isinstance(directive, dict) or not isinstance(directive.get("Namespace"), str):
        raise Malformed("each of CloudWatchMetrics must have a Namespace")
    sets, metrics = directive.get("Dimensions") or [[]], directive.get("Metrics")
    if not isinstance(metrics, list) or not isinstance(sets, list):
        raise Malformed("Dimensions and Metrics must be lists")
    found = []
    for metric in islice(metrics, limits.EMF_METRICS_MAX_COUNT):
        if not isinstance(metric, dict) or not isinstance(metric.get("Name"), str):
            raise Malformed("each of Metrics must have a Name")
        values = document.get(metric["Name"])
        if values is None:
            continue  # a metric that this line has no value for
        for names in sets:
            found.append(_datum(directive["Namespace"], metric, values, names, document, at, now))
    return found


def _datum(
    namespace: str,
    metric: Mapping[str, Any],
    values: Any,
    names: Any,
    document: Mapping[str, Any],
    at: float,
    now: float,
) -> Datum:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Malformed("each of Dimensions must be a list of names")
    if not all(isinstance(document.get(name), str) for name in names):
        raise Malformed("each dimension must name a text of the line")
    many = values if isinstance(values, list) else [values]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in many):
        raise Malformed(f"the value of {metric['Name'][:60]!r} must be a number, or numbers")
    given = {
        "MetricName": metric["Name"],
        "Unit": metric.get("Unit", "None"),
        "StorageResolution": metric.get("StorageResolution", 60),
        "Timestamp": at,
        "Values": many,
        "Dimensions": [{"Name": name, "Value": document[name]} for name in names],
    }
    try:
        return datum_of(namespace, given, now)
    except AwsError as error:
        raise Malformed(error.message) from None
