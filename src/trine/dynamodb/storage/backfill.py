"""New entries over items that are there already: of an index added later, or of time to live switched on later.

A table with such entries enters; its items are walked in steps, each a small commit that adds the entries which are
still missing, until all are there. Writes that happen meanwhile keep the new entries themselves, since the table's
definition has them from the start; whatever they changed, the walk leaves alone.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable, Sequence
from typing import NamedTuple

from trine.dynamodb.limits import DELETE_BATCH_MAX_COUNT
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.model.item import decode_stored, stored_size
from trine.dynamodb.storage.indexes import index_entry
from trine.dynamodb.storage.table import Index, Table
from trine.dynamodb.storage.tables import Tables
from trine.kv.errors import StoreError
from trine.kv.store import Change, Current, Store

_log = logging.getLogger("trine.dynamodb")
_STEP_ITEMS = DELETE_BATCH_MAX_COUNT // 4
_STEP_BYTES = 2 * 1024 * 1024

Entry = Callable[[bytes, Item], tuple[bytes, bytes] | None]
"""From an item's key and the item to its entry's key and value, or None when it has none."""


class _Walk(NamedTuple):
    """What is to be filled now: entries, and the index whose counts they belong to."""

    table: Table
    entry: Entry
    counted: Index | None
    finish: Callable[[], Future[Table]]


class Backfills:
    """The walks under way, each an owned task."""

    def __init__(self, store: Store, tables: Tables) -> None:
        self._store, self._tables = store, tables
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, table: Table) -> None:
        """Fill what is new in `table`; needs the running loop."""
        for index in table.indexes:
            if index.status == "CREATING":
                self._begin(table, index.name)
        if (table.record.get("TimeToLive") or {}).get("Status") == "ENABLING":
            self._begin(table, None)

    def resume(self) -> None:
        """Go on with what the last stop interrupted."""
        for table in self._tables:
            self.start(table)

    async def close(self) -> None:
        """Stop; the next start goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, table: Table, index_name: str | None) -> None:
        task = asyncio.get_running_loop().create_task(self._run(table.name, table.number, index_name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, table_name: str, table_number: int, index_name: str | None) -> None:
        position: bytes | None = b""
        try:
            # The table is looked up anew for each step: it may be changed or dropped between them.
            while (walk := self._find(table_name, table_number, index_name)) is not None:
                if position is None:
                    await walk.finish()
                    return
                position = await self._step(walk, position)
        except StoreError as fault:
            _log.error("table %s: %s could not be filled: %s", table_name, index_name or "time to live", fault)
        except Exception:
            # The last except of this task: nobody awaits it.
            _log.exception("table %s: filling %s failed", table_name, index_name or "time to live")

    def _find(self, table_name: str, table_number: int, index_name: str | None) -> _Walk | None:
        table = self._tables.find(table_name)
        if table is None or table.number != table_number:
            return None
        return _expiry_walk(self._tables, table) if index_name is None else _index_walk(self._tables, table, index_name)

    async def _step(self, walk: _Walk, position: bytes) -> bytes | None:
        """Fill from `position`; where to go on, None at the end."""
        space = walk.table.space
        pairs = self._store.page(max(position, space.start), space.stop, _STEP_ITEMS, limit_bytes=_STEP_BYTES)
        if not pairs:
            return None
        wanted = _wanted(walk, pairs)
        if wanted:
            keys = [key for pair in wanted for key in pair]
            await self._store.transact(keys, lambda current: _fill(walk, wanted, current))
        return pairs[-1][0] + b"\0"


def _index_walk(tables: Tables, table: Table, name: str) -> _Walk | None:
    index = table.by_name.get(name)
    if index is None or index.status != "CREATING":
        return None
    found = index
    return _Walk(
        table,
        lambda key, item: index_entry(found, item),
        found,
        lambda: tables.set_index_status(table, name, "ACTIVE"),
    )


def _expiry_walk(tables: Tables, table: Table) -> _Walk | None:
    expiry, member = table.expiry, table.record.get("TimeToLive") or {}
    if expiry is None or member.get("Status") != "ENABLING":
        return None

    def entry(key: bytes, item: Item) -> tuple[bytes, bytes] | None:
        found = expiry.entry(key, item)
        return None if found is None else (found, b"")

    done = {**member, "Status": "ENABLED"}
    return _Walk(table, entry, None, lambda: tables.change(table, table.definition, TimeToLive=done))


def _wanted(walk: _Walk, pairs: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Keys of the items on a page that have an entry, and of their entries."""
    entries = [(key, walk.entry(key, decode_stored(stored))) for key, stored in pairs]
    return [(key, entry[0]) for key, entry in entries if entry is not None]


def _fill(walk: _Walk, wanted: Sequence[tuple[bytes, bytes]], current: Current) -> Change[None]:
    """Entries that are missing for items that are as they were."""
    puts: dict[bytes, bytes | None] = {}
    size_bytes = 0
    for key, entry_key in wanted:
        stored = current[key]
        if stored is None or current[entry_key] is not None:
            continue
        entry = walk.entry(key, decode_stored(stored))
        if entry is not None and entry[0] == entry_key:
            puts[entry_key] = entry[1]
            size_bytes += stored_size(entry[1])
    counters = {}
    if walk.counted is not None and puts:
        counters = {walk.counted.count_key: len(puts), walk.counted.size_key: size_bytes}
    return Change(None, puts, (), counters)
