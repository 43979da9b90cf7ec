"""TransactGetItems: up to a hundred items of one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.projection import Projection
from trine.dynamodb.limits import TRANSACTION_MAX_BYTES
from trine.dynamodb.model.attribute import validate_item
from trine.dynamodb.model.capacity import ConsumedCapacity, read_units
from trine.dynamodb.model.item import STORED_HEADER_SIZE_BYTES, decode_stored, stored_size
from trine.dynamodb.operations.cancellation import SAME_ITEM_TWICE, Reasons
from trine.dynamodb.operations.consumed import consumed_list, wanted
from trine.dynamodb.operations.expect import item_context, key_bytes, refuse_parts_of_key
from trine.dynamodb.operations.observed import transaction_read
from trine.dynamodb.operations.operation import Operation, Permission, Rooms
from trine.dynamodb.operations.reading import projection_of
from trine.dynamodb.shape import TransactGetItemsInput, codec, table_name_of
from trine.dynamodb.storage.table import Table


def permissions(rooms: Rooms, request: TransactGetItemsInput) -> Iterable[Permission]:
    """GetItem on the table of each item."""
    for item in request.transact_items:
        wish = item.get

        def context(rooms: Rooms, request: Any, wish: Any = wish) -> dict[str, list[str]]:
            facts = item_context(rooms, table_name_of(wish.table_name), wish.key, wish)
            return {**facts, "dynamodb:EnclosingOperation": ["TransactGetItems"]}

        yield ("dynamodb:GetItem", rooms.table_arn(wish.table_name), context)


def prepare(request: TransactGetItemsInput) -> list[Projection | None]:
    """The projection of each item; its key's values are judged before any table is looked for."""
    projections = []
    for item in request.transact_items:
        projections.append(projection_of(item.get))
        validate_item(item.get.key)
    return projections


def execute(rooms: Rooms, request: TransactGetItemsInput, projections: list[Projection | None]) -> bytes:
    """Read all of them from one snapshot and answer."""
    tables = [rooms.tables.get(table_name_of(item.get.table_name)) for item in request.transact_items]
    for table, projection in zip(tables, projections, strict=True):
        refuse_parts_of_key(table, projection)
    keys = _keys(tables, request)
    if len(set(keys)) != len(keys):
        raise ValidationException(SAME_ITEM_TWICE)
    with rooms.store.snapshot() as snapshot:
        found = [snapshot.get(key) for key in keys]
    if sum(stored_size(stored) for stored in found if stored is not None) > TRANSACTION_MAX_BYTES:
        raise ValidationException("Collection size of items in the transaction exceeds the limit of 4 MB")
    transaction_read(rooms, tables, keys, found)
    responses = [_response(stored, projection) for stored, projection in zip(found, projections, strict=True)]
    answer = b'{"Responses":[' + b",".join(responses) + b"]"
    if wanted(request.return_consumed_capacity):
        consumed: dict[str, ConsumedCapacity] = {}
        for table, stored in zip(tables, found, strict=True):
            size_bytes = stored_size(stored) if stored is not None else 0
            capacity = consumed.setdefault(table.name, ConsumedCapacity(table.name))
            capacity.add_table(read=read_units(size_bytes, "transactional"))
        capacities = consumed_list(consumed, request.return_consumed_capacity, by_kind=True)
        answer += b',"ConsumedCapacity":' + orjson.dumps(capacities)
    return answer + b"}"


def _keys(tables: Sequence[Table], request: TransactGetItemsInput) -> list[bytes]:
    """Where the items lie. What is wrong with a key is a reason of its item (seen on AWS by public suites)."""
    reasons = Reasons(len(tables))
    keys = []
    for at, (table, item) in enumerate(zip(tables, request.transact_items, strict=True)):
        try:
            keys.append(key_bytes(table, item.get.key))
        except ValidationException as fault:
            reasons.add(at, "ValidationError", fault.message)
    reasons.raise_if_any()
    return keys


def _response(stored: bytes | None, projection: Projection | None) -> bytes:
    if stored is None:
        return b"{}"
    item = stored[STORED_HEADER_SIZE_BYTES:]
    if projection is not None:
        item = orjson.dumps(projection.apply(decode_stored(stored)))
    return b'{"Item":' + item + b"}"


TRANSACT_GET_ITEMS = Operation(
    "TransactGetItems", codec("TransactGetItems", TransactGetItemsInput), permissions, prepare, execute
)
