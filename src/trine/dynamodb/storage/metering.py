"""The meters of all tables, kept by the Clock: minutes end, tables grow, auto scaling follows.

Tables enter as they are made and changed; each gets a meter and a memory of its recent writes that outlive its changes.
Once a minute, by the injected clock, minutes are closed and what scaling policies decide is committed. Every few
seconds the meters that were used are kept in the catalogue: a restart goes on with their buckets, peaks and partitions,
also after a server that was killed.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from trine.clock import Clock, Timer
from trine.dynamodb.consistency.recent import RecentWrites
from trine.dynamodb.errors import ResourceInUseException, ResourceNotFoundException
from trine.dynamodb.limits import STORED_ITEM_OVERHEAD_BYTES
from trine.dynamodb.model.table import TableDefinition, Throughput
from trine.dynamodb.scaling.controller import Controller, Decreases
from trine.dynamodb.scaling.policy import TargetTracking, target_tracking
from trine.dynamodb.scaling.target import ScalableTarget, scalable_target
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.dynamodb.storage.table import Index, Table
from trine.dynamodb.storage.tables import Tables
from trine.dynamodb.throughput.demand import MINUTE_SECONDS
from trine.dynamodb.throughput.flow import Kind
from trine.dynamodb.throughput.meter import Meter
from trine.kv.errors import StoreError
from trine.kv.store import Store
from trine.metering.kinds.meter import GB_BYTES
from trine.metering.ledger import TableLevel

_log = logging.getLogger("trine.dynamodb")
METER_KIND = "dynamodb:meter"
INFREQUENT = "STANDARD_INFREQUENT_ACCESS"
KEPT_SECONDS = 5
"""How much of what its meters know a killed server may forget. Each time costs a commit for every table in use."""
Name = tuple[str, str | None, Kind]


class Metering:
    """Meters, recent writes and auto scaling of every table."""

    def __init__(
        self, store: Store, catalogue: DocumentCatalogue, tables: Tables, clock: Clock, *, throttling: bool = True
    ) -> None:
        self.throttling = throttling
        self._store, self._tables, self._clock = store, tables, clock
        self._kept: dict[int, tuple[Meter, RecentWrites]] = {}
        self._targets: dict[Name, ScalableTarget] = {}
        self._policies: dict[Name, TargetTracking] = {}
        self._controllers: dict[Name, Controller] = {}
        self._decreases: dict[tuple[str, str | None], Decreases] = {}
        self._catalogue = catalogue
        self._remembered: dict[int, float] = {}
        """Of each table, what was consumed when its meter was last kept."""
        self._timer: Timer | None = None
        self._keeping: Timer | None = None
        self._scaling: asyncio.Task[None] | None = None
        tables.follow(self._adopt)

    def start(self) -> None:
        """Close minutes from now on; needs the running loop."""
        self._timer = self._clock.call_later(MINUTE_SECONDS, self._minute)
        self._keeping = self._clock.call_later(KEPT_SECONDS, self._moment)

    async def close(self) -> None:
        """End the tick and the scaling under way."""
        for timer in (self._timer, self._keeping):
            if timer is not None:
                timer.cancel()
        if self._scaling is not None:
            self._scaling.cancel()
            await asyncio.gather(self._scaling, return_exceptions=True)
        await asyncio.gather(*self._keep(), return_exceptions=True)

    def put_scalable_target(self, properties: Mapping[str, Any]) -> ScalableTarget:
        """Register the target of an `AWS::ApplicationAutoScaling::ScalableTarget`. ValidationException."""
        target = scalable_target(properties)
        self._targets[target.name] = target
        self._join(target.name)
        return target

    def put_scaling_policy(self, properties: Mapping[str, Any]) -> TargetTracking:
        """Register the policy of an `AWS::ApplicationAutoScaling::ScalingPolicy`. ValidationException."""
        policy = target_tracking(properties)
        self._policies[policy.name] = policy
        self._join(policy.name)
        return policy

    def statistics(self) -> Mapping[str, Any]:
        """By table: units, throttles, partitions, and reads that AWS could have answered with an older state."""
        return {
            table.name: {**table.meter.statistics(), "staleReads": table.recent.stale_reads}
            for table in self._tables
            if table.meter is not None and table.recent is not None
        }

    def levels(self) -> Iterator[TableLevel]:
        """Of every table and index there is.

        Bytes are those AWS charges for: 100 more for each item ("billable data … per-item overhead", pricing page).
        """
        for table in self._tables:
            on_demand = table.definition.billing_mode == "PAY_PER_REQUEST"
            throughput = None if on_demand else table.definition.throughput or Throughput(1, 1)
            infrequent = table.definition.table_class == INFREQUENT
            yield TableLevel(table.name, "", self._charged_bytes(table), *_units(throughput), infrequent)
            for index in table.indexes:
                own = None
                if throughput is not None and index.definition.is_global:
                    own = index.definition.throughput or throughput
                yield TableLevel(table.name, index.name, self._charged_bytes(index), *_units(own), infrequent)

    def held(self, backups: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, float]]:
        """(meter, table or backup, GB) of point-in-time recovery and of backups, as `metering.holding.Held` has it.

        Recovery is paid by the size of the table and its local indexes; the backups that AWS makes of deleted tables
        are free (developer guide, "Point-in-time recovery: how it works").
        """
        for table in self._tables:
            if table.history is not None:
                local = [index for index in table.indexes if not index.definition.is_global]
                size_bytes = self._charged_bytes(table) + sum(map(self._charged_bytes, local))
                yield "table.pitr-gb-month", table.name, size_bytes / GB_BYTES
        for backup in backups:
            if backup["Type"] == "USER":
                yield "table.backup-gb-month", str(backup["Name"]), backup["SizeBytes"] / GB_BYTES

    def _charged_bytes(self, holder: Table | Index) -> float:
        count, size = (self._store.get(key) or b"" for key in (holder.count_key, holder.size_key))
        return int.from_bytes(size, "big", signed=True) + STORED_ITEM_OVERHEAD_BYTES * int.from_bytes(
            count, "big", signed=True
        )

    def _adopt(self, table: Table) -> None:
        kept = self._kept.get(table.number)
        if kept is None:
            ticks, sizes = self._clock.monotonic_ns, self._sizes(table.name)
            meter = Meter(table.arn, table.definition, ticks, sizes, enforced=self.throttling)
            kept = self._kept[table.number] = (meter, RecentWrites())
            memory = self._catalogue.get(METER_KIND, str(table.number)) if self.throttling else None
            if memory is not None:
                meter.recall(memory, max(0.0, self._clock.now() - memory["At"]))
        else:
            kept[0].change(table.definition)
        table.meter, table.recent = kept

    def _sizes(self, table_name: str) -> Callable[[str | None], int]:
        def size_bytes(index_name: str | None) -> int:
            table = self._tables.find(table_name)
            if table is None:
                return 0
            holder = table if index_name is None else table.by_name.get(index_name)
            value = self._store.get(holder.size_key) if holder is not None else None
            return int.from_bytes(value, "big", signed=True) if value is not None else 0

        return size_bytes

    def _join(self, name: Name) -> None:
        target, policy = self._targets.get(name), self._policies.get(name)
        if target is not None and policy is not None:
            self._controllers[name] = Controller(target, policy)

    def _minute(self) -> None:
        live = {table.number for table in self._tables}
        for number in [number for number in self._kept if number not in live]:
            del self._kept[number]
            self._remembered.pop(number, None)
        for name, _ in list(self._catalogue.list(METER_KIND)):
            if int(name) not in live:
                self._catalogue.delete(METER_KIND, name).add_done_callback(_told)
        for meter, _ in self._kept.values():
            meter.turn()
        changes = self._decided()
        if changes and (self._scaling is None or self._scaling.done()):
            self._scaling = asyncio.get_running_loop().create_task(self._scale(changes))
        self._timer = self._clock.call_later(MINUTE_SECONDS, self._minute)

    def _moment(self) -> None:
        for future in self._keep():
            future.add_done_callback(_told)
        self._keeping = self._clock.call_later(KEPT_SECONDS, self._moment)

    def _keep(self) -> list[Future[None]]:
        """Keep the meters that were used since they were kept last, so that a restart goes on where they are."""
        if not self.throttling:
            return []
        kept = []
        for number, (meter, _) in self._kept.items():
            consumed = meter.consumed
            if consumed != self._remembered.get(number, 0.0):
                self._remembered[number] = consumed
                memory = {"At": self._clock.now(), **meter.memory()}
                kept.append(self._catalogue.put(METER_KIND, str(number), memory))
        return kept

    def _decided(self) -> list[tuple[Name, int, bool]]:
        """What the controllers want now, and whether that is more."""
        changes: list[tuple[Name, int, bool]] = []
        now = self._clock.now()
        for name, controller in self._controllers.items():
            table = self._tables.find(name[0])
            if table is None or table.meter is None or table.definition.billing_mode == "PAY_PER_REQUEST":
                continue
            flow = table.meter.flow(name[2], name[1])
            if flow is None or flow.capacity.provisioned is None:
                continue
            decreases = self._decreases.setdefault(name[:2], Decreases())
            wanted = controller.minute(flow.minutes, int(flow.capacity.provisioned), decreases, now)
            if wanted is not None:
                grown = wanted > flow.capacity.provisioned
                if not grown:
                    decreases.happened(now)
                changes.append((name, wanted, grown))
        return changes

    async def _scale(self, changes: list[tuple[Name, int, bool]]) -> None:
        for name, units, grown in changes:
            table = self._tables.find(name[0])
            if table is None:
                continue
            definition = scaled(table.definition, name[1], name[2], units)
            now = self._clock.now()
            member = "LastIncreaseDateTime" if grown else "LastDecreaseDateTime"
            changed = {**table.record.get("ThroughputChanges", {}), member: round(now, 3)}
            changed["NumberOfDecreasesToday"] = self._decreases[name[:2]].count
            try:
                await self._tables.change(table, definition, ThroughputChanges=changed)
            except (ResourceInUseException, ResourceNotFoundException, StoreError) as fault:
                _log.error("auto scaling could not change %s: %s", "/".join(filter(None, name)), fault)
            else:
                _log.info("auto scaling: %s units of %s are %d now", name[2].lower(), name[1] or name[0], units)


def _units(throughput: Throughput | None) -> tuple[float, float]:
    return (0.0, 0.0) if throughput is None else (float(throughput.read_units), float(throughput.write_units))


def _told(done: Future[None]) -> None:
    if not done.cancelled() and (fault := done.exception()) is not None:
        _log.error("a meter could not be kept: %s", fault)


def scaled(definition: TableDefinition, index_name: str | None, kind: Kind, units: int) -> TableDefinition:
    """The definition with other provisioned units at one place."""

    def changed(throughput: Throughput | None) -> Throughput:
        now = throughput or definition.throughput or Throughput(1, 1)
        return replace(now, read_units=units) if kind == "Read" else replace(now, write_units=units)

    if index_name is None:
        return definition.changed(throughput=changed(definition.throughput))
    return definition.changed(global_indexes=tuple(
        replace(index, throughput=changed(index.throughput)) if index.name == index_name else index
        for index in definition.global_indexes
    ))  # fmt: skip
