"""What the writes of single items share: keys, conditions, and what they return.

A request's key or item enters validated bytes' keys; conditions become checks of a `Transition`; a finished transition
becomes the members of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from trine.dynamodb.errors import ConditionalCheckFailedException, ValidationException
from trine.dynamodb.expressions.checks import refuse_parts_of_keys
from trine.dynamodb.model.attribute import Item, validate_item
from trine.dynamodb.model.item import item_bytes
from trine.dynamodb.model.key import check_index_key, check_key
from trine.dynamodb.operations.consumed import write_capacity
from trine.dynamodb.operations.operation import Permission, Rooms
from trine.dynamodb.shape import table_name_of
from trine.dynamodb.storage.collections import estimate_gigabytes
from trine.dynamodb.storage.items import Transition
from trine.dynamodb.storage.table import Table

CONDITION_FAILED = "The conditional request failed"
ASKED_MAX_COUNT = 4096
Condition = Callable[[Item], bool]


def key_bytes(table: Table, key: Item) -> bytes:
    """Where the item with this `Key` lies; ValidationException when it is no key of the table."""
    quick = table.space.quick_key(key)
    if quick is not None:
        return quick
    validate_item(key)
    check_key(table.definition.key, key)
    return table.space.key(key)


def item_key_bytes(table: Table, item: Item) -> bytes:
    """Where a validated item lies; ValidationException when it lacks a key, or does not fit an index."""
    quick = table.space.quick_item_key(item)
    if quick is None:
        table.definition.check_item(item)
        return table.space.key(item)
    for index in table.indexes:
        check_index_key(index.name, index.definition.key, item)
    return quick


class Reader(Protocol):
    """A condition, filter or projection."""

    @property
    def nested(self) -> frozenset[str]:
        """Top-level attributes of which it reads parts."""


def refuse_parts_of_key(table: Table, reader: Reader | None) -> None:
    """ValidationException when `reader` reads a part of an attribute that is in a key of the table or of an index."""
    if reader is not None and (nested := reader.nested):
        refuse_parts_of_keys(nested, table.definition.key.names, table.definition.index_key_names)


def leading_key(table: Table, item: Mapping[str, Any]) -> Iterable[str]:
    """The partition key's value as text: IAM's `dynamodb:LeadingKeys`."""
    for attribute in table.definition.key.partition:
        value = item.get(attribute.name)
        if isinstance(value, dict):
            yield from (str(content) for content in value.values())


def item_permission(action: str, member: str) -> Callable[[Rooms, Any], Sequence[Permission]]:
    """The permission of an operation on one item: `action` on its table; `member` holds the key."""

    def context(rooms: Rooms, request: Any) -> dict[str, list[str]]:
        return item_context(rooms, table_name_of(request.table_name), getattr(request, member), request)

    def permissions(rooms: Rooms, request: Any) -> Sequence[Permission]:
        return rooms.asked.get((action, request.table_name)) or ask(rooms, request.table_name)

    def ask(rooms: Rooms, table_name: str) -> Sequence[Permission]:
        # What ARN a name means never changes in one region, whether there is such a table or not.
        wanted = ((action, rooms.table_arn(table_name), context),)
        if len(rooms.asked) >= ASKED_MAX_COUNT:
            rooms.asked.clear()
        rooms.asked[action, table_name] = wanted
        return wanted

    return permissions


def item_context(rooms: Rooms, table_name: str, item: Mapping[str, Any], request: Any) -> dict[str, list[str]]:
    """IAM's condition keys of one request on one item."""
    table = rooms.tables.find(table_name)
    context: dict[str, list[str]] = {}
    if table is not None:
        context["dynamodb:LeadingKeys"] = list(leading_key(table, item))
    context["dynamodb:Attributes"] = sorted(set(item) | attributes_named(request))
    for key, member in (
        ("dynamodb:ReturnValues", "return_values"),
        ("dynamodb:ReturnConsumedCapacity", "return_consumed_capacity"),
    ):
        if (content := getattr(request, member, None)) is not None:
            context[key] = [content]
    return context


def attributes_named(request: Any) -> set[str]:
    """Top-level attributes that a request's parameters name, as far as `dynamodb:Attributes` counts them."""
    named: set[str] = set(getattr(request, "attributes_to_get", None) or ())
    names = getattr(request, "expression_attribute_names", None) or {}
    named.update(names.values())
    projection = getattr(request, "projection_expression", None)
    if projection:
        for path in projection.split(","):
            top = path.strip().partition(".")[0].partition("[")[0]
            named.add(names.get(top, top))
    return named


def checked(condition: Condition | None, returns_old: bool) -> Callable[[Transition], None] | None:
    """A check of a transition's old item; ConditionalCheckFailedException, with the item when that is asked for."""
    if condition is None:
        return None

    def check(transition: Transition) -> None:
        old = transition.old
        if not condition(old if old is not None else {}):
            members = {"Item": old} if returns_old and old is not None else None
            raise ConditionalCheckFailedException(CONDITION_FAILED, members=members)

    return check


def only_all_old(return_values: str | None) -> bool:
    """Whether PutItem or DeleteItem returns the old item; ValidationException for what they cannot return."""
    if return_values not in (None, "NONE", "ALL_OLD"):
        raise ValidationException("ReturnValues can only be ALL_OLD or NONE")
    return return_values == "ALL_OLD"


def says_nothing(request: Any) -> bool:
    """Whether the answer to PutItem is empty: the request asks for nothing of all that it could tell."""
    return request.return_consumed_capacity is request.return_item_collection_metrics is request.return_values is None


def write_answer(
    request: Any, transition: Transition, attributes: bytes | None, collection_key: Item | None = None
) -> bytes:
    """The answer of PutItem, DeleteItem and UpdateItem."""
    if attributes is request.return_consumed_capacity is request.return_item_collection_metrics is None:
        return b"{}"
    parts = []
    if attributes is not None:
        parts.append(b'"Attributes":' + attributes)
    if (capacity := write_capacity(request.return_consumed_capacity, transition)) is not None:
        parts.append(b'"ConsumedCapacity":' + capacity)
    if request.return_item_collection_metrics == "SIZE" and collection_key is not None:
        metrics = collection_metrics(transition, collection_key)
        if metrics is not None:
            parts.append(b'"ItemCollectionMetrics":' + orjson.dumps(metrics))
    return b"{" + b",".join(parts) + b"}"


def collection_metrics(transition: Transition, key: Item) -> dict[str, Any] | None:
    """AWS's ItemCollectionMetrics; None for tables without local secondary indexes."""
    table = transition.table
    if table.collections is None:
        return None
    partition = {attribute.name: key[attribute.name] for attribute in table.definition.key.partition}
    return {"ItemCollectionKey": partition, "SizeEstimateRangeGB": estimate_gigabytes(transition.collection_bytes)}


def old_attributes(transition: Transition, returned: bool) -> bytes | None:
    """The old item's JSON when it is to be returned and there was one."""
    return item_bytes(transition.old_stored) if returned and transition.old_stored is not None else None
