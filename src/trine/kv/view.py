"""What a reader sees: memtables, newest first, laid over a tree, at one sequence number.

The merge works on pages, not on single pairs: a page of the tree, the recent keys of the same stretch, one sort.
In: layers, a range, a limit. Out: lists of pairs; and `View`, the Snapshot every embedded store hands out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from trine.kv.errors import StoreClosed
from trine.kv.memtable import Memtable

Pairs = list[tuple[bytes, bytes]]

_FIRST_CHUNK, _LARGEST_CHUNK = 16, 256
_CHUNK_BYTES = 4 << 20


class Tree(Protocol):
    """The settled part below the memtables, frozen."""

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, or None."""

    def page(self, start: bytes, stop: bytes, limit: int, reverse: bool) -> Pairs:
        """The first `limit` pairs with start <= key < stop, from the end when `reverse`."""


class ClosedTree:
    """What a closed store reads from: every read says so."""

    def get(self, key: bytes) -> bytes | None:
        raise StoreClosed("the store has been closed")

    def page(self, start: bytes, stop: bytes, limit: int, reverse: bool) -> Pairs:
        raise StoreClosed("the store has been closed")


def lookup(memtables: tuple[Memtable, ...], tree: Tree | None, sequence: int, key: bytes) -> bytes | None:
    """The value of `key` at `sequence`."""
    for memtable in memtables:
        version = memtable.at(key, sequence)
        if version is not None:
            return version[1]
    return None if tree is None else tree.get(key)


def page(
    memtables: tuple[Memtable, ...],
    tree: Tree | None,
    sequence: int,
    start: bytes,
    stop: bytes,
    limit: int,
    reverse: bool,
    limit_bytes: int | None = None,
) -> Pairs:
    """The first `limit` pairs (or until `limit_bytes` of values, the last one included) of the range at `sequence`."""
    if limit_bytes is not None:
        return _page_by_bytes(memtables, tree, sequence, start, stop, limit, reverse, limit_bytes)
    if limit <= 0 or start >= stop:
        return []
    if tree is not None:
        for memtable in memtables:
            if memtable.keys.touches(start, stop):
                break
        else:
            return tree.page(start, stop, limit, reverse)
    pairs: Pairs = []
    while True:
        found, end = _stretch(memtables, tree, sequence, start, stop, limit - len(pairs), reverse)
        pairs += found
        if end is None or len(pairs) >= limit:
            return pairs if len(pairs) <= limit else pairs[:limit]
        if reverse:
            stop = end
        else:
            start = end + b"\0"


def _stretch(
    memtables: tuple[Memtable, ...],
    tree: Tree | None,
    sequence: int,
    start: bytes,
    stop: bytes,
    want: int,
    reverse: bool,
) -> tuple[Pairs, bytes | None]:
    """Pairs from the near end of the range up to a key, and that key; None for the key when the range is done.

    Every layer is read for `want` keys; only up to the nearest of their last keys is each of them complete.
    """
    settled = tree.page(start, stop, want, reverse) if tree is not None else []
    ends = [settled[-1][0]] if len(settled) == want else []
    recent: list[tuple[Memtable, list[bytes]]] = []
    for memtable in memtables:
        keys = memtable.keys.page(start, stop, want, reverse)
        if keys:
            recent.append((memtable, keys))
            if len(keys) == want:
                ends.append(keys[-1])
    end = (max(ends) if reverse else min(ends)) if ends else None
    if not settled and len(recent) == 1 and recent[0][0].latest <= sequence:  # one layer, as it stands
        memtable, keys = recent[0]
        versions = memtable.versions
        return [(key, value) for key in keys if (value := versions[key][1]) is not None], end
    merged: dict[bytes, bytes | None] = dict(settled)
    for memtable, keys in reversed(recent):  # the oldest first: a newer one overrides it
        if memtable.latest <= sequence:
            versions = memtable.versions
            merged.update([(key, versions[key][1]) for key in keys])
        else:
            for key in keys:
                version = memtable.at(key, sequence)
                if version is not None:
                    merged[key] = version[1]
    changes = list(merged.items())
    if len(changes) != len(settled):  # else recent values took the places of settled ones, and the order holds
        changes.sort(reverse=reverse)
    if end is not None:  # beyond it, a layer may hold keys that were not read
        while changes and (changes[-1][0] < end if reverse else changes[-1][0] > end):
            changes.pop()
    return [(key, value) for key, value in changes if value is not None], end


def _page_by_bytes(
    memtables: tuple[Memtable, ...],
    tree: Tree | None,
    sequence: int,
    start: bytes,
    stop: bytes,
    limit: int,
    reverse: bool,
    limit_bytes: int,
) -> Pairs:
    pairs: Pairs = []
    size, chunk = 0, _FIRST_CHUNK
    while True:
        want = min(chunk, limit - len(pairs))
        found = page(memtables, tree, sequence, start, stop, want, reverse)
        size += sum([len(pair[1]) for pair in found])
        pairs += found
        if size >= limit_bytes:
            while len(pairs) > 1 and size - len(pairs[-1][1]) >= limit_bytes:
                size -= len(pairs.pop()[1])
            return pairs
        if len(found) < want or len(pairs) >= limit:
            return pairs
        if reverse:
            stop = found[-1][0]
        else:
            start = found[-1][0] + b"\0"
        # Read on in steps that would fill what is left, were the rest like the part already read.
        chunk = max(1, min(_LARGEST_CHUNK, (limit_bytes - size) * len(pairs) // max(size, 1) + 1))


class View:
    """A snapshot: layers and a sequence number. `released` is told once, when the reader lets go."""

    __slots__ = ("_memtables", "_released", "_tree", "sequence")

    def __init__(
        self,
        memtables: tuple[Memtable, ...],
        tree: Tree | None,
        sequence: int,
        released: Callable[[int], None],
    ) -> None:
        self._memtables = memtables
        self._tree = tree
        self.sequence = sequence
        self._released: Callable[[int], None] | None = released

    def get(self, key: bytes) -> bytes | None:
        if self._released is None:
            raise StoreClosed("this snapshot has been closed")
        return lookup(self._memtables, self._tree, self.sequence, key)

    def page(
        self, start: bytes, stop: bytes, limit: int, *, reverse: bool = False, limit_bytes: int | None = None
    ) -> Pairs:
        if self._released is None:
            raise StoreClosed("this snapshot has been closed")
        return page(self._memtables, self._tree, self.sequence, start, stop, limit, reverse, limit_bytes)

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        chunk = _FIRST_CHUNK
        while True:
            pairs = self.page(start, stop, chunk, reverse=reverse, limit_bytes=_CHUNK_BYTES)
            yield from pairs
            if not pairs:
                return
            if reverse:
                stop = pairs[-1][0]
            else:
                start = pairs[-1][0] + b"\0"
            chunk = min(2 * chunk, _LARGEST_CHUNK)

    def close(self) -> None:
        released, self._released = self._released, None
        if released is not None:
            self._memtables, self._tree = (), None
            released(self.sequence)

    def __enter__(self) -> View:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
