"""Where things lie in the ordered store: keys that sort as DynamoDB sorts.

An item or key enters, bytes leave. One space holds one table's items or one index's entries:

    i | table number (4) | index number (2) | hash of the partition key (4) | partition key | sort key | item's own key

The hash spreads partitions, so that a Scan's segments are equal slices of it and the order of partitions tells nothing,
as on AWS. The item's own key ends the entries of indexes, where several items may share one index key. Strings and
binaries are packed by `kv.tuple`, numbers by `model.number.sortable_number`; all of them end themselves.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable
from zlib import crc32

from trine.dynamodb.model.attribute import AttributeValue, Item
from trine.dynamodb.model.key import KeyAttribute, KeySchema
from trine.dynamodb.model.number import sortable_number
from trine.dynamodb.storage.quick_keys import QUICK, quick_keys, quick_texts
from trine.kv.tuple import after, pack_bytes, pack_str

CATALOGUE = b"c"
"""c | kind | 0 | name: documents of the control plane."""
ITEMS = b"i"
COUNTERS = b"n"
"""n | table number | index number | what: signed sums."""
STREAMS = b"s"
"""s | table number | stream number | commit sequence: stream records, in order of commit."""
HISTORY = b"h"
"""h | table number | commit sequence: what each write replaced, for point-in-time recovery."""
# b"q" belongs to the messaging wing: `messaging/message_store.py`.
TOKENS = b"t"
"""t | token: what a TransactWriteItems with that token answered, and until when that counts."""

STRING_END_BYTES = 2
"""How many bytes end a packed string or binary."""
BASE_INDEX = 0
EXPIRY_INDEX = 0xFFFF
"""The index number of the times at which items expire."""


def table_prefix(namespace: bytes, table_number: int) -> bytes:
    """The start of every key that belongs to a table in one namespace."""
    return namespace + table_number.to_bytes(4, "big")


def encode_text(value: AttributeValue) -> bytes:
    """A string value as key bytes."""
    return pack_str(value["S"])


def encode_binary(value: AttributeValue) -> bytes:
    """A binary value as key bytes."""
    return pack_bytes(a2b_base64(value["B"]))


def encode_number(value: AttributeValue) -> bytes:
    """A number value as key bytes."""
    return sortable_number(value["N"])


Encoder = Callable[[AttributeValue], bytes]
_ENCODERS: dict[str, Encoder] = {"S": encode_text, "B": encode_binary, "N": encode_number}


def encode_prefix(value: AttributeValue) -> bytes:
    """The bytes that the keys of all strings or binaries beginning with `value` begin with."""
    packed = encode_text(value) if "S" in value else encode_binary(value)
    return packed[:-STRING_END_BYTES]


def encode_key_value(value: AttributeValue) -> bytes:
    """One validated S, N or B value as key bytes."""
    ((kind, _),) = value.items()
    return _ENCODERS[kind](value)


def _joined(attributes: tuple[KeyAttribute, ...]) -> Callable[[Item], bytes]:
    encoders = [(attribute.name, _ENCODERS[attribute.type]) for attribute in attributes]
    if not encoders:
        return lambda item: b""
    if len(encoders) == 1:
        name, encode = encoders[0]
        return lambda item: encode(item[name])
    return lambda item: b"".join([encode(item[name]) for name, encode in encoders])


class KeySpace:
    """The keys of one table's items, or of one index's entries."""

    __slots__ = ("_own", "_partition", "_quick_partition", "_sort", "prefix", "quick_item_key", "quick_key",
                 "quick_sort", "quick_texts", "schema", "start", "stop")  # fmt: skip

    def __init__(self, table_number: int, index_number: int, schema: KeySchema, own: KeySchema | None = None) -> None:
        self.schema = schema
        self.prefix = self.start = table_prefix(ITEMS, table_number) + index_number.to_bytes(2, "big")
        self.stop = after(self.prefix)
        self._partition = _joined(schema.partition)
        self._sort = _joined(schema.sort) if schema.sort else None
        self.quick_key, self.quick_item_key = quick_keys(self.prefix, schema)
        """The key of a plain, valid `Key` of a table, or of an item, at once; None sends the caller the long way."""
        self.quick_texts = quick_texts(self.prefix, schema)
        """The same of the texts that the values of a valid key hold; None for keys of other kinds."""
        self._quick_partition = QUICK[schema.partition[0].type]
        self.quick_sort = QUICK[schema.sort[0].type] if len(schema.sort) == 1 else None
        """The bytes of a plain value of the one sort attribute; None when there is no such attribute."""
        self._own = _joined(own.attributes) if own is not None else None

    def key(self, item: Item) -> bytes:
        """The key of an item, or of its entry; every key attribute must be there and valid."""
        partition = self._partition(item)
        key = self.prefix + crc32(partition).to_bytes(4, "big") + partition
        if self._sort is not None:
            key += self._sort(item)
        if self._own is not None:
            key += self._own(item)
        return key

    def quick_partition(self, value: AttributeValue) -> bytes | None:
        """What all keys of a partition begin with, from the plain value of its one attribute."""
        partition = self._quick_partition(value)
        if partition is None:
            return None
        return self.prefix + crc32(partition).to_bytes(4, "big") + partition

    def partition(self, item: Item) -> bytes:
        """What all keys of the item's partition begin with."""
        partition = self._partition(item)
        return self.prefix + crc32(partition).to_bytes(4, "big") + partition

    def segment(self, segment: int, total_segments: int) -> tuple[bytes, bytes]:
        """Start and stop of one of `total_segments` equal slices of the hash."""
        bounds = [(part << 32) // total_segments for part in (segment, segment + 1)]
        start = self.prefix + bounds[0].to_bytes(4, "big")
        return start, self.stop if bounds[1] == 1 << 32 else self.prefix + bounds[1].to_bytes(4, "big")


def catalogue_key(kind: str, name: str) -> bytes:
    """The key of a document; names sort within their kind."""
    return CATALOGUE + kind.encode() + b"\0" + name.encode()


def counter_key(table_number: int, index_number: int, what: bytes) -> bytes:
    """The key of a signed sum that belongs to a table or index."""
    return table_prefix(COUNTERS, table_number) + index_number.to_bytes(2, "big") + what
