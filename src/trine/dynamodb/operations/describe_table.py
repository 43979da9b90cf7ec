"""DescribeTable: what a table is, and how much is in it."""

from __future__ import annotations

import orjson

from trine.dynamodb.operations.description import describe
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Describe the table."""
    table = rooms.tables.described(table_name_of(document["TableName"]))
    return orjson.dumps({"Table": describe(rooms, table)})


DESCRIBE_TABLE = Operation("DescribeTable", DocumentCodec("DescribeTable"), on_table("DescribeTable"), no_plan, execute)
