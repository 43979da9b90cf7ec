"""On-demand backups: a table's items as they were at one moment, kept apart until they are deleted.

A live table enters, a `Backup` leaves at once and is filled behind the answer from a snapshot of that moment. A backup
lies in the key space like a table of its own number, without indexes. The backup that AWS makes of a deleted table with
point-in-time recovery is that table's own items, left where they are. A backup that a stop interrupts is taken back at
the next start. `restores` makes tables of backups.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Mapping
from typing import Any

from trine.clock import Clock
from trine.dynamodb.limits import SYSTEM_BACKUP_SECONDS
from trine.dynamodb.model.item import stored_size
from trine.dynamodb.storage.catalogue import DocumentCatalogue, encoded_document
from trine.dynamodb.storage.committed import when_committed
from trine.dynamodb.storage.copying import STEP_BYTES, STEP_ITEMS, Owned, base_prefix, clear, put
from trine.dynamodb.storage.numbers import put_numbered
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tables import Tables
from trine.kv.store import Snapshot, Store

BACKUP_KIND = "dynamodb:backup"

Backup = Mapping[str, Any]
"""A backup's record: Arn, Name, Type, Number, Status, CreatedAt, SizeBytes, ItemCount, ExpiresAt (of those that the
service makes), and the Source table's record."""


class Backups:
    """Every backup of this account and region."""

    def __init__(self, store: Store, catalogue: DocumentCatalogue, tables: Tables, clock: Clock) -> None:
        self._store, self._catalogue, self._tables, self._clock = store, catalogue, tables, clock
        self._tasks = Owned("a backup failed")

    def find(self, arn: str) -> Backup | None:
        """The backup, or None."""
        backup = self._catalogue.get(BACKUP_KIND, arn)
        return None if backup is None or self._is_over(backup) else backup

    def all(self) -> list[Backup]:
        """Every backup, by ARN."""
        return [backup for _, backup in self._catalogue.list(BACKUP_KIND) if not self._is_over(backup)]

    def create(self, table: Table, name: str, suffix: str, totals: tuple[int, int]) -> Future[Backup]:
        """Begin a backup of what `table` holds now; `totals` are its items and bytes."""
        record = self._record(table, name, suffix, totals)
        arn = record["Arn"]
        key = self._catalogue.key(BACKUP_KIND, arn)
        snapshot = self._store.snapshot()

        def begun(document: Backup) -> None:
            self._catalogue.remember(BACKUP_KIND, arn, document)
            self._tasks.start(self._fill(document, table, snapshot))

        begin = put_numbered(self._store, key, record)
        begin.add_done_callback(lambda done: snapshot.close() if done.cancelled() or done.exception() else None)
        return when_committed(begin, begun)

    def drop(self, table: Table, suffix: str, totals: tuple[int, int]) -> Future[None]:
        """Drop `table` and keep what it held as a backup for 35 days, as AWS does with point-in-time recovery on."""
        now = self._clock.now()
        document = {
            **self._record(table, f"{table.name}$DeletedTableBackup", suffix, totals),
            "Type": "SYSTEM",
            "Status": "AVAILABLE",
            "ExpiresAt": now + SYSTEM_BACKUP_SECONDS,
            "Number": table.number,
        }
        arn = document["Arn"]
        kept = {self._catalogue.key(BACKUP_KIND, arn): encoded_document(document)}
        dropped = self._tables.drop(table, keep_items=True, puts=kept)
        return when_committed(dropped, lambda _: self._catalogue.remember(BACKUP_KIND, arn, document))

    async def delete(self, backup: Backup) -> None:
        """Forget a backup and sweep its items."""
        await self._catalogue.delete(BACKUP_KIND, backup["Arn"])
        await clear(self._store, backup["Number"])

    def resume(self) -> None:
        """Take back what the last stop interrupted, and what is over."""
        for _, backup in self._catalogue.list(BACKUP_KIND):
            if backup["Status"] == "CREATING" or self._is_over(backup):
                self._tasks.start(self.delete(backup))

    async def close(self) -> None:
        """Stop what is under way."""
        await self._tasks.close()

    def _is_over(self, backup: Backup) -> bool:
        return bool(backup.get("ExpiresAt", float("inf")) <= self._clock.now())

    def _record(self, table: Table, name: str, suffix: str, totals: tuple[int, int]) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "Arn": f"{table.arn}/backup/{int(now * 1000):014d}-{suffix}",
            "Name": name,
            "Type": "USER",
            "Status": "CREATING",
            "CreatedAt": now,
            "ItemCount": totals[0],
            "SizeBytes": totals[1],
            "Source": {**table.record, "Definition": table.definition.document(), "TableName": table.name},
        }

    async def _fill(self, backup: Backup, table: Table, snapshot: Snapshot) -> None:
        with snapshot:
            target = base_prefix(backup["Number"])
            start, skip = table.space.start, len(table.space.prefix)
            count = size_bytes = 0
            while pairs := snapshot.page(start, table.space.stop, STEP_ITEMS, limit_bytes=STEP_BYTES):
                await put(self._store, {target + key[skip:]: stored for key, stored in pairs})
                count, size_bytes = count + len(pairs), size_bytes + sum(stored_size(stored) for _, stored in pairs)
                start = pairs[-1][0] + b"\0"
        done = {**backup, "Status": "AVAILABLE", "ItemCount": count, "SizeBytes": size_bytes}
        await self._catalogue.put(BACKUP_KIND, backup["Arn"], done)
