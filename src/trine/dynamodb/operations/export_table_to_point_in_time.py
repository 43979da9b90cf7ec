"""ExportTableToPointInTime: a table's items of a moment, or what changed between two, to files in AWS's format."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence
from typing import Any

import orjson

from trine.aws.errors import AwsError
from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Operation, Permission, Rooms
from trine.dynamodb.operations.recovery import recoverable, window
from trine.dynamodb.operations.transfers import ExportConflictException, described
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.transfer.exports import Export

INCREMENT_MIN_SECONDS = 15 * 60
INCREMENT_MAX_SECONDS = 24 * 3600
"""The window of an incremental export ("DynamoDB data export to Amazon S3: how it works")."""


class InvalidExportTimeException(AwsError):
    """The moment, or the window, lies outside of what can be exported."""

    code = "InvalidExportTimeException"
    status = 400


def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
    """ExportTableToPointInTime on the table. Nobody is asked for the bucket: it is a folder of this machine."""
    return (("dynamodb:ExportTableToPointInTime", rooms.table_arn(document["TableArn"]), None),)


def prepare(document: Document) -> None:
    """What the request asks for in itself."""
    incremental = document.get("ExportType") == "INCREMENTAL_EXPORT"
    if incremental != ("IncrementalExportSpecification" in document):
        raise ValidationException("IncrementalExportSpecification is for ExportType INCREMENTAL_EXPORT, which needs it")
    if incremental and "ExportTime" in document:
        raise ValidationException("ExportTime is for ExportType FULL_EXPORT")


def execute(rooms: Rooms, document: Document, plan: None) -> bytes | Future[bytes]:
    """Begin the export and answer."""
    table = recoverable(rooms, document["TableArn"])
    token = document.get("ClientToken")
    exports = rooms.transfers.exports
    if token is not None:
        for known in exports.all():
            if known["ClientToken"] == token and known["TableArn"] == table.arn:
                if known["Request"] != document:
                    raise ExportConflictException("The client token was used before with other parameters")
                return _answer(known)
    earliest, latest = window(rooms, table)
    wish: dict[str, Any] = {
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "FULL_EXPORT",
        "S3SseAlgorithm": "AES256",
        **document,
        "ClientToken": token or rooms.ids.uuid(),
        "Request": document,
    }
    if wish["ExportType"] == "FULL_EXPORT":
        wish["ExportTime"] = _within(document.get("ExportTime", latest), earliest, latest)
    else:
        wish["IncrementalExportSpecification"] = _increment(
            document["IncrementalExportSpecification"], earliest, latest
        )
    return after(exports.create(table, wish), _answer)


def _answer(export: Export) -> bytes:
    return orjson.dumps({"ExportDescription": described(export, "Export")})


def _within(moment: float, earliest: float, latest: float) -> float:
    # The window is told in milliseconds, rounded, and clients send whole seconds.
    if not int(earliest) <= moment <= latest + 0.001:
        raise InvalidExportTimeException(f"The time {moment:.3f} is out of range: from {earliest:.3f} to {latest:.3f}")
    return min(max(moment, earliest), latest)


def _increment(wish: Document, earliest: float, latest: float) -> dict[str, Any]:
    start = wish.get("ExportFromTime")
    if start is None:
        raise ValidationException("IncrementalExportSpecification needs ExportFromTime")
    stop = wish.get("ExportToTime", latest)
    start, stop = _within(start, earliest, latest), _within(stop, earliest, latest)
    if not INCREMENT_MIN_SECONDS <= stop - start <= INCREMENT_MAX_SECONDS:
        raise InvalidExportTimeException("An incremental export spans between 15 minutes and 24 hours")
    view_type = wish.get("ExportViewType", "NEW_AND_OLD_IMAGES")
    return {"ExportFromTime": start, "ExportToTime": stop, "ExportViewType": view_type}


EXPORT_TABLE_TO_POINT_IN_TIME = Operation(
    "ExportTableToPointInTime", DocumentCodec("ExportTableToPointInTime"), permissions, prepare, execute
)
