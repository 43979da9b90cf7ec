"""DeleteTable: the table and everything in it goes."""

from __future__ import annotations

from asyncio import Future

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.create_table import after, described
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Drop the table; its items are swept behind the answer."""
    table = rooms.tables.described(table_name_of(document["TableName"]))
    if table.definition.deletion_protection:
        raise ValidationException(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )
    answer = described(rooms, table, "DELETING")
    return after(rooms.tables.drop(table), lambda _: answer)


DELETE_TABLE = Operation("DeleteTable", DocumentCodec("DeleteTable"), on_table("DeleteTable"), no_plan, execute)
