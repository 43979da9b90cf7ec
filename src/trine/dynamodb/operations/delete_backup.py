"""DeleteBackup: a backup goes, unless it is being made or restored from."""

from __future__ import annotations

import asyncio
from asyncio import Future

import orjson

from trine.dynamodb.operations.backup_answers import BackupInUseException, backup_of, description, on_backup
from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan
from trine.dynamodb.shape import Document, DocumentCodec


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Delete it and answer when that is durable."""
    backup = backup_of(rooms, document["BackupArn"])
    restoring = any(
        (table.record.get("Restore") or {}).get("InProgress") and table.record["Restore"]["Number"] == backup["Number"]
        for table in rooms.tables
    )
    if backup["Status"] == "CREATING" or restoring:
        raise BackupInUseException(f"Backup is being used: {backup['Arn']}")
    answer = orjson.dumps({"BackupDescription": description(rooms, backup, "DELETED")})
    return after(asyncio.ensure_future(rooms.backups.delete(backup)), lambda _: answer)


DELETE_BACKUP = Operation("DeleteBackup", DocumentCodec("DeleteBackup"), on_backup("DeleteBackup"), no_plan, execute)
