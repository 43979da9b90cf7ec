"""A table's stream switched on and off: what that changes in its definition and record.

Each time it is switched on a new stream begins, with a label made of the time; the old ones stay readable until their
records expire. Sentences are AWS's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.shape import Document
from trine.dynamodb.storage.table import Table

_INVALID = "One or more parameter values were invalid: "


def new_stream(number: int, view_type: str, now: float) -> dict[str, Any]:
    """The record of a stream that begins now."""
    return {"Number": number, "Label": label_of(now), "ViewType": view_type, "CreatedAt": now}


def label_of(created_at: float) -> str:
    """The label of a stream that began then."""
    return datetime.fromtimestamp(created_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


def streams_after(
    table: Table, definition: TableDefinition, wish: Document, now: float
) -> tuple[TableDefinition, dict[str, Any]]:
    """The definition and the record's members after `StreamSpecification` was given to UpdateTable."""
    streams = list(table.record.get("Streams", ()))
    running = table.definition.stream_view_type is not None
    view_type = wish.get("StreamViewType")
    if not wish["StreamEnabled"]:
        if view_type is not None:
            raise ValidationException(
                f"{_INVALID}If stream is being disabled, then UpdateViewType must not be specified"
            )
        if not running:
            raise ValidationException(f"Table has no stream to disable: TableName: {table.name}")
        streams[-1] = {**streams[-1], "DisabledAt": now}
        return definition.changed(stream_view_type=None), {"Streams": streams}
    if running:
        raise ValidationException(f"Table already has an enabled stream: TableName: {table.name}")
    if view_type is None:
        raise ValidationException(f"{_INVALID}If stream is being enabled then UpdateViewType is required")
    # Two streams begun in one millisecond would share a label.
    if streams and streams[-1]["CreatedAt"] + 0.001 > now:
        now = streams[-1]["CreatedAt"] + 0.001
    streams.append(new_stream(len(streams) + 1, view_type, now))
    return definition.changed(stream_view_type=view_type), {"Streams": streams}
