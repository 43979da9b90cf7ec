"""The durable store: group commit into one LMDB tree.

A group is decided on the event loop, written and synced by a thread, and becomes visible to readers when LMDB says
it is on disk: readers only ever see what survives a power cut, and everything acknowledged is among it.
In: a state directory. Out: a `Store`.
"""

from __future__ import annotations

import os
import struct
from asyncio import Future
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from trine.clock import Clock
from trine.kv import directory as state_directory
from trine.kv.errors import StoreClosed
from trine.kv.group import Group, GroupCommit
from trine.kv.history import History
from trine.kv.ranges import delete_range
from trine.kv.store import Decide, Result
from trine.kv.tree import LmdbTree, TreeView
from trine.kv.view import Pairs, View, page
from trine.kv.writer import Done, Writer

_MARK = struct.Struct(">Q")  # number of the last group in the tree


class LmdbStore:
    """A `Store` on disk; one per directory and process."""

    def __init__(self, path: str | os.PathLike[str], clock: Clock) -> None:
        """Open or make the state in directory `path`. StoreBusy, StoreDamaged, StoreTooNew, StoreFull."""
        self._directory = state_directory.take(path)
        try:
            self._tree = LmdbTree(self._directory.path / "tree")
            self._tree_view = self._tree.view()
        except BaseException:
            self._directory.release()
            raise
        mark = self._tree_view.mark
        number = _MARK.unpack(mark)[0] if mark else 0
        self._history = History(clock, number)
        self._views: deque[tuple[int, TreeView]] = deque()
        self._writer = Writer("trine-kv-writer")
        self._commit = GroupCommit(self._read, self._write, self._publish, number)
        self._closed = False

    def _read(self, key: bytes) -> bytes | None:
        return self._tree_view.get(key)

    def get(self, key: bytes) -> bytes | None:
        return self._tree_view.get(key)

    def page(
        self, start: bytes, stop: bytes, limit: int, *, reverse: bool = False, limit_bytes: int | None = None
    ) -> Pairs:
        return page((), self._tree_view, self._commit.number, start, stop, limit, reverse, limit_bytes)

    def snapshot(self) -> View:
        return self._view(self._commit.number, self._tree_view)

    def replica(self, lag_seconds: float) -> View:
        sequence = self._history.at_lag(lag_seconds)
        for number, view in self._views:
            if number >= sequence:
                return self._view(number, view)
        return self.snapshot()

    def _view(self, sequence: int, tree: TreeView) -> View:
        if self._closed:
            raise StoreClosed("the store has been closed")
        self._history.open(sequence)
        return View((), tree, sequence, self._history.close)

    def keep_history(self, seconds: float) -> None:
        self._history.keep(seconds)

    def transact(self, keys: Sequence[bytes], decide: Decide[Result]) -> Future[Result]:
        return self._commit.transact(keys, decide)

    def _write(self, group: Group, done: Done) -> None:
        mark = _MARK.pack(group.number)
        self._writer.submit(lambda: self._tree.write(group.puts, mark), done)

    def _publish(self, group: Group) -> None:
        if self._history.seconds > 0:
            self._views.append((group.number - 1, self._tree_view))
        self._tree_view = self._tree.view()
        self._history.committed(group.number)
        if self._views:
            floor = self._history.floor()
            while self._views and self._views[0][0] < floor:
                self._views.popleft()

    def delete_range(self, start: bytes, stop: bytes) -> Future[int]:
        return delete_range(self, start, stop)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._commit.drain()
        self._writer.close()
        self._views.clear()
        self._tree.close()
        self._directory.release()

    def statistics(self) -> Mapping[str, Any]:
        return {
            "kind": "lmdb",
            "groups": self._commit.groups,
            "transactions": self._commit.transactions,
            "failed_groups": self._commit.failed_groups,
            "waiting": self._commit.waiting,
            "open_snapshots": self._history.open_readers,
            **self._tree.statistics(),
        }
