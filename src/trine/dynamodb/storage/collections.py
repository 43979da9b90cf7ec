"""Item collections: all items with one partition key, in a table with local secondary indexes, and their size.

An item's key enters, the key of its collection's counter leaves; the commit that changes an item or an entry of a local
index moves the counter. Source: "Item collections in local secondary indexes": the size counts both, and 10 GB is
the most that one may have; deleting stays possible beyond it.
"""

from __future__ import annotations

from trine.dynamodb.model.key import KeyAttribute
from trine.dynamodb.storage.keyspace import COUNTERS, table_prefix

COLLECTIONS_INDEX = 0xFFFE
"""In place of an index's number, under the table's counters."""
GIGABYTE = 1024**3
_HASH_BYTES = 4


class Collections:
    """The collections of one table. `most_bytes` is the ceiling of each."""

    __slots__ = ("_at", "_prefix", "_type", "most_bytes")

    def __init__(self, table_number: int, partition: KeyAttribute, item_prefix_bytes: int, most_bytes: int) -> None:
        self._prefix = table_prefix(COUNTERS, table_number) + COLLECTIONS_INDEX.to_bytes(2, "big")
        self._at, self._type = item_prefix_bytes, partition.type
        self.most_bytes = most_bytes

    def counter(self, key: bytes) -> bytes:
        """Where the size of the collection of the item under `key` is counted."""
        return self._prefix + key[self._at : partition_end(key, self._at + _HASH_BYTES, self._type)]


def partition_end(key: bytes, start: int, kind: str) -> int:
    """Where the packed partition key that begins at `start` ends (`storage.keyspace` and `sortable_number` pack it)."""
    if kind != "N":
        return key.index(b"\0\x01", start + 1) + 2
    sign = key[start]
    if sign == 2:
        return start + 1
    # Behind sign and exponent come pairs of digits, which are neither of the bytes that end them.
    return key.index(b"\0" if sign == 3 else b"\xff", start + 2) + 1


def size_of(counted: bytes | None) -> int:
    """A collection's size in bytes, from its counter."""
    return max(0, int.from_bytes(counted, "big", signed=True)) if counted is not None else 0


def estimate_gigabytes(size_bytes: int) -> list[float]:
    """AWS's `SizeEstimateRangeGB`."""
    whole = size_bytes // GIGABYTE
    return [float(whole), float(whole + 1)]
