"""Deleting a range of keys through the store's own transactions, in groups that hold nobody up.

In: a store and a range. Out: a future with the number of keys deleted.
"""

from __future__ import annotations

import asyncio
from asyncio import Future, Task

from trine.kv.store import Change, Current, Store

_KEYS_PER_GROUP = 128
_BYTES_PER_GROUP = 1 << 20

_running: set[Task[int]] = set()  # asyncio itself holds tasks weakly


def delete_range(store: Store, start: bytes, stop: bytes) -> Future[int]:
    """Delete the keys with start <= key < stop that are there when their turn comes."""
    task = asyncio.get_running_loop().create_task(_delete(store, start, stop))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


def _delete_all(current: Current) -> Change[int]:
    gone: dict[bytes, bytes | None] = {key: None for key, value in current.items() if value is not None}
    return Change(len(gone), gone)


async def _delete(store: Store, start: bytes, stop: bytes) -> int:
    deleted = 0
    while pairs := store.page(start, stop, _KEYS_PER_GROUP, limit_bytes=_BYTES_PER_GROUP):
        deleted += await store.transact([pair[0] for pair in pairs], _delete_all)
        start = pairs[-1][0] + b"\0"
        await asyncio.sleep(0)  # others have their turn between two groups
    return deleted
