"""PutItem: a whole item in place of what its key holds."""

from __future__ import annotations

from asyncio import Future

from trine.dynamodb.model.attribute import validate_item
from trine.dynamodb.model.item import check_item_size, encode_stored
from trine.dynamodb.operations.cast_put import CastPut, Moulds
from trine.dynamodb.operations.conditions import Filter, condition_of
from trine.dynamodb.operations.expect import (
    checked,
    item_key_bytes,
    item_permission,
    old_attributes,
    only_all_old,
    refuse_parts_of_key,
    says_nothing,
    write_answer,
)
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.precedence import before_item
from trine.dynamodb.shape import PutItemInput, codec
from trine.dynamodb.storage.items import Transition, Write, commit_one, commit_plain

MOULDS = Moulds(codec("PutItem", PutItemInput))
_DONE = b"{}"


def prepare(request: PutItemInput | CastPut) -> Filter | None:
    """The condition, if the request has one."""
    if request.__class__ is CastPut:
        return None
    only_all_old(request.return_values)
    return condition_of(request)


def execute(rooms: Rooms, request: PutItemInput | CastPut, condition: Filter | None) -> Future[bytes]:
    """Put the item and answer when it is durable."""
    table = rooms.table(request.table_name)
    if isinstance(request, CastPut):
        quick = request.key(table.space) if table.alone else None
        if quick is not None:
            size_bytes = request.size_bytes
            check_item_size(size_bytes)
            now = rooms.clock.now()
            return commit_plain(rooms.store, table, quick, request.stored, size_bytes, _DONE, now, rooms.trace)
        if not table.alone:
            MOULDS.forget(request.table_name)  # what follows the write asks for the item itself
    elif condition is not None:
        refuse_parts_of_key(table, condition)
    item = request.item
    size_bytes = validate_item(item)
    key = item_key_bytes(table, item)
    check_item_size(size_bytes)
    stored = encode_stored(item, size_bytes)
    if condition is None and table.alone and says_nothing(request):
        MOULDS.learn(request.table_name, item, size_bytes)
        return commit_plain(rooms.store, table, key, stored, size_bytes, _DONE, rooms.clock.now(), rooms.trace)
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
    MOULDS.decode,
    item_permission("dynamodb:PutItem", "item"),
    prepare,
    execute,
    before_item,
)
