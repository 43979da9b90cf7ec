"""Tables made of what others held: of a backup, or of a table's own past (point-in-time recovery).

A table that was made with `Restore` in its record enters; its items, their index entries and counts are put behind the
answer, and it is CREATING until all are there. A restore that a stop interrupts is begun anew at the next start.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Protocol

from trine.dynamodb.model.item import decode_stored, stored_size
from trine.dynamodb.storage.copying import STEP_BYTES, STEP_ITEMS, Owned, base_prefix, clear, put, stage
from trine.dynamodb.storage.indexes import index_entry
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tables import Tables
from trine.kv.store import Snapshot, Store
from trine.kv.tuple import after

_log = logging.getLogger("trine.dynamodb")


class _Paged(Protocol):
    def page(
        self, start: bytes, stop: bytes, limit: int, *, reverse: bool = False, limit_bytes: int | None = None
    ) -> list[tuple[bytes, bytes]]: ...


class Restores:
    """The restores under way."""

    def __init__(self, store: Store, tables: Tables) -> None:
        self._store, self._tables = store, tables
        self._tasks = Owned("a restore failed")

    def start(self, table: Table) -> None:
        """Fill a table that was made with `Restore` in its record; it is ACTIVE when that is done.

        What is restored is what the backup holds, or what the source's history says, at this call.
        """
        self._tasks.start(self._restore(table, self._store.snapshot()))

    def resume(self) -> None:
        """Begin anew what the last stop interrupted."""
        for table in self._tables:
            if (table.record.get("Restore") or {}).get("InProgress"):
                self.start(table)

    async def close(self) -> None:
        """Stop; the next start begins anew."""
        await self._tasks.close()

    async def _restore(self, table: Table, view: Snapshot) -> None:
        with view:
            await clear(self._store, table.number)  # an interrupted one left items and no counts
            restore = table.record["Restore"]
            if "Moment" not in restore:
                await self._build(table, view, base_prefix(restore["Number"]))
            elif await self._stage(table, restore, view):
                await self._build(table, self._store, table.space.prefix)
            else:
                return
        done = {**restore, "InProgress": False}
        await self._tables.change(table, table.definition, Restore=done, Status="ACTIVE")

    async def _stage(self, table: Table, restore: dict[str, Any], view: Snapshot) -> bool:
        """The items of the moment under the new table's number; False when their source is gone."""
        source = next((other for other in self._tables if other.number == restore["Number"]), None)
        if source is None or source.history is None or source.history.since > restore["Moment"]:
            # Only after a restart: the table, or its history, went while nothing was running.
            _log.error("table %s cannot be restored any more: its source's history is gone; it is dropped", table.name)
            await self._tables.drop(table)
            return False
        await stage(self._store, view, source.number, source.history, restore["Moment"], table.space.prefix)
        return True

    async def _build(self, table: Table, source: _Paged, prefix: bytes) -> None:
        """Items under `prefix` as the table's own, with entries and counts."""
        start, stop = prefix, after(prefix)
        counters: dict[bytes, int] = {}
        while pairs := source.page(start, stop, STEP_ITEMS, limit_bytes=STEP_BYTES):
            puts = _restored(table, [stored for _, stored in pairs], counters)
            # Of collections there may be as many as items: their counts are not gathered, but go with their items.
            collected = {key: counters.pop(key) for key in list(counters) if not table.counts(key)}
            await put(self._store, puts, collected)
            start = pairs[-1][0] + b"\0"
        await put(self._store, {}, counters)


def _restored(table: Table, items: Iterable[bytes], counters: dict[bytes, int]) -> dict[bytes, bytes | None]:
    """What to put for items under a table's number; what they count is added to `counters`."""
    puts: dict[bytes, bytes | None] = {}

    def add(key: bytes, stored: bytes, count_key: bytes, size_key: bytes) -> None:
        puts[key] = stored
        counters[count_key] = counters.get(count_key, 0) + 1
        counters[size_key] = counters.get(size_key, 0) + stored_size(stored)

    for stored in items:
        item = decode_stored(stored)
        key = table.space.key(item)
        add(key, stored, table.count_key, table.size_key)
        size_bytes = stored_size(stored)
        for index in table.indexes:
            entry = index_entry(index, item)
            if entry is not None:
                add(*entry, index.count_key, index.size_key)
                if not index.definition.is_global:
                    size_bytes += stored_size(entry[1])
        if table.collections is not None:
            counter = table.collections.counter(key)
            counters[counter] = counters.get(counter, 0) + size_bytes
    return puts
