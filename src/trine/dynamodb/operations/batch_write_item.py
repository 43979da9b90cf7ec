"""BatchWriteItem: up to 25 puts and deletes of several tables.

Those for which there are no units come back as `UnprocessedItems`; the others share one commit.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import orjson

from trine.dynamodb.errors import ThrottledError, ValidationException
from trine.dynamodb.limits import BATCH_WRITE_REQUESTS_MAX_COUNT
from trine.dynamodb.model.attribute import MANY_TYPES, Item, validate_item
from trine.dynamodb.model.item import check_item_size, encode_stored
from trine.dynamodb.model.key import NO_MATCH
from trine.dynamodb.operations.consumed import consumed_list, wanted, write_capacities
from trine.dynamodb.operations.expect import collection_metrics, item_key_bytes, key_bytes, leading_key
from trine.dynamodb.operations.observed import note_unprocessed
from trine.dynamodb.operations.operation import Operation, Permission, Rooms
from trine.dynamodb.operations.precedence import DUPLICATE_KEYS, before_batch_write
from trine.dynamodb.shape import BatchWriteItemInput, WriteRequest, codec, table_name_of
from trine.dynamodb.storage.items import Transition, Write, commit_all
from trine.dynamodb.storage.table import Table
from trine.trace import Trace


def permissions(rooms: Rooms, request: BatchWriteItemInput) -> Iterable[Permission]:
    """BatchWriteItem on every table named."""
    for name, wishes in request.request_items.items():
        bare = table_name_of(name)
        yield (
            "dynamodb:BatchWriteItem",
            rooms.table_arn(name),
            lambda rooms, request, bare=bare, wishes=wishes: _context(rooms, bare, wishes),  # type: ignore[misc]
        )


def _context(rooms: Rooms, name: str, wishes: Sequence[WriteRequest]) -> dict[str, list[str]]:
    table = rooms.tables.find(name)
    items = [wish.put_request.item if wish.put_request else wish.delete_request.key  # type: ignore[union-attr]
             for wish in wishes if wish.put_request or wish.delete_request]  # fmt: skip
    leading = [] if table is None else [text for item in items for text in leading_key(table, item)]
    return {"dynamodb:LeadingKeys": leading, "dynamodb:Attributes": sorted(set().union(*map(set, items)))}


def prepare(request: BatchWriteItemInput) -> None:
    """Counts, and exactly one wish in each request."""
    if sum(map(len, request.request_items.values())) > BATCH_WRITE_REQUESTS_MAX_COUNT:
        raise ValidationException("Too many items requested for the BatchWriteItem call")
    for wishes in request.request_items.values():
        for wish in wishes:
            if (wish.put_request is None) == (wish.delete_request is None):
                # AWS's sentence, which speaks of something else.
                raise ValidationException(MANY_TYPES)


def execute(rooms: Rooms, request: BatchWriteItemInput, plan: None) -> Future[bytes]:
    """Write all and answer when they are durable."""
    tables = [(rooms.tables.get(table_name_of(name)), name, wishes) for name, wishes in request.request_items.items()]
    writes: list[Write] = []
    items: list[tuple[str, Item]] = []
    for table, name, wishes in tables:
        for wish in wishes:
            write, item = _write(table, wish)
            writes.append(write)
            items.append((name, item))
    if len({write.key for write in writes}) != len(writes):
        raise ValidationException(DUPLICATE_KEYS)
    trace = rooms.trace
    return commit_all(
        rooms.store,
        writes,
        lambda transitions: _answer(request, transitions, items, trace),
        rooms.clock.now(),
        trace=trace,
    )


def _write(table: Table, wish: WriteRequest) -> tuple[Write, Item]:
    if wish.put_request is not None:
        item = wish.put_request.item
        size_bytes = validate_item(item)
        if not table.definition.key.has_key(item):
            raise ValidationException(NO_MATCH)
        key = item_key_bytes(table, item)
        check_item_size(size_bytes)
        stored = encode_stored(item, size_bytes)
        return Write(table, key, lambda transition: transition.become(item, stored)), item
    assert wish.delete_request is not None
    given = wish.delete_request.key
    return Write(table, key_bytes(table, given), lambda transition: transition.become(None)), given


def _answer(
    request: BatchWriteItemInput,
    transitions: Sequence[Transition],
    items: Sequence[tuple[str, Item]],
    trace: Trace | None,
) -> bytes:
    refused = [transition.throttled for transition in transitions if isinstance(transition.throttled, ThrottledError)]
    if len(refused) == len(transitions):
        raise refused[0]  # "if none of the items can be processed …, BatchWriteItem returns a …ThroughputExceeded…"
    if refused:
        note_unprocessed(trace, refused[0], len(refused))
    document: dict[str, Any] = {"UnprocessedItems": _unprocessed(request, transitions) if refused else {}}
    transitions, items = _done(transitions, items) if refused else (transitions, items)
    if wanted(request.return_consumed_capacity):
        consumed = write_capacities(transitions)
        document["ConsumedCapacity"] = consumed_list(consumed, request.return_consumed_capacity)
    if request.return_item_collection_metrics == "SIZE":
        metrics: dict[str, dict[str, Any]] = {}
        for (name, item), transition in zip(items, transitions, strict=True):
            one = collection_metrics(transition, item)
            if one is not None:
                metrics.setdefault(name, {})[str(one["ItemCollectionKey"])] = one
        if metrics:
            document["ItemCollectionMetrics"] = {name: list(found.values()) for name, found in metrics.items()}
    return orjson.dumps(document)


def _unprocessed(request: BatchWriteItemInput, transitions: Sequence[Transition]) -> dict[str, list[Any]]:
    """The requests that found no units, as they came."""
    left: dict[str, list[Any]] = {}
    wishes = ((name, wish) for name, wishes in request.request_items.items() for wish in wishes)
    for (name, wish), transition in zip(wishes, transitions, strict=True):
        if transition.throttled is not None:
            document = {member: value for member, value in msgspec.to_builtins(wish).items() if value is not None}
            left.setdefault(name, []).append(document)
    return left


def _done(
    transitions: Sequence[Transition], items: Sequence[tuple[str, Item]]
) -> tuple[Sequence[Transition], Sequence[tuple[str, Item]]]:
    """Without those that did not happen."""
    both = [pair for pair in zip(transitions, items, strict=True) if pair[0].throttled is None]
    return [transition for transition, _ in both], [item for _, item in both]


BATCH_WRITE_ITEM = Operation(
    "BatchWriteItem", codec("BatchWriteItem", BatchWriteItemInput), permissions, prepare, execute, before_batch_write
)
