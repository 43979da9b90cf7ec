"""RestoreTableToPointInTime: a new table with the items that another one had at a moment of its history."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence

from trine.aws.errors import AwsError
from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.operation import Operation, Permission, Rooms, no_plan
from trine.dynamodb.operations.recovery import recoverable, window
from trine.dynamodb.operations.restoring import restored_table
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.table import Table


class InvalidRestoreTimeException(AwsError):
    """The moment lies outside of what can be restored."""

    code = "InvalidRestoreTimeException"
    status = 400


def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
    """RestoreTableToPointInTime on the source table."""
    return (("dynamodb:RestoreTableToPointInTime", rooms.table_arn(_source(document)), None),)


def _source(document: Document) -> str:
    given = [document[member] for member in ("SourceTableArn", "SourceTableName") if member in document]
    if len(given) != 1:
        raise ValidationException("Exactly one of SourceTableArn and SourceTableName must be specified")
    return str(given[0])


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Make the table of the moment."""
    source = recoverable(rooms, _source(document))
    moment = _moment(rooms, document, source)
    restore = {"Number": source.number, "TableArn": source.arn, "At": moment, "Moment": moment}
    return restored_table(rooms, source.definition.document(), document, restore)


def _moment(rooms: Rooms, document: Document, source: Table) -> float:
    latest_wanted = document.get("UseLatestRestorableTime", False)
    if latest_wanted == ("RestoreDateTime" in document):
        raise ValidationException(
            "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both"
        )
    earliest, latest = window(rooms, source)
    if latest_wanted:
        return latest
    moment = float(document["RestoreDateTime"])
    # The window is told in milliseconds, rounded: what it names can be restored.
    if not int(earliest) <= moment <= latest + 0.001:
        raise InvalidRestoreTimeException(
            f"The specified RestoreDateTime is out of range: from {earliest:.3f} to {latest:.3f}"
        )
    return max(moment, earliest)


RESTORE_TABLE_TO_POINT_IN_TIME = Operation(
    "RestoreTableToPointInTime", DocumentCodec("RestoreTableToPointInTime"), permissions, no_plan, execute
)
