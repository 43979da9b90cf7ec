"""Log groups, streams and metric filters of a template (`AWS::Logs::…`), made in a store.

Enters plain properties with intrinsics resolved. Raises InvalidParameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.aws.fidelity import Fidelity
from trine.logs.errors import InvalidParameter
from trine.logs.operations import retention
from trine.logs.store import LogStore

LOG_GROUP, LOG_STREAM = "AWS::Logs::LogGroup", "AWS::Logs::LogStream"
METRIC_FILTER = "AWS::Logs::MetricFilter"

FIDELITY: dict[str, dict[str, Fidelity]] = {
    LOG_GROUP: {
        "LogGroupName": Fidelity.ENFORCED,
        "RetentionInDays": Fidelity.ENFORCED,
        "Tags": Fidelity.STORED,
        "LogGroupClass": Fidelity.IGNORED,
    },
    LOG_STREAM: {"LogGroupName": Fidelity.ENFORCED, "LogStreamName": Fidelity.ENFORCED},
    METRIC_FILTER: {
        "LogGroupName": Fidelity.ENFORCED,
        "FilterName": Fidelity.ENFORCED,
        "FilterPattern": Fidelity.ENFORCED,
        "MetricTransformations": Fidelity.ENFORCED,
        "ApplyOnTransformedLogs": Fidelity.IGNORED,
    },
}


def put_group(store: LogStore, properties: Mapping[str, Any]) -> None:
    """Make or change a log group; its events stay."""
    group = store.group(str(properties["LogGroupName"]))
    days = properties.get("RetentionInDays")
    given = properties.get("Tags") or ()
    tags = {str(tag.get("Key")): str(tag.get("Value", "")) for tag in given if isinstance(tag, Mapping)}
    if not group.created_ms:
        group.create()
    group.set(retention_days=None if days is None else retention(days), tags=tags)


async def put_stream(store: LogStore, properties: Mapping[str, Any]) -> None:
    """Make a stream in a group that exists, unless it is there already."""
    name = properties.get("LogGroupName")
    if not name:
        raise InvalidParameter("LogGroupName is mandatory for a log stream")
    group = store.find(str(name))
    if properties["LogStreamName"] not in await group.streams():
        group.create_stream(str(properties["LogStreamName"]))


def put_metric_filter(store: LogStore, properties: Mapping[str, Any]) -> None:
    """Make or change a metric filter. A group that no event has made yet is made, as a function's first line would."""
    from trine.logs.metric_filter import MetricFilter

    group = store.group(str(properties.get("LogGroupName") or ""))
    if not group.created_ms:
        group.create()
    name = str(properties["FilterName"])
    known = group.metric_filters.get(name)
    transformations = [_transformation(one) for one in properties.get("MetricTransformations") or ()]
    created_ms = group.created_ms if known is None else known.created_ms
    made = MetricFilter(name, str(properties.get("FilterPattern") or ""), transformations, created_ms)
    if known is None or known.document() != made.document():
        group.set_filter(name, made)


def _transformation(given: Mapping[str, Any]) -> dict[str, Any]:
    """One of MetricTransformations in the API's members."""
    for member in ("MetricName", "MetricNamespace", "MetricValue"):
        if not given.get(member):
            raise InvalidParameter(f"{member} is mandatory for a metric transformation")
    made: dict[str, Any] = {
        "metricName": str(given["MetricName"]),
        "metricNamespace": str(given["MetricNamespace"]),
        "metricValue": str(given["MetricValue"]),
    }
    if given.get("DefaultValue") is not None:
        made["defaultValue"] = float(given["DefaultValue"])
    if given.get("Unit"):
        made["unit"] = str(given["Unit"])
    if given.get("Dimensions"):
        made["dimensions"] = {str(one["Key"]): str(one["Value"]) for one in given["Dimensions"]}
    return made
