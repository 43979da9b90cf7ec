"""Exports: a table's items of one moment, or what changed between two, written to a bucket's folder behind the answer.

A table with a history enters; a record in the catalogue leaves at once, and is COMPLETED when the manifests lie there.
The items of a moment that is past are first made under a number of their own, from a snapshot and the history that came
after. What a stop interrupts fails: its snapshot is gone.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Mapping
from typing import Any

import orjson

from trine.aws.ids import Ids
from trine.clock import Clock
from trine.dynamodb.model.item import decode_stored, item_bytes, stored_size
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.dynamodb.storage.committed import when_committed
from trine.dynamodb.storage.copying import STEP_BYTES, STEP_ITEMS, Owned, base_prefix, clear, put, stage
from trine.dynamodb.storage.history import History, backwards, cut
from trine.dynamodb.storage.keyspace import ITEMS, table_prefix
from trine.dynamodb.storage.numbers import put_numbered
from trine.dynamodb.storage.table import Table
from trine.dynamodb.transfer.buckets import Buckets, TransferFault
from trine.dynamodb.transfer.formats import exported_line
from trine.dynamodb.transfer.manifest import ExportFolder
from trine.kv.store import Snapshot, Store
from trine.kv.tuple import after

EXPORT_KIND = "dynamodb:export"
_log = logging.getLogger("trine.dynamodb")
_CHANGED_INDEX = 1
"""Under an export's number: for each key that changed, when it did last, and the item before the first change."""
_TIME_BYTES = 8
_FILE_NAME_CHARACTERS = 26

Export = Mapping[str, Any]
"""An export's record: AWS's ExportDescription with Arn, Status, Number, and times in seconds."""


class Exports:
    """Every export of this account and region."""

    def __init__(self, store: Store, catalogue: DocumentCatalogue, clock: Clock, ids: Ids, buckets: Buckets) -> None:
        self._store, self._catalogue, self._clock, self._ids, self._buckets = store, catalogue, clock, ids, buckets
        self._tasks = Owned("an export failed")

    def find(self, arn: str) -> Export | None:
        """The export, or None."""
        return self._catalogue.get(EXPORT_KIND, arn)

    def all(self) -> list[Export]:
        """Every export, by ARN."""
        return [export for _, export in self._catalogue.list(EXPORT_KIND)]

    def create(self, table: Table, wish: Mapping[str, Any]) -> Future[Export]:
        """Begin an export of `table`; `wish` is the request with its defaults and its times filled in."""
        now = self._clock.now()
        arn = f"{table.arn}/export/{int(now * 1000):014d}-{self._ids.random_bytes(4).hex()}"
        record = {
            **wish,
            "Arn": arn,
            "Status": "IN_PROGRESS",
            "StartTime": now,
            "TableArn": table.arn,
            "TableId": table.record["TableId"],
        }
        key = self._catalogue.key(EXPORT_KIND, arn)
        snapshot = self._store.snapshot()

        def begun(export: Export) -> None:
            self._catalogue.remember(EXPORT_KIND, arn, export)
            self._tasks.start(self._run(export, table, snapshot))

        begin = put_numbered(self._store, key, record)
        begin.add_done_callback(lambda done: snapshot.close() if done.cancelled() or done.exception() else None)
        return when_committed(begin, begun)

    def resume(self) -> None:
        """Exports that the last stop interrupted have failed."""
        for export in self.all():
            if export["Status"] == "IN_PROGRESS":
                fault = TransferFault("Interrupted", "The server stopped during the export")
                self._tasks.start(self._failed(export, fault))

    async def close(self) -> None:
        """Stop what is under way."""
        await self._tasks.close()

    async def _run(self, export: Export, table: Table, view: Snapshot) -> None:
        folder = ExportFolder(self._buckets, export, lambda: self._ids.lower(_FILE_NAME_CHARACTERS))
        history = table.history
        assert history is not None
        try:
            with view:
                await asyncio.to_thread(folder.begin)
                if export["ExportType"] == "FULL_EXPORT":
                    totals = await self._write_all(export, table, history, view, folder)
                else:
                    totals = await self._write_changes(export, table, history, view, folder)
            await asyncio.to_thread(folder.finish, *totals, self._clock.now())
        except (TransferFault, OSError) as fault:
            refused = fault if isinstance(fault, TransferFault) else TransferFault("S3WriteFailed", str(fault))
            await self._failed(export, refused)
            return
        await clear(self._store, export["Number"])
        done = {"ItemCount": totals[0], "BilledSizeBytes": totals[1], "ExportManifest": folder.manifest_key}
        await self._ended(export, "COMPLETED", done)

    async def _failed(self, export: Export, fault: TransferFault) -> None:
        _log.error("the export %s failed: %s", export["Arn"], fault.message)
        await clear(self._store, export["Number"])
        await self._ended(export, "FAILED", {"FailureCode": fault.code, "FailureMessage": fault.message})

    async def _ended(self, export: Export, status: str, members: Mapping[str, Any]) -> None:
        document = {**export, **members, "Status": status, "EndTime": self._clock.now()}
        await self._catalogue.put(EXPORT_KIND, export["Arn"], document)

    async def _of_moment(
        self, export: Export, table: Table, history: History, view: Snapshot, moment: float
    ) -> tuple[Snapshot | Store, bytes]:
        """Where the items of `moment` are to be read, and what their keys begin with."""
        if cut(view, history, moment) == history.stop:
            return view, table.space.prefix  # nothing happened since
        target = base_prefix(export["Number"])
        await stage(self._store, view, table.number, history, moment, target)
        return self._store, target

    async def _write_all(
        self, export: Export, table: Table, history: History, view: Snapshot, folder: ExportFolder
    ) -> tuple[int, int]:
        source, start = await self._of_moment(export, table, history, view, export["ExportTime"])
        stop = after(start)
        count = size_bytes = 0
        while pairs := source.page(start, stop, STEP_ITEMS, limit_bytes=STEP_BYTES):
            lines = [exported_line({"Item": item_bytes(stored)}, export["ExportFormat"]) for _, stored in pairs]
            await asyncio.to_thread(folder.add, lines)
            count, size_bytes = count + len(pairs), size_bytes + sum(stored_size(stored) for _, stored in pairs)
            start = pairs[-1][0] + b"\0"
        return count, size_bytes

    async def _write_changes(
        self, export: Export, table: Table, history: History, view: Snapshot, folder: ExportFolder
    ) -> tuple[int, int]:
        window = export["IncrementalExportSpecification"]
        source, prefix = await self._of_moment(export, table, history, view, window["ExportToTime"])
        start = await self._changed(export, table, history, view)
        stop, skip = after(start), len(start)
        count = size_bytes = 0
        while pairs := self._store.page(start, stop, STEP_ITEMS, limit_bytes=STEP_BYTES):
            lines = []
            for key, before in pairs:
                now = source.get(prefix + key[skip:])
                line = _change_line(table, before, now, window["ExportViewType"], export["ExportFormat"])
                if line is not None:
                    lines.append(line)
                    size_bytes += sum(stored_size(stored) for stored in (now, before[_TIME_BYTES:]) if stored)
            await asyncio.to_thread(folder.add, lines)
            count += len(lines)
            start = pairs[-1][0] + b"\0"
        return count, size_bytes

    async def _changed(self, export: Export, table: Table, history: History, view: Snapshot) -> bytes:
        """Put every key that changed in the window under the export's number; what they begin with there."""
        window = export["IncrementalExportSpecification"]
        target = table_prefix(ITEMS, export["Number"]) + _CHANGED_INDEX.to_bytes(2, "big")
        skip = len(table.space.prefix)
        start, stop = (cut(view, history, window[member]) for member in ("ExportFromTime", "ExportToTime"))
        for records in backwards(view, start, stop):
            puts: dict[bytes, bytes | None] = {}
            for record in records:
                place = target + record.key[skip:]
                # The newest record says when, the oldest what was there before.
                known = puts.get(place) or self._store.get(place)
                written_at = known[:_TIME_BYTES] if known else record.micros.to_bytes(_TIME_BYTES, "big")
                puts[place] = written_at + (record.stored or b"")
            await put(self._store, puts)
        return target


def _change_line(table: Table, before: bytes, now: bytes | None, view_type: str, form: str) -> bytes | None:
    """The line of one key that changed; None when there was no item before and there is none after."""
    old = before[_TIME_BYTES:]
    if now is None and not old:
        return None
    keys = table.definition.key_of(decode_stored(now if now is not None else old))
    written_at = int.from_bytes(before[:_TIME_BYTES], "big")
    members = {"Metadata": b'{"WriteTimestampMicros":{"N":"%d"}}' % written_at, "Keys": orjson.dumps(keys)}
    if old and view_type == "NEW_AND_OLD_IMAGES":
        members["OldImage"] = item_bytes(old)
    if now is not None:
        members["NewImage"] = item_bytes(now)
    return exported_line(members, form)
