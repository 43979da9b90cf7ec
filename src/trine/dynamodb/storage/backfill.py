"""A new index over items that are there already.

A table whose index is CREATING enters; its items are walked in steps, each a small commit that adds the entries which
are still missing, until the index is ACTIVE. Writes that happen meanwhile keep the new index themselves, since it is
part of the table's definition from the start; whatever they changed, the walk leaves alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from trine.dynamodb.limits import DELETE_BATCH_MAX_COUNT
from trine.dynamodb.model.item import decode_stored, stored_size
from trine.dynamodb.storage.indexes import index_entry
from trine.dynamodb.storage.tables import Index, Table, Tables
from trine.kv.errors import StoreError
from trine.kv.store import Change, Current, Store

_log = logging.getLogger("trine.dynamodb")
_STEP_ITEMS = DELETE_BATCH_MAX_COUNT // 4
_STEP_BYTES = 2 * 1024 * 1024


class Backfills:
    """The walks under way, each an owned task."""

    def __init__(self, store: Store, tables: Tables) -> None:
        self._store, self._tables = store, tables
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, table: Table) -> None:
        """Fill every index of `table` that is CREATING; needs the running loop."""
        for index in table.indexes:
            if index.status == "CREATING":
                task = asyncio.get_running_loop().create_task(self._run(table.name, table.number, index.name))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def resume(self) -> None:
        """Go on with what the last stop interrupted."""
        for table in self._tables:
            self.start(table)

    async def close(self) -> None:
        """Stop; the next start goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, table_name: str, table_number: int, index_name: str) -> None:
        try:
            position: bytes | None = b""
            while position is not None:
                found = self._find(table_name, table_number, index_name)
                if found is None:
                    return
                position = await self._step(*found, position)
            found = self._find(table_name, table_number, index_name)
            if found is not None:
                await self._tables.set_index_status(found[0], index_name, "ACTIVE")
        except StoreError as fault:
            _log.error("index %s of table %s could not be filled: %s", index_name, table_name, fault)

    def _find(self, table_name: str, table_number: int, index_name: str) -> tuple[Table, Index] | None:
        table = self._tables.find(table_name)
        if table is None or table.number != table_number:
            return None
        index = table.by_name.get(index_name)
        return None if index is None or index.status != "CREATING" else (table, index)

    async def _step(self, table: Table, index: Index, position: bytes) -> bytes | None:
        """Fill from `position`; where to go on, None at the end."""
        start = max(position, table.space.start)
        pairs = self._store.page(start, table.space.stop, _STEP_ITEMS, limit_bytes=_STEP_BYTES)
        if not pairs:
            return None
        await self._store.transact(*_fill(index, pairs))
        return pairs[-1][0] + b"\0"


def _fill(index: Index, pairs: Sequence[tuple[bytes, bytes]]) -> tuple[list[bytes], _Fill]:
    keys: list[bytes] = []
    wanted: list[tuple[bytes, bytes]] = []
    for key, stored in pairs:
        entry = index_entry(index, decode_stored(stored))
        if entry is not None:
            keys += (key, entry[0])
            wanted.append((key, entry[0]))
    return keys, _Fill(index, wanted)


class _Fill:
    """The decision of one step: entries that are missing for items that are as they were."""

    def __init__(self, index: Index, wanted: Sequence[tuple[bytes, bytes]]) -> None:
        self._index, self._wanted = index, wanted

    def __call__(self, current: Current) -> Change[None]:
        index = self._index
        puts: dict[bytes, bytes | None] = {}
        size_bytes = 0
        for key, entry_key in self._wanted:
            stored = current[key]
            if stored is None or current[entry_key] is not None:
                continue
            entry = index_entry(index, decode_stored(stored))
            if entry is not None and entry[0] == entry_key:
                puts[entry_key] = entry[1]
                size_bytes += stored_size(entry[1])
        counters = {index.count_key: len(puts), index.size_key: size_bytes} if puts else {}
        return Change(None, puts, (), counters)
