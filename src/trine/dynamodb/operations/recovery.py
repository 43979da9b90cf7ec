"""Point-in-time recovery of a table: whether it is on, how far back it reaches, and AWS's description of it.

AWS's latest restorable moment trails by about five minutes; here it is now.
"""

from __future__ import annotations

from typing import Any

from trine.aws.errors import AwsError
from trine.dynamodb.errors import TableNotFoundException
from trine.dynamodb.operations.operation import Rooms
from trine.dynamodb.shape import table_name_of
from trine.dynamodb.storage.table import Table


class PointInTimeRecoveryUnavailableException(AwsError):
    """Point-in-time recovery is off for the table."""

    code = "PointInTimeRecoveryUnavailableException"
    status = 400


def backed_up(rooms: Rooms, name_or_arn: str) -> Table:
    """The table. TableNotFoundException, as everything about backups says it."""
    name = table_name_of(name_or_arn)
    table = rooms.tables.find(name)
    if table is None:
        raise TableNotFoundException(f"Table not found: {name}")
    return table


def recoverable(rooms: Rooms, name_or_arn: str) -> Table:
    """The table, with a history. PointInTimeRecoveryUnavailableException where there is none."""
    table = backed_up(rooms, name_or_arn)
    if table.history is None:
        raise PointInTimeRecoveryUnavailableException(f"Point in time recovery is not enabled for table '{table.name}'")
    return table


def window(rooms: Rooms, table: Table) -> tuple[float, float]:
    """The earliest and the latest moment that can be restored, in seconds."""
    assert table.history is not None
    now = rooms.clock.now()
    return table.history.earliest(now), now


def continuous_backups(rooms: Rooms, table: Table) -> dict[str, Any]:
    """ContinuousBackupsDescription. "Continuous backups are ENABLED on all tables at table creation", says AWS."""
    recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
    if table.history is not None:
        earliest, latest = window(rooms, table)
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": table.history.period_days,
            "EarliestRestorableDateTime": round(earliest, 3),
            "LatestRestorableDateTime": round(latest, 3),
        }
    return {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery}
