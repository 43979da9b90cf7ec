"""UpdateTimeToLive: the attribute by which a table's items expire, switched on or off. Sentences are AWS's."""

from __future__ import annotations

from asyncio import Future

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of
from trine.dynamodb.storage.table import Table


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Switch, and answer when that is durable; items that are there already are entered behind the answer."""
    table = rooms.tables.described(table_name_of(document["TableName"]))
    wish = document["TimeToLiveSpecification"]
    name, now = wish["AttributeName"], table.expiry.attribute if table.expiry is not None else None
    if wish["Enabled"]:
        if now is not None:
            raise ValidationException(
                "TimeToLive is already enabled"
                if now == name
                else f"TimeToLive is active on a different AttributeName: current AttributeName is {now}"
            )
        member = {"AttributeName": name, "Status": "ENABLING"}
    else:
        if now is None:
            raise ValidationException("TimeToLive is already disabled")
        if now != name:
            raise ValidationException(
                f"TimeToLive is active on a different AttributeName: current AttributeName is {now}"
            )
        member = None
    answer = orjson.dumps({"TimeToLiveSpecification": {"Enabled": wish["Enabled"], "AttributeName": name}})

    def follow(changed: Table) -> bytes:
        if changed.expiry is not None:
            rooms.backfills.start(changed)
        elif table.expiry is not None:
            rooms.store.delete_range(table.expiry.prefix, table.expiry.stop)
        return answer

    return after(rooms.tables.change(table, table.definition, TimeToLive=member), follow)


UPDATE_TIME_TO_LIVE = Operation(
    "UpdateTimeToLive", DocumentCodec("UpdateTimeToLive"), on_table("UpdateTimeToLive"), no_plan, execute
)
