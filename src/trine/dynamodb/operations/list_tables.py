"""ListTables: names of tables, a hundred at a time."""

from __future__ import annotations

from bisect import bisect_right

import orjson

from trine.dynamodb.limits import TABLES_PER_LIST_MAX_COUNT
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_everything
from trine.dynamodb.shape import Document, DocumentCodec


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """List the names after `ExclusiveStartTableName`."""
    names = rooms.tables.names()
    begin = bisect_right(names, document["ExclusiveStartTableName"]) if "ExclusiveStartTableName" in document else 0
    limit = document.get("Limit", TABLES_PER_LIST_MAX_COUNT)
    answer: dict[str, object] = {"TableNames": names[begin : begin + limit]}
    if begin + limit < len(names):
        answer["LastEvaluatedTableName"] = names[begin + limit - 1]
    return orjson.dumps(answer)


LIST_TABLES = Operation("ListTables", DocumentCodec("ListTables"), on_everything("ListTables"), no_plan, execute)
