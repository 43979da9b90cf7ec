"""The meter of one table: its own units and those of its global secondary indexes.

A definition and the Clock's ticks enter; reads and writes pass or raise a `ThrottledError`. Local secondary indexes
take from the table. A write takes from the table and from each global index that follows it, all or nothing: an index
without write units throttles its table ("GSI … back pressure", developer guide).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trine.dynamodb.errors import ThrottledError
from trine.dynamodb.limits import (
    ON_DEMAND_READ_UNITS_PER_SECOND,
    ON_DEMAND_WRITE_UNITS_PER_SECOND,
    PARTITION_MAX_BYTES,
    PARTITION_READ_UNITS_PER_SECOND,
    PARTITION_WRITE_UNITS_PER_SECOND,
)
from trine.dynamodb.model.table import IndexDefinition, TableDefinition, Throughput, warm_from
from trine.dynamodb.throughput.flow import A_LITTLE, Capacity, Flow, Kind, LimitType
from trine.dynamodb.throughput.partitions import Partitions
from trine.dynamodb.throughput.throttle import refusal

_ROUNDING = 1e-6  # refilling in many small steps must not cost a unit
NOWHERE = bytes(4)
IndexUnits = tuple[str, bytes, float]
"""A global index's name, the hash of its entry's partition key, and write units."""


class Resource:
    """A table or a global secondary index."""

    __slots__ = ("arn", "is_index", "partitions", "reads", "writes")

    def __init__(
        self, arn: str, is_index: bool, reads: Capacity, writes: Capacity, now_ns: int, enforced: bool
    ) -> None:
        self.arn, self.is_index = arn, is_index
        self.partitions = Partitions(now_ns)
        self.reads = Flow("Read", reads, self.partitions, now_ns, enforced)
        self.writes = Flow("Write", writes, self.partitions, now_ns, enforced)
        self.grow(0, now_ns)

    def change(self, reads: Capacity, writes: Capacity, now_ns: int) -> None:
        """Work with other capacities."""
        self.reads.change(reads, now_ns)
        self.writes.change(writes, now_ns)
        self.grow(0, now_ns)

    def grow(self, size_bytes: int, now_ns: int) -> None:
        """As many partitions as capacity and size ask for."""
        reads = self.reads.units_per_second / PARTITION_READ_UNITS_PER_SECOND
        writes = self.writes.units_per_second / PARTITION_WRITE_UNITS_PER_SECOND
        wanted = reads + writes if not self.writes.on_demand else max(reads, writes)
        self.partitions.at_least(max(_whole(wanted), _whole(size_bytes / PARTITION_MAX_BYTES)), now_ns)

    def memory(self, now_ns: int) -> dict[str, Any]:
        """What a restart must not forget: plain JSON values."""
        starts = [start for start, _ in self.partitions.ranges()]
        heat_splits = self.partitions.heat_splits
        flows: dict[str, Any] = {flow.kind: flow.memory(now_ns) for flow in (self.reads, self.writes)}
        return {"starts": starts, "heatSplits": heat_splits, **flows}

    def recall(self, memory: Mapping[str, Any], elapsed_seconds: float, now_ns: int) -> None:
        """Go on from a `memory` that was taken `elapsed_seconds` ago."""
        self.partitions.recall(memory["starts"], memory["heatSplits"], now_ns)
        for flow in (self.reads, self.writes):
            flow.recall(memory[flow.kind], elapsed_seconds, now_ns)

    def statistics(self, now_ns: int) -> dict[str, Any]:
        """Figures for people: plain JSON values."""
        return {
            "partitions": len(self.partitions),
            "heatSplits": self.partitions.heat_splits,
            **{
                flow.kind: {
                    "unitsPerSecond": flow.units_per_second,
                    "unitsLeft": round(flow.bucket.level(now_ns), 3),
                    "consumed": flow.consumed,
                    "throttled": dict(flow.throttled),
                }
                for flow in (self.reads, self.writes)
            },
        }


class Meter:
    """Takes units from a table and its global indexes. `enforced` False counts and lets everything pass."""

    __slots__ = (
        "_admit_read",
        "_admit_write",
        "_definition",
        "_sizes",
        "_ticks",
        "_turned_ns",
        "enforced",
        "indexes",
        "table",
    )

    def __init__(
        self,
        arn: str,
        definition: TableDefinition,
        ticks: Callable[[], int],
        sizes: Callable[[str | None], int] = lambda name: 0,
        *,
        enforced: bool = True,
    ) -> None:
        """`ticks` is the Clock's `monotonic_ns`; `sizes` gives bytes of the table (None) or of an index by name."""
        self._ticks, self._sizes = ticks, sizes
        self.enforced = enforced
        self._definition = definition
        now_ns = self._turned_ns = ticks()
        self.table = Resource(arn, False, *capacities(definition, None), now_ns, enforced)
        # For `read_table` and `write_table`; a table keeps its flows for as long as it lives.
        self._admit_read, self._admit_write = self.table.reads.admit, self.table.writes.admit
        self.indexes: dict[str, Resource] = {
            index.name: self._index(index, now_ns) for index in definition.global_indexes
        }

    def change(self, definition: TableDefinition) -> None:
        """The table has this definition now."""
        now_ns = self._ticks()
        self._definition = definition
        self.table.change(*capacities(definition, None), now_ns)
        before, self.indexes = self.indexes, {}
        for index in definition.global_indexes:
            known = before.get(index.name)
            if known is None:
                known = self._index(index, now_ns)
            else:
                known.change(*capacities(definition, index), now_ns)
            self.indexes[index.name] = known

    def read(self, place: bytes, units: float, index_name: str | None = None) -> None:
        """Take the units of a read of the table (or of a global index), done already. ThrottledError."""
        resource = self.table if index_name is None else self.indexes[index_name]
        limit = resource.reads.admit(units, A_LITTLE, place, self._ticks())
        if limit is not None:
            raise self._refusal(resource, resource.reads, limit, units)

    def read_table(self, place: bytes, units: float) -> None:
        """As `read`, of the table itself: the hot path."""
        limit = self._admit_read(units, A_LITTLE, place, self._ticks())
        if limit is not None:
            raise self._refusal(self.table, self.table.reads, limit, units)

    def check_read(self, place: bytes, index_name: str | None = None) -> None:
        """ThrottledError when a read would be refused now: spares the work of reading a page for nothing."""
        if not self.enforced:
            return
        resource = self.table if index_name is None else self.indexes[index_name]
        limit = resource.reads.admit(0.0, A_LITTLE, place, self._ticks())
        if limit is not None:
            raise self._refusal(resource, resource.reads, limit, 0.0)

    def pay_read(self, place: bytes, units: float, index_name: str | None = None) -> None:
        """Take the units of a read that `check_read` let in."""
        resource = self.table if index_name is None else self.indexes[index_name]
        if not self.enforced:
            resource.reads.admit(units, A_LITTLE, place, self._ticks())  # counts what a limit would have refused
            return
        resource.reads.take(units, place, self._ticks())

    def write(self, place: bytes, units: float, indexes: Iterable[IndexUnits] = ()) -> None:
        """Take the units of a write of the table and of its global indexes, or none at all. ThrottledError."""
        now_ns = self._ticks()
        flow = self.table.writes
        limit = flow.admit(units, units - _ROUNDING, place, now_ns)
        if limit is not None:
            raise self._refusal(self.table, flow, limit, units)
        if not indexes:
            return
        taken = [(flow, place, units)]
        for name, index_place, index_units in indexes:
            resource = self.indexes.get(name)
            if resource is None:
                continue
            limit = resource.writes.admit(index_units, index_units - _ROUNDING, index_place, now_ns)
            if limit is not None:
                for other, where, amount in taken:
                    other.take(-amount, where, now_ns)
                raise self._refusal(resource, resource.writes, limit, index_units)
            taken.append((resource.writes, index_place, index_units))

    def write_table(self, place: bytes, units: float) -> None:
        """As `write`, where no global index follows: the hot path."""
        limit = self._admit_write(units, units - _ROUNDING, place, self._ticks())
        if limit is not None:
            raise self._refusal(self.table, self.table.writes, limit, units)

    def give_back(self, place: bytes, units: float, indexes: Iterable[IndexUnits] = ()) -> None:
        """Undo a `write`: the transaction that it belongs to does not happen."""
        now_ns = self._ticks()
        self.table.writes.take(-units, place, now_ns)
        for name, index_place, index_units in indexes:
            if name in self.indexes:
                self.indexes[name].writes.take(-index_units, index_place, now_ns)

    def turn(self) -> None:
        """Close the minutes that have ended, also where nothing happened, and grow with size and demand."""
        now_ns = self._ticks()
        for name, resource in ((None, self.table), *self.indexes.items()):
            resource.reads.turn(now_ns)
            resource.writes.turn(now_ns)
            resource.grow(self._sizes(name), now_ns)

    def memory(self) -> dict[str, Any]:
        """What a restart must not forget, of the table and its global indexes: plain JSON values."""
        now_ns = self._ticks()
        indexes = {name: resource.memory(now_ns) for name, resource in self.indexes.items()}
        return {**self.table.memory(now_ns), "indexes": indexes}

    def recall(self, memory: Mapping[str, Any], elapsed_seconds: float) -> None:
        """Go on from a `memory` that was taken `elapsed_seconds` ago."""
        now_ns = self._ticks()
        self.table.recall(memory, elapsed_seconds, now_ns)
        for name, resource in self.indexes.items():
            if name in memory["indexes"]:
                resource.recall(memory["indexes"][name], elapsed_seconds, now_ns)

    @property
    def consumed(self) -> float:
        """Units taken since the start, of the table and its global indexes."""
        flows = [flow for one in (self.table, *self.indexes.values()) for flow in (one.reads, one.writes)]
        return sum([flow.consumed for flow in flows])

    def flow(self, kind: Kind, index_name: str | None = None) -> Flow | None:
        """The reads or writes of the table or of a global index; None when there is no such index."""
        resource = self.table if index_name is None else self.indexes.get(index_name)
        if resource is None:
            return None
        return resource.reads if kind == "Read" else resource.writes

    def statistics(self) -> Mapping[str, Any]:
        """Figures of the table and of each global index, for people: plain JSON values."""
        now_ns = self._ticks()
        return {
            **self.table.statistics(now_ns),
            "indexes": {name: resource.statistics(now_ns) for name, resource in self.indexes.items()},
        }

    def _refusal(self, resource: Resource, flow: Flow, limit: LimitType, units: float) -> ThrottledError:
        return refusal(resource.arn, resource.is_index, flow, limit, units, self._ticks())

    def _index(self, index: IndexDefinition, now_ns: int) -> Resource:
        arn = f"{self.table.arn}/index/{index.name}"
        return Resource(arn, True, *capacities(self._definition, index), now_ns, self.enforced)


def place_of(key: bytes) -> bytes:
    """The hash of the partition key in a stored key (`storage.keyspace`), or where a whole table begins."""
    return key[7:11] or NOWHERE


def capacities(definition: TableDefinition, index: IndexDefinition | None) -> tuple[Capacity, Capacity]:
    """What the table, or one of its global indexes, may read and write."""
    of = definition if index is None else index
    if definition.billing_mode != "PAY_PER_REQUEST":
        provisioned = of.throughput or definition.throughput or Throughput(1, 1)
        return Capacity(float(provisioned.read_units)), Capacity(float(provisioned.write_units))
    warm = warm_from(definition.settings) if index is None else index.warm_throughput
    reads, writes = ON_DEMAND_READ_UNITS_PER_SECOND, ON_DEMAND_WRITE_UNITS_PER_SECOND
    if warm is not None:
        reads, writes = max(reads, warm.read_units), max(writes, warm.write_units)
    ceilings = of.on_demand_throughput or Throughput(-1, -1)
    return (
        Capacity(None, float(reads), _ceiling(ceilings.read_units)),
        Capacity(None, float(writes), _ceiling(ceilings.write_units)),
    )


def _ceiling(units: int) -> float | None:
    return float(units) if units > 0 else None


def _whole(amount: float) -> int:
    return max(1, -int(-amount // 1))
