"""DeleteTable: the table and everything in it goes; with point-in-time recovery on, a system backup of it stays."""

from __future__ import annotations

from asyncio import Future

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.description import describe
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of

# AWS tells less of a table that goes.
_TOLD = (
    "TableName",
    "TableStatus",
    "ProvisionedThroughput",
    "TableSizeBytes",
    "ItemCount",
    "TableArn",
    "TableId",
    "BillingModeSummary",
    "DeletionProtectionEnabled",
    "LatestStreamArn",
    "LatestStreamLabel",
)


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Drop the table; its items are swept behind the answer."""
    table = rooms.tables.described(table_name_of(document["TableName"]))
    if table.definition.deletion_protection:
        raise ValidationException(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )
    description = describe(rooms, table, "DELETING")
    kept = {name: description[name] for name in _TOLD if name in description}
    answer = orjson.dumps({"TableDescription": kept})
    if table.history is None:
        return after(rooms.tables.drop(table), lambda _: answer)
    totals = (description["ItemCount"], description["TableSizeBytes"])
    return after(rooms.backups.drop(table, rooms.ids.random_bytes(4).hex(), totals), lambda _: answer)


DELETE_TABLE = Operation("DeleteTable", DocumentCodec("DeleteTable"), on_table("DeleteTable"), no_plan, execute)
