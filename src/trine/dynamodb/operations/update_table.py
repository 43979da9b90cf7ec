"""UpdateTable: throughput, billing, protection, class, and global secondary indexes added, changed and removed."""

from __future__ import annotations

from asyncio import Future

from trine.dynamodb.operations.create_table import after, described
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Change the table and answer when that is durable."""
    table = rooms.tables.described(table_name_of(document["TableName"]))
    definition = table.definition
    if "DeletionProtectionEnabled" in document:
        definition = definition.changed(deletion_protection=document["DeletionProtectionEnabled"])
    return after(rooms.tables.change(table, definition), lambda changed: described(rooms, changed, "UPDATING"))


UPDATE_TABLE = Operation("UpdateTable", DocumentCodec("UpdateTable"), on_table("UpdateTable"), no_plan, execute)
