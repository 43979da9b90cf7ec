"""PutItem's bodies, read by the mould of their table where it has one: most requests put items like the ones before.

Enters a body; leaves a `PutItemInput`, or a `CastPut` that says the same and knows the stored form of its item already.
`put_item` shows `Moulds` what went the general way; what is alike again and again gets a mould. Whatever a mould does
not take goes the general way, which finds AWS's words for what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from msgspec import Struct

from trine.dynamodb.model.attribute import Item
from trine.dynamodb.model.item import decode_stored, stored_form
from trine.dynamodb.model.mould import REFUSED, Mould, Pattern
from trine.dynamodb.shape import NAMES_KEPT, PutItemInput
from trine.dynamodb.storage.keyspace import KeySpace

TABLES_MAX_COUNT = 256
WAIT_COUNT = 16
"""Items that go the general way before one of them is looked at; each time twice as many as the time before: to make
a mould takes 0.5 ms."""
WAIT_MAX_COUNT = 1 << 16
ITEM_MAX_BYTES = 8192
"""Larger items are not looked at: what is alike in them is not worth the time."""
CREDIT_COUNT = 64
"""What a mould has to lose, where an item that fits wins 1 and one that does not loses 4 (its time was for nothing)."""
_LOSS_COUNT = 4


class CastPut(Struct, eq=False, gc=False):
    """A PutItem of nothing but an item that was cast: `PutItemInput` for who does not look closer."""

    table_name: str
    mould: Mould
    cast: Any
    stored: bytes
    size_bytes: int
    expected: ClassVar[None] = None
    return_values: ClassVar[None] = None
    return_consumed_capacity: ClassVar[None] = None
    return_item_collection_metrics: ClassVar[None] = None
    conditional_operator: ClassVar[None] = None
    condition_expression: ClassVar[None] = None
    expression_attribute_names: ClassVar[None] = None
    expression_attribute_values: ClassVar[None] = None
    return_values_on_condition_check_failure: ClassVar[None] = None

    @property
    def item(self) -> Item:
        """The whole item, made anew each time."""
        return decode_stored(self.stored)

    def key(self, space: KeySpace) -> bytes | None:
        """Where the item lies in the key space of its table; None where only the general way can tell."""
        quick = space.quick_texts
        texts = self.mould.texts(self.cast, space.schema) if quick is not None else None
        return None if texts is None or quick is None else quick(*texts)


class _Known:
    """What is known of the items of one table."""

    __slots__ = ("count", "credit", "mould", "pattern", "wait_count")

    def __init__(self) -> None:
        self.pattern = Pattern()
        self.mould: Mould | None = None
        self.count, self.wait_count, self.credit = 0, WAIT_COUNT, 0


class Moulds:
    """The moulds of tables, by their names: of items of the same name in several regions, as good as it goes."""

    def __init__(self, general: Callable[[bytes], PutItemInput]) -> None:
        self._tables: dict[str, _Known] = {}
        self._beginnings: dict[bytes, _Known] = {}
        """By what bodies begin with that name the table first."""
        self.decode = self._decoder(general)
        """Bytes → request, as `shape.codec`."""

    def _decoder(self, general: Callable[[bytes], PutItemInput]) -> Callable[[bytes], PutItemInput | CastPut]:
        known_of, names = self._beginnings.get, NAMES_KEPT

        def decode(body: bytes) -> PutItemInput | CastPut:
            known = known_of(body[: body.find(b",")])
            if known is None or (mould := known.mould) is None:
                return general(body)
            try:
                table_name, cast, text, size_bytes = mould.cast(body)
            except REFUSED:
                self._refused(known)
                return general(body)
            if table_name not in names or size_bytes >> 24:
                return general(body)
            known.credit += 1
            return CastPut(table_name, mould, cast, stored_form(text, size_bytes), size_bytes)

        return decode

    def _refused(self, known: _Known) -> None:
        known.credit = min(known.credit, CREDIT_COUNT) - _LOSS_COUNT
        if known.credit <= 0:
            known.mould = None

    def learn(self, table_name: str, item: Item, size_bytes: int) -> None:
        """A validated item went the general way. Not to be changed."""
        known = self._tables.get(table_name)
        if known is None:
            known = self._begin(table_name)
        known.count += 1
        if known.count < known.wait_count or size_bytes > ITEM_MAX_BYTES:
            return
        known.count, known.wait_count = 0, min(2 * known.wait_count, WAIT_MAX_COUNT)
        known.mould = known.pattern.mould(item)
        known.credit = CREDIT_COUNT

    def _begin(self, table_name: str) -> _Known:
        if len(self._tables) >= TABLES_MAX_COUNT:
            self._tables.clear()
            self._beginnings.clear()
        known = self._tables[table_name] = _Known()
        for between in (b"", b" "):
            self._beginnings[b'{"TableName":%b"%b"' % (between, table_name.encode())] = known
        return known

    def forget(self, table_name: str) -> None:
        """Puts to this table have no use for a mould any more."""
        known = self._tables.get(table_name)
        if known is not None:
            known.mould, known.count, known.wait_count = None, 0, WAIT_COUNT
