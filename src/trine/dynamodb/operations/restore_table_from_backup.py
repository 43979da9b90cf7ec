"""RestoreTableFromBackup: a new table with a backup's items; CREATING until all of them are there."""

from __future__ import annotations

from asyncio import Future

from trine.dynamodb.operations.backup_answers import BackupInUseException, backup_of, on_backup
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan
from trine.dynamodb.operations.restoring import restored_table
from trine.dynamodb.shape import Document, DocumentCodec


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Make the table of the backup."""
    backup = backup_of(rooms, document["BackupArn"])
    if backup["Status"] != "AVAILABLE":
        raise BackupInUseException(f"Backup is being used: {backup['Arn']}")
    source = backup["Source"]
    restore = {
        "Number": backup["Number"],
        "BackupArn": backup["Arn"],
        "TableArn": rooms.place.table(source["TableName"]),
        "At": rooms.clock.now(),
    }
    return restored_table(rooms, source["Definition"], document, restore)


RESTORE_TABLE_FROM_BACKUP = Operation(
    "RestoreTableFromBackup",
    DocumentCodec("RestoreTableFromBackup"),
    on_backup("RestoreTableFromBackup"),
    no_plan,
    execute,
)
