"""The durable store: a write-ahead log in front of an LMDB tree, memtables in between.

    transact → group (decided on the loop) → one record in the log, one fdatasync (a thread waits for it)
             → memtable, acknowledged                                     readers: memtables over the tree
    segment full → its memtable is frozen, a process folds the segment into the tree → memtable dropped

Readers see what has been synced and nothing else: a group enters the memtable after its fdatasync and before its
futures resolve. In: a state directory. Out: a `Store`.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from asyncio import Future
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from trine.clock import Clock
from trine.kv import directory as state_directory
from trine.kv.checkpointer import Checkpointer
from trine.kv.disk import Disk, sync_directory
from trine.kv.errors import StoreClosed, StoreError, StoreFull
from trine.kv.group import Group, GroupCommit, NewFuture
from trine.kv.history import History
from trine.kv.log import Log
from trine.kv.maintenance import copy_state
from trine.kv.memtable import Memtable
from trine.kv.ranges import delete_range
from trine.kv.record import payload
from trine.kv.recovery import MARK, Mark, recover, unpack_mark
from trine.kv.ring import open_ring
from trine.kv.store import Decide, Follow, Result
from trine.kv.tree import LmdbTree, TreeView, discard_unborn
from trine.kv.view import ClosedTree, Pairs, Tree, View, page
from trine.kv.writer import Done, Writer

SEGMENT_BYTES = 32 << 20
"""Log bytes after which a segment is folded into the tree; also bounds what a start has to read back."""
MEMTABLE_BYTES = 64 << 20
"""Memory of one memtable (keys, values, overhead) after which its segment ends early."""
FROZEN_LIMIT = 4
"""Segments that may wait for being folded; beyond it writes wait too."""
PACE_SECONDS = 0.004
"""What each group waits, times the square of the segments by which folding lags behind half of FROZEN_LIMIT."""
SHED_COUNT = 1000
"""Versions of a settled memtable that are dropped in one round of the event loop (0.2 ms)."""
PAST_LIMIT = 64
"""Checkpoints a replica's history may span: each of them pins the memtables and pages it replaced."""
_log = logging.getLogger(__name__)


class Frozen(Struct, frozen=True):
    """A complete segment in memory that is not in the tree yet."""

    segment: int
    last_group: int
    memtable: Memtable


class Layers(Struct, frozen=True):
    """What together makes a state readable: memtables, newest first, over a tree that holds groups up to `floor`."""

    memtables: tuple[Memtable, ...]
    tree: Tree
    floor: int


class DurableStore:
    """A `Store` on disk; one process per directory."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        clock: Clock,
        *,
        disk: Disk | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        frozen_limit: int = FROZEN_LIMIT,
        new_future: NewFuture | None = None,
    ) -> None:
        """Open or make the state in directory `path`. StoreBusy, StoreDamaged, StoreTooNew, StoreFull, OSError.

        `new_future` makes the futures of transactions, where their owner wants others than the loop's.
        """
        self._segment_bytes = segment_bytes
        self._frozen_limit = frozen_limit
        self._closed = False
        self._directory = state_directory.take(path)
        try:
            if not (self._directory.path / "log").exists():
                discard_unborn(self._directory.path / "tree")
            self._tree = LmdbTree(self._directory.path / "tree")
            try:
                view, mark = self._open_log(disk or Disk())
            except BaseException:
                self._tree.close()
                raise
        except BaseException:
            self._directory.release()
            raise
        group = self._frozen[-1].last_group if self._frozen else mark.group
        self._history = History(clock, group)
        self._past: deque[Layers] = deque()  # for replicas that trail: layers that a checkpoint replaced
        self._active = Memtable()
        self._active_segment = self._log.segment
        self._lay(view, mark.group)
        self._held: tuple[Group, Done] | None = None  # a group that waits for a checkpoint
        self._checkpoint_error: Exception | None = None
        self._checkpoints = 0
        self._forks = 0  # under way: the tree must stand still
        self._checkpointer = Checkpointer(
            self._directory.path, self._directory.owner_descriptor, self._folded, self._checkpoint_ended
        )
        self._writer = Writer("trine-kv-writer")
        self._ring = open_ring() if disk is None else None  # a disk of one's own sees every sync
        futures = {} if new_future is None else {"new_future": new_future}
        self._commit = GroupCommit(
            self.get, self._write, self._publish, group, clock.monotonic_ns, look=self._look, **futures
        )
        self._begun = False

    def _open_log(self, disk: Disk) -> tuple[TreeView, Mark]:
        """Read back what the tree lacks, and start a segment behind it."""
        view = self._tree.view()
        mark = unpack_mark(view.mark, str(self._directory.path / "tree"))
        segment, group = mark.segment, mark.group
        log_directory = self._directory.path / "log"
        self._frozen: list[Frozen] = []
        for replay in recover(log_directory, disk, mark):
            segment, group = replay.segment, replay.last_group
            self._frozen.append(Frozen(segment, group, Memtable.of(replay.puts, group)))
        self._log = Log(log_directory, disk, segment + 1, group + 1)
        if mark.new:
            for directory in (self._directory.path / "tree", self._directory.path):
                sync_directory(directory)  # before anything is acknowledged, what will hold it has its name
            self._tree.write({}, MARK.pack(0, 0))  # from now on a missing log is a damage
        return view, mark

    def _lay(self, tree: Tree, floor: int) -> None:
        """Put the layers of the newest state together."""
        frozen = tuple(frozen.memtable for frozen in reversed(self._frozen))
        self._layers = Layers((self._active, *frozen), tree, floor)
        self._newest = self._active.newest
        self._older = frozen
        self._tree_get = tree.get

    # Reading

    def get(self, key: bytes) -> bytes | None:
        version = self._newest(key)
        if version is not None:
            return version[1]
        for memtable in self._older:
            version = memtable.newest(key)
            if version is not None:
                return version[1]
        return self._tree_get(key)

    def page(
        self, start: bytes, stop: bytes, limit: int, *, reverse: bool = False, limit_bytes: int | None = None
    ) -> Pairs:
        layers = self._layers
        return page(layers.memtables, layers.tree, self._commit.number, start, stop, limit, reverse, limit_bytes)

    def snapshot(self) -> View:
        return self._view(self._layers, self._commit.number)

    def replica(self, lag_seconds: float) -> View:
        sequence = self._history.at_lag(lag_seconds)
        if sequence < self._layers.floor:
            for layers in reversed(self._past):
                if layers.floor <= sequence:
                    return self._view(layers, sequence)
            oldest = self._past[0] if self._past else self._layers
            return self._view(oldest, oldest.floor)  # more checkpoints than are kept: the oldest state there is
        return self._view(self._layers, sequence)

    def _view(self, layers: Layers, sequence: int) -> View:
        if self._closed:
            raise StoreClosed("the store has been closed")
        self._history.open(sequence)
        return View(layers.memtables, layers.tree, sequence, self._history.close)

    def keep_history(self, seconds: float) -> None:
        self._history.keep(seconds)

    # Writing

    def transact(self, keys: Sequence[bytes], decide: Decide[Result]) -> Future[Result]:
        return self._commit.transact(keys, decide)

    def replace(self, key: bytes, value: bytes, follow: Follow, result: Result) -> Future[Result]:
        return self._commit.replace(key, value, follow, result)

    def delete_range(self, start: bytes, stop: bytes) -> Future[int]:
        return delete_range(self, start, stop)

    def _write(self, group: Group, done: Done) -> None:
        """Make a group durable, somewhat later when folding lags: many short waits instead of one long one."""
        if not self._begun:
            self._begun = True
            self._fold()  # what a start left over
        content = payload(group.puts)
        lag = len(self._frozen) - self._frozen_limit / 2
        if lag >= 0 and len(self._frozen) < self._frozen_limit:
            lag += self._log.offset / self._segment_bytes
            # The disk's own time, not the application's: a clock that tests hold still must not hold this.
            asyncio.get_running_loop().call_later(PACE_SECONDS * lag * lag, self._write_now, group, content, done)
        else:
            self._write_now(group, content, done)

    def _write_now(self, group: Group, content: bytes, done: Done) -> None:
        """Into the page cache on the loop; the waiting for the disk is the kernel's (`ring`) or the thread's."""
        log = self._log
        if log.offset >= self._segment_bytes or self._active.size_bytes >= MEMTABLE_BYTES:
            if len(self._frozen) >= self._frozen_limit:
                self._hold(group, done)
                return
            self._writer.submit(lambda: self._rotate_and_write(content, group.number), lambda e: self._written(done, e))
            return
        loop = asyncio.get_running_loop()
        try:
            end = log.append(content, group.number)
        except StoreError as error:
            loop.call_soon(done, error)
            return
        if self._ring is not None:
            try:
                self._ring.sync(log.descriptor, loop, lambda code: self._synced(end, code, done))
                return
            except OSError:  # it has never happened; the thread does the same
                self._ring.close()
                self._ring = None
        self._writer.submit(lambda: log.sync(end), done)

    def _look(self) -> None:
        if self._ring is not None:
            self._ring.look()

    def _synced(self, end: int, code: int, done: Done) -> None:
        log = self._log
        if code == 0:
            log.synced(end)
            done(None)
        elif code in (errno.EINTR, errno.EAGAIN, errno.ECANCELED):  # it was not tried
            self._writer.submit(lambda: log.sync(end), done)
        else:
            self._writer.submit(lambda: log.failed(OSError(code, os.strerror(code))), done)

    def _rotate_and_write(self, content: bytes, number: int) -> None:
        self._log.rotate(number)
        self._log.sync(self._log.append(content, number))

    def _written(self, done: Done, error: Exception | None) -> None:
        """After a rotation, which may have succeeded though the group behind it failed."""
        if self._log.segment != self._active_segment:
            self._frozen.append(Frozen(self._active_segment, self._commit.number, self._active))
            self._active_segment = self._log.segment
            self._active = Memtable()
            self._lay(self._layers.tree, self._layers.floor)
            self._fold()
        done(error)

    def _publish(self, group: Group) -> None:
        self._active.apply(group.puts, group.number, self._history.keeping, group.size_bytes)
        self._history.committed(group.number)

    # Checkpoints

    def _hold(self, group: Group, done: Done) -> None:
        """The log may not grow further before a segment is folded: the group waits for that."""
        self._held = (group, done)
        self._fold()

    def _fold(self) -> None:
        """Have the oldest complete segment folded into the tree, unless one is under way.

        One at a time: the next is folded in steps, and a view of the tree taken between them would show its later
        groups to a reader of an earlier state.
        """
        if not self._frozen or self._checkpointer.running or self._forks:
            return
        try:
            self._checkpointer.start(self._frozen[0].segment)
        except StoreError as error:
            self._checkpoint_ended(error)

    def _folded(self, segment: int) -> None:
        """A segment is in the tree, durable: read it there."""
        tree = self._tree.view()
        mark = unpack_mark(tree.mark, str(self._directory.path / "tree"))
        assert mark.segment >= segment
        if self._history.seconds > 0:
            self._past.append(self._layers)
        oldest = self._history.floor()
        while self._past:
            newer_floor = self._past[1].floor if len(self._past) > 1 else mark.group
            if newer_floor > oldest and len(self._past) <= PAST_LIMIT:
                break
            self._past.popleft()
        settled = [frozen.memtable for frozen in self._frozen if frozen.segment <= mark.segment]
        self._frozen = [frozen for frozen in self._frozen if frozen.segment > mark.segment]
        self._lay(tree, mark.group)
        if not self._history.keeping:  # no snapshot and no replica reads them
            for memtable in settled:
                self._shed(memtable)
        self._checkpoints += 1

    def _shed(self, memtable: Memtable) -> None:
        """Give a settled memtable's memory back, a little in each round of the loop."""
        if memtable.shed(SHED_COUNT):
            asyncio.get_running_loop().call_soon(self._shed, memtable)

    def _checkpoint_ended(self, error: Exception | None) -> None:
        if self._closed and self._held is None:
            return  # ended by `close`
        self._checkpoint_error = error
        if error is not None:
            _log.warning("the log could not be folded: %s", error)
        held, self._held = self._held, None
        if held is not None:
            group, done = held
            if error is None:
                self._write(group, done)
            else:
                kind = StoreFull if isinstance(error, StoreFull) else StoreError
                asyncio.get_running_loop().call_soon(done, kind(f"the log is full and cannot be folded: {error}"))
        elif error is None and not self._closed:
            self._fold()

    async def fork(self, target: str | os.PathLike[str]) -> None:
        """Make `target` a state directory of its own with what is durable now; writes go on meanwhile.

        Folding pauses, so a large tree on a file system without shared blocks lets the log grow for as long as
        copying takes. StoreError when `target` exists, StoreFull.
        """
        if self._closed:
            raise StoreClosed("the store has been closed")
        self._forks += 1
        try:
            await self._checkpointer.finished()
            end = (self._log.segment, self._log.offset)
            copying = asyncio.get_running_loop().run_in_executor(
                None, copy_state, self._directory.path, Path(target), end
            )
            await asyncio.shield(copying)
        finally:
            self._forks -= 1
            if not self._closed:
                self._fold()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._commit.drain()
        await self._checkpointer.close()
        self._writer.close()
        if self._ring is not None:
            self._ring.close()
        self._log.close()
        self._past.clear()
        self._frozen, self._active = [], Memtable()
        self._lay(ClosedTree(), self._layers.floor)
        self._tree.close()
        self._directory.release()

    def statistics(self) -> Mapping[str, Any]:
        return {
            "kind": "durable",
            "sync": "thread" if self._ring is None else "io_uring",
            "groups": self._commit.groups,
            "transactions": self._commit.transactions,
            "failed_groups": self._commit.failed_groups,
            "waiting": self._commit.waiting,
            "open_snapshots": self._history.open_readers,
            "last_group": self._commit.number,
            "segment": self._active_segment,
            "segment_bytes": self._log.offset,
            "memtable_keys": sum(len(memtable.versions) for memtable in self._layers.memtables),
            "memtable_bytes": sum(memtable.size_bytes for memtable in self._layers.memtables),
            "segments_to_fold": len(self._frozen),
            "checkpoints": self._checkpoints,
            "checkpoint_error": None if self._checkpoint_error is None else str(self._checkpoint_error),
            **(self._tree.statistics() if not self._closed else {}),
        }
