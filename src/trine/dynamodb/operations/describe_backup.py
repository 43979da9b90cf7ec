"""DescribeBackup: a backup, and the table as it was."""

from __future__ import annotations

import orjson

from trine.dynamodb.operations.backup_answers import backup_of, description, on_backup
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan
from trine.dynamodb.shape import Document, DocumentCodec


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Describe it."""
    return orjson.dumps({"BackupDescription": description(rooms, backup_of(rooms, document["BackupArn"]))})


DESCRIBE_BACKUP = Operation(
    "DescribeBackup", DocumentCodec("DescribeBackup"), on_backup("DescribeBackup"), no_plan, execute
)
