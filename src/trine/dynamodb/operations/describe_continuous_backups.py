"""DescribeContinuousBackups: point-in-time recovery is not built, so it is off for every table."""

from __future__ import annotations

import orjson

from trine.dynamodb.errors import TableNotFoundException
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Say that there are none."""
    name = table_name_of(document["TableName"])
    if rooms.tables.find(name) is None:
        raise TableNotFoundException(f"Table not found: {name}")
    description = {
        "ContinuousBackupsStatus": "DISABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }
    return orjson.dumps({"ContinuousBackupsDescription": description})


DESCRIBE_CONTINUOUS_BACKUPS = Operation(
    "DescribeContinuousBackups",
    DocumentCodec("DescribeContinuousBackups"),
    on_table("DescribeContinuousBackups"),
    no_plan,
    execute,
)
