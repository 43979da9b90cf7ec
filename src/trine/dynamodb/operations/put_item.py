"""PutItem: a whole item in place of what its key holds."""

from __future__ import annotations

from asyncio import Future

from trine.dynamodb.model.attribute import validate_item
from trine.dynamodb.model.item import check_item_size, encode_stored
from trine.dynamodb.operations.conditions import Filter, condition_of
from trine.dynamodb.operations.expect import (
    checked,
    item_key_bytes,
    item_permission,
    old_attributes,
    only_all_old,
    refuse_parts_of_key,
    write_answer,
)
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.precedence import before_item
from trine.dynamodb.shape import PutItemInput, codec
from trine.dynamodb.storage.items import Transition, Write, commit_one


def prepare(request: PutItemInput) -> Filter | None:
    """The condition, if the request has one."""
    only_all_old(request.return_values)
    return condition_of(request)


def execute(rooms: Rooms, request: PutItemInput, condition: Filter | None) -> Future[bytes]:
    """Put the item and answer when it is durable."""
    table = rooms.table(request.table_name)
    if condition is not None:
        refuse_parts_of_key(table, condition)
    item = request.item
    size_bytes = validate_item(item)
    key = item_key_bytes(table, item)
    check_item_size(size_bytes)
    stored = encode_stored(item, size_bytes)
    check = checked(condition, request.return_values_on_condition_check_failure == "ALL_OLD")
    returns_old = request.return_values == "ALL_OLD"

    def rule(transition: Transition) -> None:
        if check is not None:
            check(transition)
        transition.become(item, stored)

    def answer(transition: Transition) -> bytes:
        return write_answer(request, transition, old_attributes(transition, returns_old), item)

    return commit_one(rooms.store, Write(table, key, rule), answer, rooms.clock.now(), rooms.trace)


PUT_ITEM = Operation(
    "PutItem",
    codec("PutItem", PutItemInput),
    item_permission("dynamodb:PutItem", "item"),
    prepare,
    execute,
    before_item,
)
