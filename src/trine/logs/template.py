"""`AWS::Logs::LogGroup` and `AWS::Logs::LogStream` of a template, made in a store.

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

FIDELITY: dict[str, dict[str, Fidelity]] = {
    LOG_GROUP: {
        "LogGroupName": Fidelity.ENFORCED,
        "RetentionInDays": Fidelity.ENFORCED,
        "Tags": Fidelity.STORED,
        "LogGroupClass": Fidelity.IGNORED,
    },
    LOG_STREAM: {"LogGroupName": Fidelity.ENFORCED, "LogStreamName": Fidelity.ENFORCED},
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
