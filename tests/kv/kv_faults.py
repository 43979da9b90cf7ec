"""A disk that fails or loses power at a chosen operation, and what the tests of the log share."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

from trine.kv.checkpointer import Checkpointer
from trine.kv.disk import Disk
from trine.kv.durable import DurableStore
from trine.kv.store import Change


class FailingDisk(Disk):
    """Counts operations; from number `stop_at` on each of them fails with `number` (for ever, or `times` times).

    It remembers what was written and not yet synced, so that `lose_power` can take any part of that away again.
    """

    def __init__(self, stop_at: int | None = None, number: int = errno.EIO, times: int | None = None) -> None:
        self.operations = 0
        self.stop_at = stop_at
        self.number = number
        self.times = times
        self._unsynced: dict[Path, list[tuple[int, bytes]]] = {}
        self._names: list[tuple[Path, Path]] = []
        self._paths: dict[int, Path] = {}

    def _step(self) -> None:
        self.operations += 1
        if self.stop_at is None or self.operations <= self.stop_at:
            return
        if self.times is not None:
            if self.times == 0:
                return
            self.times -= 1
        raise OSError(self.number, os.strerror(self.number))

    def create(self, path: Path) -> int:
        self._step()
        descriptor = super().create(path)
        self._paths[descriptor] = path
        return descriptor

    def write(self, descriptor: int, content: bytes, offset: int) -> None:
        self._step()
        old = os.pread(descriptor, len(content), offset)
        self._unsynced.setdefault(self._paths[descriptor], []).append((offset, old.ljust(len(content), b"\0")))
        super().write(descriptor, content, offset)

    def sync(self, descriptor: int) -> None:
        self._step()
        self._unsynced.pop(self._paths[descriptor], None)

    def close(self, descriptor: int) -> None:
        self._paths.pop(descriptor, None)
        super().close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)
        self._names.append((source, target))
        if source in self._unsynced:
            self._unsynced[target] = self._unsynced.pop(source)
        for descriptor, path in self._paths.items():
            if path == source:
                self._paths[descriptor] = target

    def remove(self, path: Path) -> None:
        self._step()
        super().remove(path)

    def sync_directory(self, path: Path) -> None:
        self._step()
        self._names.clear()

    def lose_power(self, chance: random.Random) -> None:
        """Take back a random part of what was not synced, sector by sector, and of the names not synced."""
        for path, writes in self._unsynced.items():
            if not path.exists():
                continue
            with path.open("r+b") as file:
                for offset, old in reversed(writes):
                    for place in range(0, len(old), 512):
                        if chance.random() < 0.5:
                            file.seek(offset + place)
                            file.write(old[place : place + 512])
        for source, target in self._names:
            if chance.random() < 0.5 and target.exists():
                target.rename(source)


class NoFolding:
    """Stands where the checkpointer stands, and leaves the log alone."""

    running = False

    def start(self, last_segment: int) -> None:
        """Nothing is folded."""

    async def close(self) -> None:
        """Nothing runs."""


def without_folding(store: DurableStore) -> DurableStore:
    """The same store, whose segments stay in the log."""
    store._checkpointer = NoFolding()  # type: ignore[assignment]
    return store


async def abandon(store: DurableStore) -> None:
    """What a crash leaves: nothing is finished, descriptors and the lock are gone."""
    if isinstance(store._checkpointer, Checkpointer):
        await store._checkpointer.close()
    store._writer.close()
    if store._ring is not None:
        store._ring.close()
    os.close(store._log._descriptor)
    store._tree.close()
    store._directory.release()


def pair(number: int, filler_bytes: int = 150) -> Change[int]:
    """Transaction `number` of a series: two keys that must appear together."""
    return Change(number, {b"a%04d" % number: b"x" * filler_bytes, b"b%04d" % number: b"%d" % number})


def pairs_present(store: DurableStore) -> int:
    """How many transactions of the series are there; asserts that they are whole and a prefix of it."""
    first = [key for key, _ in store.page(b"a", b"b", 9999)]
    second = [key for key, _ in store.page(b"b", b"c", 9999)]
    assert first == [b"a%04d" % n for n in range(len(first))]
    assert second == [b"b%04d" % n for n in range(len(first))]
    return len(first)
