"""UpdateContinuousBackups: point-in-time recovery switched on, off, or to another period.

Switching it off forgets the history: switched on again, it reaches back to that moment only, as on AWS.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from typing import Any

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import RECOVERY_PERIOD_MAX_DAYS
from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.operations.recovery import backed_up, continuous_backups
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.table import Table


def recovery_record(table: Table | None, specification: Document, now: float) -> dict[str, Any] | None:
    """What the table's record keeps of `PointInTimeRecoverySpecification`; None when it is off. ValidationException."""
    if not specification["PointInTimeRecoveryEnabled"]:
        if "RecoveryPeriodInDays" in specification:
            raise ValidationException(
                "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."
            )
        return None
    running = table.history if table is not None else None
    days = specification.get("RecoveryPeriodInDays", running.period_days if running else RECOVERY_PERIOD_MAX_DAYS)
    return {"Since": running.since if running else now, "PeriodDays": days}


async def with_recovery(rooms: Rooms, table: Table, specification: Document) -> Table:
    """The table with its recovery changed as `specification` asks."""
    record = recovery_record(table, specification, rooms.clock.now())
    if record == table.record.get("Recovery"):
        return table
    running = table.history
    changed = await rooms.tables.change(table, table.definition, Recovery=record)
    if record is None and running is not None:
        await rooms.store.delete_range(running.prefix, running.stop)
    return changed


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Change it and answer when that is durable."""
    table = backed_up(rooms, document["TableName"])
    changed = asyncio.ensure_future(with_recovery(rooms, table, document["PointInTimeRecoverySpecification"]))

    def answer(table: Table) -> bytes:
        return orjson.dumps({"ContinuousBackupsDescription": continuous_backups(rooms, table)})

    return after(changed, answer)


UPDATE_CONTINUOUS_BACKUPS = Operation(
    "UpdateContinuousBackups",
    DocumentCodec("UpdateContinuousBackups"),
    on_table("UpdateContinuousBackups"),
    no_plan,
    execute,
)
