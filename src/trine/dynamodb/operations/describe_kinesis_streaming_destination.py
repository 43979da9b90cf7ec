"""DescribeKinesisStreamingDestination: none, for nobody can enable one here."""

from __future__ import annotations

import orjson

from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """The table's destinations."""
    table = rooms.tables.described(table_name_of(document["TableName"]))
    return orjson.dumps({"TableName": table.name, "KinesisDataStreamDestinations": []})


DESCRIBE_KINESIS_STREAMING_DESTINATION = Operation(
    "DescribeKinesisStreamingDestination",
    DocumentCodec("DescribeKinesisStreamingDestination"),
    on_table("DescribeKinesisStreamingDestination"),
    no_plan,
    execute,
)
