"""DeleteItem: the item under a key goes."""

from __future__ import annotations

from asyncio import Future

from trine.dynamodb.operations.conditions import Filter, condition_of
from trine.dynamodb.operations.expect import (
    checked,
    item_permission,
    key_bytes,
    old_attributes,
    only_all_old,
    refuse_parts_of_key,
    write_answer,
)
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.precedence import before_key
from trine.dynamodb.shape import DeleteItemInput, codec
from trine.dynamodb.storage.items import Transition, Write, commit_one


def prepare(request: DeleteItemInput) -> Filter | None:
    """The condition, if the request has one."""
    only_all_old(request.return_values)
    return condition_of(request)


def execute(rooms: Rooms, request: DeleteItemInput, condition: Filter | None) -> Future[bytes]:
    """Delete the item and answer when that is durable."""
    table = rooms.table(request.table_name)
    refuse_parts_of_key(table, condition)
    key = key_bytes(table, request.key)
    check = checked(condition, request.return_values_on_condition_check_failure == "ALL_OLD")
    returns_old = request.return_values == "ALL_OLD"

    def rule(transition: Transition) -> None:
        if check is not None:
            check(transition)
        transition.become(None)

    def answer(transition: Transition) -> bytes:
        return write_answer(request, transition, old_attributes(transition, returns_old), request.key)

    return commit_one(rooms.store, Write(table, key, rule), answer, rooms.clock.now(), rooms.trace)


DELETE_ITEM = Operation(
    "DeleteItem",
    codec("DeleteItem", DeleteItemInput),
    item_permission("dynamodb:DeleteItem", "key"),
    prepare,
    execute,
    before_key,
)
