"""Capacity units: what a read or write of so many bytes costs, per table and index, and the document that tells it.

Sizes in bytes enter, units leave. Source: developer guide, "Read and write capacity units": a read unit is 4 KB read
strongly, half of one eventually, two in a transaction; a write unit is 1 KB, two in a transaction. Sums are exact:
units are kept as floats that are whole or half.
"""

from __future__ import annotations

from typing import Any, Literal

from trine.dynamodb.limits import READ_UNIT_BYTES, WRITE_UNIT_BYTES

Consistency = Literal["strong", "eventual", "transactional"]
Returned = Literal["NONE", "TOTAL", "INDEXES"]
LEAST_READ_UNITS: dict[Consistency, float] = {"strong": 1.0, "eventual": 0.5, "transactional": 2.0}
"""Of up to 4 KB; larger reads cost a multiple."""


def read_units(size_bytes: int, consistency: Consistency) -> float:
    """Units of reading `size_bytes`; nothing found costs as much as the smallest item."""
    return max(1, -(-size_bytes // READ_UNIT_BYTES)) * LEAST_READ_UNITS[consistency]


def write_units(size_bytes: int, *, transactional: bool = False) -> float:
    """Units of writing an item of `size_bytes`: the larger one of before and after, as the caller knows them."""
    units = float(max(1, -(-size_bytes // WRITE_UNIT_BYTES)))
    return units * 2 if transactional else units


def index_write_units(
    old_size_bytes: int | None,
    new_size_bytes: int | None,
    *,
    key_changed: bool,
    changed: bool,
    transactional: bool = False,
) -> float:
    """Units that a write costs one secondary index.

    Sizes are those of the index's entry before and after, None where there is none. An entry that appears or goes
    costs one write, one whose index key changes costs two (delete and put), one whose carried attributes change one,
    one that stays the same nothing. Source: developer guide, "Provisioned throughput considerations for GSIs".
    """
    if old_size_bytes is None and new_size_bytes is None:
        return 0.0
    if old_size_bytes is None or new_size_bytes is None:
        return write_units(old_size_bytes or new_size_bytes or 0, transactional=transactional)
    if key_changed:
        return write_units(old_size_bytes, transactional=transactional) + write_units(
            new_size_bytes, transactional=transactional
        )
    if not changed:
        return 0.0
    return write_units(max(old_size_bytes, new_size_bytes), transactional=transactional)


class ConsumedCapacity:
    """Units that one request took from one table and its indexes; grows as rooms add to it."""

    __slots__ = ("global_indexes", "local_indexes", "table_name", "table_read", "table_write")

    def __init__(self, table_name: str) -> None:
        self.table_name = table_name
        self.table_read = 0.0
        self.table_write = 0.0
        self.local_indexes: dict[str, tuple[float, float]] = {}
        self.global_indexes: dict[str, tuple[float, float]] = {}

    def add_table(self, *, read: float = 0.0, write: float = 0.0) -> None:
        """Units of the table itself."""
        self.table_read += read
        self.table_write += write

    def add_index(self, name: str, *, is_global: bool, read: float = 0.0, write: float = 0.0) -> None:
        """Units of one index; none at all leave no trace."""
        if not read and not write:
            return
        indexes = self.global_indexes if is_global else self.local_indexes
        before = indexes.get(name, (0.0, 0.0))
        indexes[name] = (before[0] + read, before[1] + write)

    @property
    def read(self) -> float:
        """Read units in all."""
        return self.table_read + sum(read for read, _ in self._indexes())

    @property
    def write(self) -> float:
        """Write units in all."""
        return self.table_write + sum(write for _, write in self._indexes())

    @property
    def total(self) -> float:
        """Units in all, of both kinds."""
        return self.read + self.write

    def _indexes(self) -> list[tuple[float, float]]:
        return [*self.local_indexes.values(), *self.global_indexes.values()]

    def document(self, returned: Returned | None, *, by_kind: bool = False) -> dict[str, Any] | None:
        """AWS's ConsumedCapacity for `ReturnConsumedCapacity`; None when it is not wanted.

        `by_kind` adds ReadCapacityUnits and WriteCapacityUnits, as transactions answer them.
        """
        if returned is None or returned == "NONE":
            return None
        document: dict[str, Any] = {"TableName": self.table_name}
        document |= _units(self.read, self.write, by_kind)
        if returned == "TOTAL":
            return document
        document["Table"] = _units(self.table_read, self.table_write, by_kind)
        for member, indexes in (
            ("LocalSecondaryIndexes", self.local_indexes),
            ("GlobalSecondaryIndexes", self.global_indexes),
        ):
            if indexes:
                document[member] = {name: _units(read, write, by_kind) for name, (read, write) in indexes.items()}
        return document


def _units(read: float, write: float, by_kind: bool) -> dict[str, float]:
    units = {"CapacityUnits": read + write}
    if by_kind:
        if read:
            units["ReadCapacityUnits"] = read
        if write:
            units["WriteCapacityUnits"] = write
    return units
