"""What Query and Scan share: which index, which attributes, where to begin, and the page's answer.

A request enters `prepare` steps without the table, then, with the table, becomes a `Target`: the space to read, the
filter and the shape of what goes out. Sentences are AWS's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.projection import Projection, projection
from trine.dynamodb.expressions.projection import attributes_to_get as projected
from trine.dynamodb.model.attribute import Item, validate_item
from trine.dynamodb.model.capacity import ConsumedCapacity, read_units
from trine.dynamodb.model.item import decode_stored, item_bytes, part_of_stored, stored_size
from trine.dynamodb.model.key import NO_MATCH, KeyAttribute, KeySchema, check_key
from trine.dynamodb.operations.conditions import Filter
from trine.dynamodb.operations.consumed import consistency_of, wanted
from trine.dynamodb.operations.expect import attributes_named
from trine.dynamodb.operations.operation import Permission, Rooms
from trine.dynamodb.operations.parameters import expression_context
from trine.dynamodb.shape import table_name_of
from trine.dynamodb.storage.keyspace import KeySpace
from trine.dynamodb.storage.pages import Choose, Page, chooser
from trine.dynamodb.storage.source import Snapshot, Store
from trine.dynamodb.storage.table import Index, Table

_START_KEY = "The provided starting key is invalid"
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


class View(NamedTuple):
    """What goes out of a read: which items, which parts of them. `names` gives the top-level attributes asked for."""

    accept: Callable[[Item], bool] | None
    project: Callable[[Item], Item] | None
    names: Callable[[], set[str]]
    select: str | None = None
    nested: frozenset[str] = frozenset()
    """Top-level attributes of which it looks at parts."""


def view_of(accept: Filter | None, chosen: Projection | None, select: str | None) -> View:
    """The view that a filter and a projection make."""

    nested = accept.nested if accept is not None else frozenset()
    if chosen is None:
        return View(accept, None, set, select, nested)
    return View(accept, chosen.apply, lambda: set(chosen.top_level), select, nested | chosen.nested)


class Target:
    """What is read: the table or one of its indexes."""

    __slots__ = ("consistent", "fetched", "identity", "index", "space", "table")

    def __init__(self, rooms: Rooms, table_name: str, index_name: str | None, consistent: bool | None) -> None:
        self.table: Table = rooms.tables.get(table_name_of(table_name))
        self.index: Index | None = None
        self.consistent = bool(consistent)
        self.space: KeySpace = self.table.space
        self.identity: KeySchema = self.table.definition.key
        self.fetched: list[int] = []
        """Sizes of items that a local index did not carry whole and that were read from the table."""
        if index_name is not None:
            self._use_index(index_name)

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

    def check_filter(self, accept: Filter) -> None:
        """ValidationException when a Query's filter looks at what its index does not carry, local or global.

        A Scan's filter may: it finds nothing there. So both do on AWS for PartiQL, by the record of paritysuite's tests
        of October 2026, and in DynamoDB Local.
        """
        if self.index is None:
            return
        missing = sorted(name for name in accept.attributes if not self.index.definition.carries(name))
        if missing:
            raise ValidationException(
                f"{_INVALID}Secondary index {self.index.name} does not project one or more filter attributes: "
                f"[{', '.join(missing)}]"
            )

    def choose(self, source: Snapshot | Store, view: View) -> Choose | None:
        """What a page does with each stored item; a filter sees what lies there, an index's entry and no more."""
        accept, project = view.accept, view.project
        if self._needs_whole_items(view):
            return self._choose_from_table(source, view)
        if view.select == "COUNT":
            return chooser(accept, _nothing)
        return chooser(accept, None if project is None else lambda item: orjson.dumps(project(item)))

    def _needs_whole_items(self, view: View) -> bool:
        if self.index is None or self.index.definition.projection_type == "ALL":
            return False
        definition = self.index.definition
        missing = sorted(name for name in view.names() if not definition.carries(name))
        if definition.is_global:
            if view.select == "ALL_ATTRIBUTES":
                raise ValidationException(
                    f"{_INVALID}Select type ALL_ATTRIBUTES is not supported for global secondary index "
                    f"{self.index.name} because its projection type is not ALL"
                )
            if missing:
                raise ValidationException(
                    f"{_INVALID}Global secondary index {self.index.name} does not project [{', '.join(missing)}]"
                )
            return False
        return bool(missing) or view.select == "ALL_ATTRIBUTES"

    def _choose_from_table(self, source: Snapshot | Store, view: View) -> Choose:
        def choose(stored: bytes) -> bytes | None:
            entry = decode_stored(stored)
            if view.accept is not None and not view.accept(entry):
                return None
            whole = source.get(self.table.space.key(entry))
            if whole is None:
                return None
            self.fetched.append(stored_size(whole))
            return item_bytes(whole) if view.project is None else orjson.dumps(view.project(decode_stored(whole)))

        return choose

    def check_start_names(self, given: Item, *, scan: bool = False) -> None:
        """ValidationException when `ExclusiveStartKey` has not as many attributes as the key."""
        if len(given) != len(self.identity.names):
            raise ValidationException(f"{_START_KEY}: {NO_MATCH}" if scan and self.index is None else _START_KEY)

    def check_start_part(self, given: Item, attribute: KeyAttribute) -> None:
        """ValidationException when `ExclusiveStartKey` lacks one attribute that the read is ordered by, or has another
        type for it."""
        if attribute.name not in given:
            raise ValidationException(_START_KEY)
        if attribute.type not in given[attribute.name]:
            raise ValidationException(NO_MATCH)

    def start_key(self, given: Item | None) -> bytes | None:
        """Where the item of an `ExclusiveStartKey` lies; ValidationException when it is no key here."""
        if given is None:
            return None
        try:
            validate_item(given)
        except ValidationException as fault:
            raise ValidationException(f"{_INVALID}{fault.message}".replace(_INVALID * 2, _INVALID)) from None
        try:
            check_key(self.identity, given)
        except ValidationException as fault:
            raise ValidationException(f"{_START_KEY}: {fault.message}") from None
        return self.space.key(given)

    def answer(self, request: Any, page: Page) -> bytes:
        """The answer's bytes."""
        count = len(page.items)
        # Joined once: the items of a full page are a megabyte, and each time they are put together costs a copy.
        parts = [b'{"Items":[', b",".join(page.items), b"],"] if request.select != "COUNT" else [b"{"]
        parts.append(b'"Count":%d,"ScannedCount":%d' % (count, page.scanned_count))
        if page.last_stored is not None:
            parts += (b',"LastEvaluatedKey":', part_of_stored(page.last_stored, self.identity.names))
        if wanted(request.return_consumed_capacity):
            consumed = self.consumed(page.size_bytes).document(request.return_consumed_capacity)
            parts += (b',"ConsumedCapacity":', orjson.dumps(consumed))
        parts.append(b"}")
        return b"".join(parts)

    def last_key(self, stored: bytes) -> Item:
        """The `LastEvaluatedKey` after an item."""
        return self.identity.key_of(decode_stored(stored))

    def consumed(self, size_bytes: int) -> ConsumedCapacity:
        """What reading so many bytes here cost, with what was fetched from the table besides."""
        consumed = ConsumedCapacity(self.table.name)
        consistency = consistency_of(self.consistent)
        units = read_units(size_bytes, consistency)
        if self.index is None:
            consumed.add_table(read=units)
        else:
            consumed.add_index(self.index.name, is_global=self.index.definition.is_global, read=units)
            consumed.add_table(read=sum(read_units(size, consistency) for size in self.fetched))
        return consumed


def _nothing(item: Item) -> bytes:
    return b""
