"""GetItem: one item by its key, spliced from the store into the answer."""

from __future__ import annotations

import orjson

from trine.dynamodb.expressions.projection import Projection
from trine.dynamodb.model.capacity import ConsumedCapacity, read_units
from trine.dynamodb.model.item import STORED_HEADER_SIZE_BYTES, decode_stored, stored_size
from trine.dynamodb.operations.consumed import consistency_of, wanted
from trine.dynamodb.operations.expect import item_permission, key_bytes, refuse_parts_of_key
from trine.dynamodb.operations.observed import item_read
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.reading import projection_of
from trine.dynamodb.shape import Codec, GetItemInput, table_name_of


def prepare(request: GetItemInput) -> Projection | None:
    """The projection, if the request has one."""
    return projection_of(request)


def execute(rooms: Rooms, request: GetItemInput, projection: Projection | None) -> bytes:
    """Read the item and answer."""
    table = rooms.tables.get(table_name_of(request.table_name))
    refuse_parts_of_key(table, projection)
    key = key_bytes(table, request.key)
    stored = rooms.source.get(key, request.consistent_read)
    item_read(rooms, table, key, stored, consistency_of(request.consistent_read))
    if stored is None:
        item = None
    elif projection is None:
        item = stored[STORED_HEADER_SIZE_BYTES:]
    else:
        item = orjson.dumps(projection.apply(decode_stored(stored)))
    if not wanted(request.return_consumed_capacity):
        return b'{"Item":' + item + b"}" if item is not None else b"{}"
    consumed = ConsumedCapacity(table.name)
    consumed.add_table(read=read_units(stored_size(stored) if stored else 0, consistency_of(request.consistent_read)))
    capacity = b'"ConsumedCapacity":' + orjson.dumps(consumed.document(request.return_consumed_capacity))
    return b'{"Item":' + item + b"," + capacity + b"}" if item is not None else b"{" + capacity + b"}"


GET_ITEM = Operation(
    "GetItem", Codec("GetItem", GetItemInput), item_permission("dynamodb:GetItem", "key"), prepare, execute
)
