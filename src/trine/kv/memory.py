"""The store that keeps nothing: ordered bytes in memory, for tests and `--memory`.

Same promise as the durable one but for durability: a transaction is decided and visible at once, and its future is
resolved when `transact` returns. In: transactions. Out: snapshots, replicas, futures.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future
from collections.abc import Mapping, Sequence
from typing import Any

from trine.clock import Clock
from trine.kv.errors import StoreClosed
from trine.kv.group import VALUE_AT_ONCE_BYTES, added, check_counters, replacing, settable, settled
from trine.kv.history import History
from trine.kv.memtable import Memtable
from trine.kv.ranges import delete_range
from trine.kv.store import KEY_BYTES_LIMIT, Decide, Follow, Result
from trine.kv.view import ClosedTree, Pairs, View, page

_FORGET_EVERY = 1024  # overwritten keys between two looks at the past that is no longer needed


class MemoryStore:
    """A `Store` in memory."""

    def __init__(self, clock: Clock) -> None:
        self._table = Memtable()
        self._newest = self._table.newest
        self._history = History(clock, 0)
        self._replaced: set[bytes] = set()  # keys that have a past or are tombstones
        self._loop: AbstractEventLoop | None = None
        self._closed = False
        self._number = 0

    def get(self, key: bytes) -> bytes | None:
        version = self._newest(key)
        return None if version is None else version[1]

    def page(
        self, start: bytes, stop: bytes, limit: int, *, reverse: bool = False, limit_bytes: int | None = None
    ) -> Pairs:
        if self._closed:
            raise StoreClosed("the store has been closed")
        return page((self._table,), None, self._number, start, stop, limit, reverse, limit_bytes)

    def snapshot(self) -> View:
        return self._view(self._number)

    def replica(self, lag_seconds: float) -> View:
        return self._view(self._history.at_lag(lag_seconds))

    def _view(self, sequence: int) -> View:
        if self._closed:
            raise StoreClosed("the store has been closed")
        self._history.open(sequence)
        return View((self._table,), None, sequence, self._history.close)

    def keep_history(self, seconds: float) -> None:
        self._history.keep(seconds)

    def transact(self, keys: Sequence[bytes], decide: Decide[Result]) -> Future[Result]:
        loop = self._loop
        if loop is None or loop.is_closed():
            loop = self._loop = asyncio.get_running_loop()
        future: Future[Result] = loop.create_future()
        if self._closed:
            future.set_exception(StoreClosed("the store has been closed"))
            return future
        newest, number = self._newest, self._number + 1
        try:
            current: dict[bytes, bytes | None] = {}
            for key in keys:
                version = newest(key)
                current[key] = None if version is None else version[1]
            change = decide(current)
            puts, _ = settled(change, self.get, number, 0)
        except Exception as error:  # the caller's own, for the caller's future
            future.set_exception(settable(error))
            return future
        if puts:
            self._publish(puts, number)
        future.set_result(change.result)
        return future

    def replace(self, key: bytes, value: bytes, follow: Follow, result: Result) -> Future[Result]:
        if (
            self._closed
            or self._replaced
            or self._history.keeping
            or not 0 < len(key) <= KEY_BYTES_LIMIT
            or len(value) > VALUE_AT_ONCE_BYTES
        ):
            return self.transact((key,), replacing(key, value, follow, result))
        # As `transact` and `_publish`, of one value and its counters, where nobody reads the past: the maps that
        # are passed on there cost more than what is done with them (20,000 instructions instead of 33,000).
        loop = self._loop
        if loop is None or loop.is_closed():
            loop = self._loop = asyncio.get_running_loop()
        future: Future[Result] = loop.create_future()
        table, newest = self._table, self._newest
        before = newest(key)
        try:
            counters = follow(None if before is None else before[1])
            if counters is None:
                future.set_result(result)
                return future
            number = self._number + 1
            sums = []
            for counter, amount in counters.items():
                if counter == key or not 0 < len(counter) <= KEY_BYTES_LIMIT:
                    check_counters(key, counters)
                version = newest(counter)
                sums.append((counter, version, added(counter, None if version is None else version[1], amount)))
        except Exception as error:  # the caller's own, for the caller's future
            future.set_exception(settable(error))
            return future
        self._number = table.latest = self._history.sequence = number
        versions = table.versions
        if before is None:
            table.keys.add(key)
        versions[key] = (number, value, None)
        for counter, version, total in sums:
            if version is None:
                table.keys.add(counter)
            versions[counter] = (number, total, None)
        future.set_result(result)
        return future

    def _publish(self, puts: Mapping[bytes, bytes | None], number: int) -> None:
        history, table = self._history, self._table
        self._number = number
        keeping = history.keeping
        table.apply(puts, number, keeping)
        history.committed(number)
        if keeping:
            self._replaced.update(puts)
            if len(self._replaced) >= _FORGET_EVERY:
                self._forget()
            return
        if self._replaced:
            self._forget()
        if None in puts.values():
            for key, value in puts.items():
                if value is None:
                    table.forget(key, number)

    def _forget(self) -> None:
        """Drop the past nobody can ask for any more."""
        floor = self._history.floor()
        table = self._table
        still = set()
        for key in self._replaced:
            table.forget(key, floor)
            version = table.newest(key)
            if version is not None and (version[1] is None or version[2] is not None):
                still.add(key)
        self._replaced = still

    def delete_range(self, start: bytes, stop: bytes) -> Future[int]:
        return delete_range(self, start, stop)

    async def close(self) -> None:
        self._closed = True
        self._newest = ClosedTree().get  # type: ignore[assignment]

    def statistics(self) -> Mapping[str, Any]:
        return {
            "kind": "memory",
            "keys": len(self._table.versions),
            "groups": self._number,
            "open_snapshots": self._history.open_readers,
        }
