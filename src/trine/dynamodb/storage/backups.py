"""On-demand backups: a table's items as they were at one moment, kept apart, and copied back into new tables.

A live table enters, a `Backup` leaves at once and is filled behind the answer from a snapshot of that moment. A backup
lies in the key space like a table of its own number, without indexes; restoring puts its items, their index entries and
counts under the new table's number, and the table is CREATING until all are there. What a stop interrupts is begun anew
(a restore) or taken back (a backup) at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from trine.clock import Clock
from trine.dynamodb.limits import DELETE_BATCH_MAX_COUNT
from trine.dynamodb.model.item import decode_stored, stored_size
from trine.dynamodb.storage.catalogue import DocumentCatalogue, encoded_document
from trine.dynamodb.storage.committed import when_committed
from trine.dynamodb.storage.indexes import index_entry
from trine.dynamodb.storage.keyspace import BASE_INDEX, COUNTERS, ITEMS, catalogue_key, table_prefix
from trine.dynamodb.storage.tables import SEQUENCE_KEY, Table, Tables
from trine.kv.store import Change, Current, Snapshot, Store
from trine.kv.tuple import after

BACKUP_KIND = "dynamodb:backup"
_log = logging.getLogger("trine.dynamodb")
_STEP_ITEMS = DELETE_BATCH_MAX_COUNT // 4
_STEP_BYTES = 2 * 1024 * 1024

Backup = Mapping[str, Any]
"""A backup's record: Arn, Name, Number, Status, CreatedAt, SizeBytes, ItemCount, and the Source table's record."""


class Backups:
    """Every backup of this account and region."""

    def __init__(self, store: Store, catalogue: DocumentCatalogue, tables: Tables, clock: Clock) -> None:
        self._store, self._catalogue, self._tables, self._clock = store, catalogue, tables, clock
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, arn: str) -> Backup | None:
        """The backup, or None."""
        return self._catalogue.get(BACKUP_KIND, arn)

    def all(self) -> list[Backup]:
        """Every backup, by ARN."""
        return [backup for _, backup in self._catalogue.list(BACKUP_KIND)]

    def create(self, table: Table, name: str, suffix: str, totals: tuple[int, int]) -> Future[Backup]:
        """Begin a backup of what `table` holds now; `totals` are its items and bytes."""
        now = self._clock.now()
        arn = f"{table.arn}/backup/{int(now * 1000):014d}-{suffix}"
        key = catalogue_key(BACKUP_KIND, arn)
        record = {
            "Arn": arn,
            "Name": name,
            "Status": "CREATING",
            "CreatedAt": now,
            "ItemCount": totals[0],
            "SizeBytes": totals[1],
            "Source": {**table.record, "Definition": table.definition.document(), "TableName": table.name},
        }
        snapshot = self._store.snapshot()

        def decide(current: Current) -> Change[Backup]:
            number = int.from_bytes(current[SEQUENCE_KEY] or b"", "big") + 1
            document = {**record, "Number": number}
            puts = {key: encoded_document(document), SEQUENCE_KEY: number.to_bytes(4, "big")}
            return Change(document, puts)

        def begun(document: Backup) -> None:
            self._catalogue.remember(BACKUP_KIND, arn, document)
            self._own(self._fill(document, table, snapshot))

        begin = self._store.transact((key, SEQUENCE_KEY), decide)
        begin.add_done_callback(lambda done: snapshot.close() if done.cancelled() or done.exception() else None)
        return when_committed(begin, begun)

    async def delete(self, backup: Backup) -> None:
        """Forget a backup and sweep its items."""
        await self._catalogue.delete(BACKUP_KIND, backup["Arn"])
        await self._clear(backup["Number"])

    def restore(self, table: Table) -> None:
        """Fill a table that was made with `Restore` in its record; it is ACTIVE when that is done."""
        self._own(self._restore(table))

    def resume(self) -> None:
        """Go on with what the last stop interrupted."""
        for backup in self.all():
            if backup["Status"] == "CREATING":
                self._own(self.delete(backup))
        for table in self._tables:
            if (table.record.get("Restore") or {}).get("InProgress"):
                self.restore(table)

    async def close(self) -> None:
        """Stop; the next start goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        async def logged() -> None:
            try:
                await work
            except Exception:
                # The last except of this task: nobody awaits it.
                _log.exception("a backup or restore failed")

        task = asyncio.get_running_loop().create_task(logged())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _clear(self, number: int) -> None:
        for namespace in (ITEMS, COUNTERS):
            prefix = table_prefix(namespace, number)
            await self._store.delete_range(prefix, after(prefix))

    async def _put(self, puts: Mapping[bytes, bytes | None], counters: Mapping[bytes, int] | None = None) -> None:
        def decide(current: Current) -> Change[None]:
            return Change(None, puts, (), counters or {})

        await self._store.transact((), decide)

    async def _fill(self, backup: Backup, table: Table, snapshot: Snapshot) -> None:
        with snapshot:
            target = _base_prefix(backup["Number"])
            start, skip = table.space.start, len(table.space.prefix)
            count = size_bytes = 0
            while pairs := snapshot.page(start, table.space.stop, _STEP_ITEMS, limit_bytes=_STEP_BYTES):
                await self._put({target + key[skip:]: stored for key, stored in pairs})
                count, size_bytes = count + len(pairs), size_bytes + sum(stored_size(stored) for _, stored in pairs)
                start = pairs[-1][0] + b"\0"
        done = {**backup, "Status": "AVAILABLE", "ItemCount": count, "SizeBytes": size_bytes}
        await self._catalogue.put(BACKUP_KIND, backup["Arn"], done)

    async def _restore(self, table: Table) -> None:
        # A restore that was interrupted left items and no counts: it begins anew.
        await self._clear(table.number)
        restore = table.record["Restore"]
        source = _base_prefix(restore["Number"])
        start, stop = source, after(source)
        counters: dict[bytes, int] = {}
        while pairs := self._store.page(start, stop, _STEP_ITEMS, limit_bytes=_STEP_BYTES):
            await self._put(_restored(table, [stored for _, stored in pairs], counters))
            start = pairs[-1][0] + b"\0"
        await self._put({}, counters)
        done = {**restore, "InProgress": False}
        await self._tables.change(table, table.definition, Restore=done, Status="ACTIVE")


def _base_prefix(number: int) -> bytes:
    return table_prefix(ITEMS, number) + BASE_INDEX.to_bytes(2, "big")


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
        for index in table.indexes:
            entry = index_entry(index, item)
            if entry is not None:
                add(*entry, index.count_key, index.size_key)
    return puts
