"""ListStreams: the streams of all tables, or of one."""

from __future__ import annotations

import orjson

from trine.dynamodb.limits import STREAMS_PER_LIST_MAX_COUNT
from trine.dynamodb.members import streams_model
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_everything
from trine.dynamodb.operations.streams import checked_limit, readable, stream_parts
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """List the streams after `ExclusiveStartStreamArn`, in order of their ARNs."""
    limit = checked_limit(document.get("Limit"), STREAMS_PER_LIST_MAX_COUNT)
    wanted = table_name_of(document["TableName"]) if "TableName" in document else None
    start = document.get("ExclusiveStartStreamArn", "")
    if start:
        stream_parts(start)
    found = sorted(
        (stream.arn, table.name, stream.label)
        for table in rooms.tables
        if wanted is None or table.name == wanted
        for stream in readable(rooms, table)
    )
    page = [entry for entry in found if entry[0] > start]
    answer: dict[str, object] = {
        "Streams": [{"StreamArn": arn, "TableName": name, "StreamLabel": label} for arn, name, label in page[:limit]]
    }
    if len(page) > limit:
        answer["LastEvaluatedStreamArn"] = page[limit - 1][0]
    return orjson.dumps(answer)


LIST_STREAMS = Operation(
    "ListStreams", DocumentCodec("ListStreams", streams_model), on_everything("ListStreams"), no_plan, execute
)
