"""DescribeContinuousBackups: whether point-in-time recovery is on, and which moments it reaches."""

from __future__ import annotations

import orjson

from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.operations.recovery import backed_up, continuous_backups
from trine.dynamodb.shape import Document, DocumentCodec


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Describe them."""
    table = backed_up(rooms, document["TableName"])
    return orjson.dumps({"ContinuousBackupsDescription": continuous_backups(rooms, table)})


DESCRIBE_CONTINUOUS_BACKUPS = Operation(
    "DescribeContinuousBackups",
    DocumentCodec("DescribeContinuousBackups"),
    on_table("DescribeContinuousBackups"),
    no_plan,
    execute,
)
