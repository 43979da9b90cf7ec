"""`ConsumedCapacity` and item collection metrics: what an answer tells about its cost.

Units of the table and of each index enter, AWS's members leave as JSON values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trine.dynamodb.model.item import stored_size
from trine.dynamodb.storage.items import Transition
from trine.dynamodb.storage.tables import Index, Table

READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024


def read_units(size_bytes: int, consistent: bool | None, *, transactional: bool = False) -> float:
    """Units of a read of `size_bytes` together; a read that finds nothing costs its least unit."""
    blocks = max(1, -(-size_bytes // READ_UNIT_BYTES))
    if transactional:
        return 2.0 * blocks
    return float(blocks) if consistent else blocks / 2


def write_units(old_size_bytes: int, new_size_bytes: int, *, transactional: bool = False) -> float:
    """Units of a write: of the larger of what was and what is."""
    blocks = max(1, -(-max(old_size_bytes, new_size_bytes) // WRITE_UNIT_BYTES))
    return 2.0 * blocks if transactional else float(blocks)


class Consumption:
    """Units consumed in one table, by the table and by its indexes."""

    __slots__ = ("index_units", "table", "table_units")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.table_units = 0.0
        self.index_units: dict[Index, float] = {}

    def add_index(self, index: Index, units: float) -> None:
        """Count units of an index."""
        self.index_units[index] = self.index_units.get(index, 0.0) + units

    def add_transition(self, transition: Transition, *, transactional: bool = False) -> None:
        """Count a write and the index entries that followed it."""
        old, new = transition.old_stored, transition.new_stored
        self.table_units += write_units(
            stored_size(old) if old is not None else 0,
            stored_size(new) if new is not None else 0,
            transactional=transactional,
        )
        for change in transition.index_changes:
            before, after = change.old_size_bytes, change.new_size_bytes
            if change.rekeyed:
                units = write_units(before or 0, 0) + write_units(0, after or 0)
            else:
                units = write_units(before or 0, after or 0)
            self.add_index(change.index, 2 * units if transactional else units)

    def document(self, wanted: str, *, read: bool | None = None) -> dict[str, Any]:
        """AWS's ConsumedCapacity for TOTAL or INDEXES.

        `read` tells transactions' ReadCapacityUnits and WriteCapacityUnits; other operations have only the sum.
        """
        total = self.table_units + sum(self.index_units.values())
        document: dict[str, Any] = {"TableName": self.table.name, **_units(total, read)}
        if wanted == "INDEXES":
            document["Table"] = _units(self.table_units, read)
            for member, is_global in (("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)):
                part = {
                    index.name: _units(units, read)
                    for index, units in self.index_units.items()
                    if index.definition.is_global is is_global
                }
                if part:
                    document[member] = part
        return document


def _units(units: float, read: bool | None) -> dict[str, float]:
    if read is None:
        return {"CapacityUnits": units}
    return {"CapacityUnits": units, "ReadCapacityUnits" if read else "WriteCapacityUnits": units}


def wanted(return_consumed_capacity: str | None) -> bool:
    """Whether the request asked for ConsumedCapacity."""
    return return_consumed_capacity in ("TOTAL", "INDEXES")


def consumed_list(
    consumptions: Mapping[str, Consumption], wanted_kind: str, *, read: bool | None = None
) -> Sequence[dict[str, Any]]:
    """ConsumedCapacity of an operation on several tables: one document for each."""
    return [consumption.document(wanted_kind, read=read) for consumption in consumptions.values()]
