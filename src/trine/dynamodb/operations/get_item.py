"""GetItem: one item by its key, spliced from the store into the answer."""

from __future__ import annotations

import orjson

from trine.dynamodb.expressions.projection import Projection
from trine.dynamodb.model.capacity import Consistency, ConsumedCapacity, read_units
from trine.dynamodb.model.item import STORED_HEADER_SIZE_BYTES, decode_stored, item_bytes, stored_size
from trine.dynamodb.operations.consumed import wanted
from trine.dynamodb.operations.expect import item_permission, key_bytes, refuse_parts_of_key
from trine.dynamodb.operations.observed import item_read
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.precedence import before_key
from trine.dynamodb.operations.reading import projection_of
from trine.dynamodb.shape import GetItemInput, codec


def prepare(request: GetItemInput) -> Projection | None:
    """The projection, if the request has one."""
    if (
        request.projection_expression is None
        and request.attributes_to_get is None
        and request.expression_attribute_names is None
    ):
        return None
    return projection_of(request)


def execute(rooms: Rooms, request: GetItemInput, projection: Projection | None) -> bytes:
    """Read the item and answer."""
    table = rooms.table(request.table_name)
    if projection is not None:
        refuse_parts_of_key(table, projection)
    key = table.space.quick_key(request.key) or key_bytes(table, request.key)
    consistent = request.consistent_read
    consistency: Consistency = "strong" if consistent else "eventual"
    stored = rooms.source.get(key, consistent)
    item_read(rooms, table, key, stored, consistency)
    if projection is None and request.return_consumed_capacity is None:  # the usual way: the item as it lies
        return b'{"Item":%b}' % stored[STORED_HEADER_SIZE_BYTES:] if stored is not None else b"{}"
    parts = []
    if stored is not None:
        item = item_bytes(stored) if projection is None else orjson.dumps(projection.apply(decode_stored(stored)))
        parts.append(b'"Item":' + item)
    if wanted(request.return_consumed_capacity):
        consumed = ConsumedCapacity(table.name)
        consumed.add_table(read=read_units(stored_size(stored) if stored else 0, consistency))
        parts.append(b'"ConsumedCapacity":' + orjson.dumps(consumed.document(request.return_consumed_capacity)))
    return b"{" + b",".join(parts) + b"}"


GET_ITEM = Operation(
    "GetItem", codec("GetItem", GetItemInput), item_permission("dynamodb:GetItem", "key"), prepare, execute, before_key
)
