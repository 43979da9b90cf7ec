"""What AWS has and Trine has not: checked as far as it goes, then refused in words that name it.

The name of an operation enters, an `Operation` leaves. A request that AWS would refuse is refused here in AWS's words:
wrong members, a table that is not there, a global table (version 2017.11.29), of which none ever is. Only then is told
what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trine.aws.errors import AwsError
from trine.dynamodb.errors import UnsupportedOperationException, ValidationException
from trine.dynamodb.members import ServiceModel
from trine.dynamodb.operations.operation import Operation, Permission, Rooms, no_plan
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


class GlobalTableNotFoundException(AwsError):
    """No global table has this name."""

    code = "GlobalTableNotFoundException"
    status = 400


_LEGACY = ("CreateGlobalTable", "UpdateGlobalTable")
"""AWS itself has closed these."""


def unbuilt(name: str, model: Callable[[], ServiceModel]) -> Operation:
    """The operation `name` of a service model, which ends with UnsupportedOperationException at the latest."""

    def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
        table = document.get("TableName")
        return ((f"dynamodb:{name}", rooms.table_arn(table) if table is not None else "*", None),)

    def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
        if "TableName" in document:
            rooms.tables.described(table_name_of(document["TableName"]))
        if name in _LEGACY:
            raise ValidationException(
                "One or more parameter values were invalid: DynamoDB global tables version 2017.11.29 is not "
                "supported. We recommend using DynamoDB global tables version 2019.11.21, instead of version "
                "2017.11.29 (Legacy)."
            )
        if (wanted := document.get("GlobalTableName")) is not None:
            raise GlobalTableNotFoundException(f"Global table with name: '{wanted}' does not exist.")
        raise UnsupportedOperationException(f"{name} is not built into Trine; docs/dynamodb.md lists what is")

    return Operation(name, DocumentCodec(name, model), permissions, no_plan, execute)
