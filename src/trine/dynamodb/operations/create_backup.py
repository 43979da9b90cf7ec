"""CreateBackup: a table as it is at this moment, kept until it is deleted."""

from __future__ import annotations

from asyncio import Future

import orjson

from trine.dynamodb.errors import TableNotFoundException
from trine.dynamodb.operations.backup_answers import details
from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.description import counted
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Begin the backup; it is AVAILABLE when its items are copied, behind the answer."""
    name = table_name_of(document["TableName"])
    table = rooms.tables.find(name)
    if table is None:
        raise TableNotFoundException(f"Table not found: {name}")
    totals = (counted(rooms, table.count_key), counted(rooms, table.size_key))
    begun = rooms.backups.create(table, document["BackupName"], rooms.ids.random_bytes(4).hex(), totals)
    return after(begun, lambda backup: orjson.dumps({"BackupDetails": details(backup)}))


CREATE_BACKUP = Operation("CreateBackup", DocumentCodec("CreateBackup"), on_table("CreateBackup"), no_plan, execute)
