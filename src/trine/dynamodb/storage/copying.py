"""Copying many items behind an answer: the steps, and who owns the tasks that take them.

Backups, restores, imports and exports walk whole tables. They do it in bounded pages, each a small commit, in tasks
that their room starts and ends; what fails is logged, since nobody awaits them. Here too: the items of a moment, made
of a snapshot and the history that came after.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from trine.dynamodb.limits import DELETE_BATCH_MAX_COUNT
from trine.dynamodb.storage.history import History, backwards, cut
from trine.dynamodb.storage.keyspace import BASE_INDEX, COUNTERS, ITEMS, table_prefix
from trine.kv.store import Change, Current, Snapshot, Store
from trine.kv.tuple import after

_log = logging.getLogger("trine.dynamodb")
STEP_ITEMS = DELETE_BATCH_MAX_COUNT // 4
STEP_BYTES = 2 * 1024 * 1024


class Owned:
    """Tasks that one room owns. `failed` is what the log says before a fault."""

    def __init__(self, failed: str) -> None:
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`; needs the running loop."""

        async def logged() -> None:
            try:
                await work
            except Exception:
                # The last except of this task: nobody awaits it.
                _log.exception(self._failed)

        task = asyncio.get_running_loop().create_task(logged())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def base_prefix(number: int) -> bytes:
    """What the keys of all items of a table, or of a backup, begin with."""
    return table_prefix(ITEMS, number) + BASE_INDEX.to_bytes(2, "big")


async def put(store: Store, puts: Mapping[bytes, bytes | None], counters: Mapping[bytes, int] | None = None) -> None:
    """One step's commit; others have their turn before it returns."""

    def decide(current: Current) -> Change[None]:
        return Change(None, puts, (), counters or {})

    await store.transact((), decide)
    await asyncio.sleep(0)  # a store in memory is done at once, and would never let go of the loop


async def clear(store: Store, number: int) -> None:
    """Delete every item, entry and count under a number."""
    for namespace in (ITEMS, COUNTERS):
        prefix = table_prefix(namespace, number)
        await store.delete_range(prefix, after(prefix))


async def stage(store: Store, view: Snapshot, source: int, history: History, moment: float, target: bytes) -> None:
    """Put the items that table number `source` had at `moment` under the prefix `target`, without any index."""
    start = base_prefix(source)
    stop, skip = after(start), len(start)
    while pairs := view.page(start, stop, STEP_ITEMS, limit_bytes=STEP_BYTES):
        await put(store, {target + key[skip:]: stored for key, stored in pairs})
        start = pairs[-1][0] + b"\0"
    for records in backwards(view, cut(view, history, moment), history.stop):
        await put(store, {target + record.key[skip:]: record.stored for record in records})
