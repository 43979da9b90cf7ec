"""What Query and Scan share: which index, which attributes, where to begin, and the page's answer.

A request enters `prepare` steps without the table, then, with the table, becomes a `Target`: the space to read, the
filter and the shape of what goes out. Sentences are AWS's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.projection import Projection, projection
from trine.dynamodb.expressions.projection import attributes_to_get as projected
from trine.dynamodb.model.attribute import Item, validate_item
from trine.dynamodb.model.capacity import ConsumedCapacity, read_units
from trine.dynamodb.model.item import decode_stored, item_bytes, stored_size
from trine.dynamodb.model.key import KeySchema, check_key
from trine.dynamodb.operations.conditions import Filter
from trine.dynamodb.operations.consumed import consistency_of, wanted
from trine.dynamodb.operations.expect import attributes_named
from trine.dynamodb.operations.operation import Permission, Rooms
from trine.dynamodb.operations.parameters import expression_context
from trine.dynamodb.shape import table_name_of
from trine.dynamodb.storage.keyspace import KeySpace
from trine.dynamodb.storage.pages import Choose, Page, chooser
from trine.dynamodb.storage.tables import Index, Table
from trine.kv.store import Snapshot, Store

_INVALID = "One or more parameter values were invalid: "


def projection_of(request: Any) -> Projection | None:
    """The projection of GetItem or of a part of BatchGetItem."""
    if request.projection_expression is None and request.expression_attribute_names is None:
        return legacy_projection(getattr(request, "attributes_to_get", None))
    context = expression_context(
        request,
        (("ProjectionExpression", request.projection_expression),),
        (("AttributesToGet", getattr(request, "attributes_to_get", None)),),
    )
    if request.projection_expression is not None:
        chosen = projection(request.projection_expression, context)
        context.check_all_used()
        return chosen
    return legacy_projection(getattr(request, "attributes_to_get", None))


def legacy_projection(attributes_to_get: list[str] | None) -> Projection | None:
    """The projection that `AttributesToGet` asks for: whole attributes, each named once."""
    if attributes_to_get is None:
        return None
    return projected(attributes_to_get)


def check_select(request: Any) -> None:
    """Whether `Select` and what chooses attributes agree."""
    select = request.select
    chosen = "AttributesToGet" if request.attributes_to_get is not None else None
    chosen = "ProjectionExpression" if request.projection_expression is not None else chosen
    if select == "SPECIFIC_ATTRIBUTES" and chosen is None:
        raise ValidationException(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if select is not None and select != "SPECIFIC_ATTRIBUTES" and chosen is not None:
        what = "only the Count" if select == "COUNT" else select
        raise ValidationException(f"Cannot specify the {chosen} when choosing to get {what}")
    if select == "ALL_PROJECTED_ATTRIBUTES" and request.index_name is None:
        raise ValidationException("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")


def reading_permission(action: str, leading: Callable[[Rooms, Any], Iterable[str]]) -> Callable[[Rooms, Any], Any]:
    """The permission of Query or Scan: on the table, or on the index."""

    def context(rooms: Rooms, request: Any) -> dict[str, list[str]]:
        chosen = "SPECIFIC_ATTRIBUTES" if request.projection_expression or request.attributes_to_get else None
        default = "ALL_ATTRIBUTES" if request.index_name is None else "ALL_PROJECTED_ATTRIBUTES"
        return {
            "dynamodb:LeadingKeys": list(leading(rooms, request)),
            "dynamodb:Attributes": sorted(attributes_named(request)),
            "dynamodb:Select": [request.select or chosen or default],
        }

    def permissions(rooms: Rooms, request: Any) -> Sequence[Permission]:
        arn = rooms.table_arn(request.table_name)
        if request.index_name is not None:
            arn = f"{arn}/index/{request.index_name}"
        return ((action, arn, context),)

    return permissions


class Target:
    """What is read: the table or one of its indexes, and what goes out of it."""

    __slots__ = ("consistent", "counts_only", "fetched", "identity", "index", "space", "table")

    def __init__(self, rooms: Rooms, request: Any) -> None:
        self.table: Table = rooms.tables.get(table_name_of(request.table_name))
        self.index: Index | None = None
        self.consistent = bool(request.consistent_read)
        self.space: KeySpace = self.table.space
        self.identity: KeySchema = self.table.definition.key
        self.fetched: list[int] = []
        """Sizes of items that a local index did not carry whole and that were read from the table."""
        if request.index_name is not None:
            self._use_index(request.index_name)
        self.counts_only = request.select == "COUNT"

    @property
    def key(self) -> KeySchema:
        """The key that the read is ordered by."""
        return self.space.schema

    def _use_index(self, name: str) -> None:
        index = self.table.by_name.get(name)
        if index is None or index.status == "DELETING":
            raise ValidationException(f"The table does not have the specified index: {name}")
        if index.status == "CREATING":
            raise ValidationException(f"Cannot read from backfilling global secondary index: {name}")
        if self.consistent and index.definition.is_global:
            raise ValidationException("Consistent reads are not supported on global secondary indexes")
        self.index, self.space, self.identity = index, index.space, index.definition.identity

    def choose(
        self, source: Snapshot | Store, request: Any, accept: Filter | None, chosen: Projection | None
    ) -> Choose | None:
        """What a page does with each stored item."""
        if self._needs_whole_items(request, accept, chosen):
            return self._choose_from_table(source, accept, chosen)
        if self.counts_only:
            return chooser(accept, _nothing)
        return chooser(accept, None if chosen is None else lambda item: orjson.dumps(chosen.apply(item)))

    def _needs_whole_items(self, request: Any, accept: Filter | None, chosen: Projection | None) -> bool:
        if self.index is None or self.index.definition.projection_type == "ALL":
            return False
        definition = self.index.definition
        wanted_names = set(chosen.top_level) if chosen is not None else set()
        if accept is not None:
            wanted_names |= accept.attributes
        missing = sorted(name for name in wanted_names if not definition.carries(name))
        if definition.is_global:
            if request.select == "ALL_ATTRIBUTES":
                raise ValidationException(
                    f"{_INVALID}Select type ALL_ATTRIBUTES is not supported for global secondary index "
                    f"{self.index.name} because its projection type is not ALL"
                )
            if missing:
                raise ValidationException(
                    f"{_INVALID}Global secondary index {self.index.name} does not project [{', '.join(missing)}]"
                )
            return False
        return bool(missing) or request.select == "ALL_ATTRIBUTES"

    def _choose_from_table(self, source: Snapshot | Store, accept: Filter | None, chosen: Projection | None) -> Choose:
        def choose(stored: bytes) -> bytes | None:
            whole = source.get(self.table.space.key(decode_stored(stored)))
            if whole is None:
                return None
            self.fetched.append(stored_size(whole))
            item = decode_stored(whole)
            if accept is not None and not accept(item):
                return None
            return item_bytes(whole) if chosen is None else orjson.dumps(chosen.apply(item))

        return choose

    def start_key(self, request: Any) -> bytes | None:
        """Where the item of `ExclusiveStartKey` lies; ValidationException when it is no key here."""
        given = request.exclusive_start_key
        if given is None:
            return None
        try:
            validate_item(given)
        except ValidationException as fault:
            raise ValidationException(f"{_INVALID}{fault.message}".replace(_INVALID * 2, _INVALID)) from None
        if len(given) != len(self.identity.names):
            raise ValidationException("The provided starting key is invalid")
        try:
            check_key(self.identity, given)
        except ValidationException as fault:
            raise ValidationException(f"The provided starting key is invalid: {fault.message}") from None
        return self.space.key(given)

    def answer(self, request: Any, page: Page) -> bytes:
        """The answer's bytes."""
        parts = []
        if not self.counts_only:
            parts.append(b'"Items":[' + b",".join(page.items) + b"]")
        parts.append(b'"Count":%d,"ScannedCount":%d' % (len(page.items), page.scanned_count))
        if page.last_stored is not None:
            last: Item = self.identity.key_of(decode_stored(page.last_stored))
            parts.append(b'"LastEvaluatedKey":' + orjson.dumps(last))
        if wanted(request.return_consumed_capacity):
            consumed = self._consumed(page).document(request.return_consumed_capacity)
            parts.append(b'"ConsumedCapacity":' + orjson.dumps(consumed))
        return b"{" + b",".join(parts) + b"}"

    def _consumed(self, page: Page) -> ConsumedCapacity:
        consumed = ConsumedCapacity(self.table.name)
        consistency = consistency_of(self.consistent)
        units = read_units(page.size_bytes, consistency)
        if self.index is None:
            consumed.add_table(read=units)
        else:
            consumed.add_index(self.index.name, is_global=self.index.definition.is_global, read=units)
            consumed.add_table(read=sum(read_units(size, consistency) for size in self.fetched))
        return consumed


def _nothing(item: Item) -> bytes:
    return b""
