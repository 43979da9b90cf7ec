"""ListBackups: backups of all tables or of one, from a time range."""

from __future__ import annotations

import orjson

from trine.dynamodb.operations.backup_answers import summary
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_everything
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of

BACKUPS_PER_LIST_MAX_COUNT = 100


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """List those after `ExclusiveStartBackupArn`, in order of their ARNs."""
    kind = document.get("BackupType", "USER")
    limit = document.get("Limit", BACKUPS_PER_LIST_MAX_COUNT)
    wanted = table_name_of(document["TableName"]) if "TableName" in document else None
    start = document.get("ExclusiveStartBackupArn", "")
    lower, upper = document.get("TimeRangeLowerBound", 0), document.get("TimeRangeUpperBound", float("inf"))
    found = [
        backup
        for backup in rooms.backups.all()
        if backup["Arn"] > start
        and lower <= backup["CreatedAt"] < upper
        and (wanted is None or backup["Source"]["TableName"] == wanted)
        and kind in ("ALL", backup.get("Type", "USER"))
    ]
    answer: dict[str, object] = {"BackupSummaries": [summary(rooms, backup) for backup in found[:limit]]}
    if len(found) > limit:
        answer["LastEvaluatedBackupArn"] = found[limit - 1]["Arn"]
    return orjson.dumps(answer)


LIST_BACKUPS = Operation("ListBackups", DocumentCodec("ListBackups"), on_everything("ListBackups"), no_plan, execute)
