"""BatchGetItem: up to a hundred items of several tables, and the keys that did not fit into 16 MB."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import orjson

from trine.dynamodb.errors import ResourceNotFoundException, ThrottledError, ValidationException
from trine.dynamodb.expressions.projection import Projection
from trine.dynamodb.limits import BATCH_GET_KEYS_MAX_COUNT, BATCH_GET_MAX_BYTES, PAGE_MAX_BYTES
from trine.dynamodb.model.capacity import ConsumedCapacity, read_units
from trine.dynamodb.model.item import STORED_HEADER_SIZE_BYTES, decode_stored, stored_size
from trine.dynamodb.operations.consumed import consistency_of, consumed_list, wanted
from trine.dynamodb.operations.expect import attributes_named, key_bytes, leading_key, refuse_parts_of_key
from trine.dynamodb.operations.observed import item_read, note_unprocessed
from trine.dynamodb.operations.operation import Operation, Permission, Rooms
from trine.dynamodb.operations.parameters import mixture
from trine.dynamodb.operations.precedence import DUPLICATE_KEYS, before_batch_get, refuse_duplicates
from trine.dynamodb.operations.reading import projection_of
from trine.dynamodb.shape import BatchGetItemInput, KeysAndAttributes, codec, table_name_of
from trine.dynamodb.storage.table import Table
from trine.dynamodb.throughput.meter import place_of
from trine.dynamodb.throughput.partitions import Partition


def permissions(rooms: Rooms, request: BatchGetItemInput) -> Iterable[Permission]:
    """BatchGetItem on every table named."""
    for name, wish in request.request_items.items():
        bare = table_name_of(name)
        yield (
            "dynamodb:BatchGetItem",
            rooms.table_arn(name),
            lambda rooms, request, bare=bare, wish=wish: _context(rooms, bare, wish),  # type: ignore[misc]
        )


def _context(rooms: Rooms, name: str, wish: KeysAndAttributes) -> dict[str, list[str]]:
    table = rooms.tables.find(name)
    leading = [] if table is None else [text for key in wish.keys for text in leading_key(table, key)]
    attributes = attributes_named(wish).union(*map(set, wish.keys))
    return {"dynamodb:LeadingKeys": leading, "dynamodb:Attributes": sorted(attributes)}


def prepare(request: BatchGetItemInput) -> dict[str, Projection | None]:
    """The projection of each table's part."""
    if sum(len(wish.keys) for wish in request.request_items.values()) > BATCH_GET_KEYS_MAX_COUNT:
        raise ValidationException("Too many items requested for the BatchGetItem call")
    wishes = request.request_items.values()
    if any(wish.attributes_to_get for wish in wishes) and any(wish.projection_expression for wish in wishes):
        raise mixture(["ProjectionExpression"], [("AttributesToGet", True)])  # not even for different tables
    return {name: projection_of(wish) for name, wish in request.request_items.items()}


def execute(rooms: Rooms, request: BatchGetItemInput, projections: dict[str, Projection | None]) -> bytes:
    """Read all keys and answer."""
    wishes = []
    for name, wish in request.request_items.items():
        try:
            table = rooms.tables.get(table_name_of(name))
        except ResourceNotFoundException:
            refuse_duplicates(request)
            raise
        refuse_parts_of_key(table, projections[name])
        keys = [key_bytes(table, key) for key in wish.keys]
        if len(set(keys)) != len(keys):
            raise ValidationException(DUPLICATE_KEYS)
        wishes.append((name, table, wish, keys))
    left_bytes = BATCH_GET_MAX_BYTES
    responses, unprocessed, consumed = [], {}, {}
    refused: ThrottledError | None = None
    for name, table, wish, keys in wishes:
        reading = _Reading(table, wish, projections[name])
        left_bytes = reading.read(rooms, keys, left_bytes)
        responses.append(orjson.dumps(name) + b":[" + b",".join(reading.items) + b"]")
        consumed[name] = reading.consumed
        refused = refused or reading.refused
        if reading.unprocessed:
            unprocessed[name] = _again(wish, reading.unprocessed)
    if refused is not None and not any(capacity.total for capacity in consumed.values()):
        raise refused  # "if none of the items can be processed …, BatchGetItem returns a …ThroughputExceeded…"
    if refused is not None:
        note_unprocessed(rooms.trace, refused, sum(len(wish["Keys"]) for wish in unprocessed.values()))
    answer = b'{"Responses":{' + b",".join(responses) + b'},"UnprocessedKeys":' + orjson.dumps(unprocessed)
    if wanted(request.return_consumed_capacity):
        capacities = consumed_list(consumed, request.return_consumed_capacity)
        answer += b',"ConsumedCapacity":' + orjson.dumps(capacities)
    return answer + b"}"


class _Reading:
    """The reading of one table's part."""

    def __init__(self, table: Table, wish: KeysAndAttributes, projection: Projection | None) -> None:
        self.table, self.wish, self.projection = table, wish, projection
        self.items: list[bytes] = []
        self.unprocessed: list[dict[str, Any]] = []
        self.consumed = ConsumedCapacity(table.name)
        self.refused: ThrottledError | None = None
        """Why the first of the keys that found no units was left out."""

    def read(self, rooms: Rooms, keys: list[bytes], left_bytes: int) -> int:
        """Read while the answer has room; how many bytes are left then."""
        consistency = consistency_of(self.wish.consistent_read)
        meter = self.table.meter
        read_bytes: dict[Partition | None, int] = {}
        with rooms.source.open(self.wish.consistent_read) as source:
            for place, key in enumerate(keys):
                if left_bytes <= 0:
                    self.unprocessed += self.wish.keys[place:]
                    break
                partition = meter.table.partitions.at(place_of(key)) if meter is not None else None
                # "… more than 1MB per partition is requested": what is beyond it costs as much as nothing found.
                beyond = read_bytes.get(partition, 0) >= PAGE_MAX_BYTES
                stored = source.get(key) if not beyond else None
                try:
                    item_read(rooms, self.table, key, stored, consistency)
                except ThrottledError as refused:
                    self.refused = self.refused or refused
                    self.unprocessed.append(self.wish.keys[place])
                    continue
                size_bytes = stored_size(stored) if stored is not None else 0
                self.consumed.add_table(read=read_units(size_bytes, consistency))
                left_bytes -= size_bytes
                read_bytes[partition] = read_bytes.get(partition, 0) + size_bytes
                if beyond:
                    self.unprocessed.append(self.wish.keys[place])
                if stored is None:
                    continue
                if self.projection is None:
                    self.items.append(stored[STORED_HEADER_SIZE_BYTES:])
                else:
                    self.items.append(orjson.dumps(self.projection.apply(decode_stored(stored))))
        return left_bytes


def _again(wish: KeysAndAttributes, keys: list[dict[str, Any]]) -> dict[str, Any]:
    document = {name: value for name, value in msgspec.to_builtins(wish).items() if value is not None}
    return {**document, "Keys": keys}


BATCH_GET_ITEM = Operation(
    "BatchGetItem", codec("BatchGetItem", BatchGetItemInput), permissions, prepare, execute, before_batch_get
)
