"""DescribeTimeToLive: by which attribute a table's items expire."""

from __future__ import annotations

import orjson

from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Describe the table's time to live."""
    table = rooms.tables.described(table_name_of(document["TableName"]))
    description = {"TimeToLiveStatus": "DISABLED"}
    if table.expiry is not None:
        description = {"TimeToLiveStatus": "ENABLED", "AttributeName": table.expiry.attribute}
    return orjson.dumps({"TimeToLiveDescription": description})


DESCRIBE_TIME_TO_LIVE = Operation(
    "DescribeTimeToLive", DocumentCodec("DescribeTimeToLive"), on_table("DescribeTimeToLive"), no_plan, execute
)
