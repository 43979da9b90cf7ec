"""Ordered bytes in memory that remember their past: the memory store's table, and the newest part of the durable one.

Each key leads to its newest version, a tuple (sequence, value, version before); None as value says deleted. A reader
that holds a sequence number sees the newest version that is not later than it, so a snapshot is one integer. Keys lie
sorted in blocks. In: groups of puts with rising sequence. Out: versions and sorted keys.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from typing import Any

Version = tuple[int, bytes | None, Any]
"""(sequence, value or None when deleted, the Version before or None)"""

_BLOCK_KEYS = 512
_VERSION_OVERHEAD_BYTES = 200  # dict entry, tuple, two bytes headers: measured about 190


class SortedKeys:
    """A sorted set of keys in blocks of bounded length: inserting moves at most a block."""

    __slots__ = ("_blocks", "_lows")

    def __init__(self) -> None:
        self._blocks: list[list[bytes]] = [[]]
        self._lows: list[bytes] = []  # first key of block i+1

    @classmethod
    def of(cls, ordered: list[bytes]) -> SortedKeys:
        """The set of these ascending keys."""
        keys = cls()
        keys._blocks = [ordered[at : at + _BLOCK_KEYS] for at in range(0, len(ordered), _BLOCK_KEYS)] or [[]]
        keys._lows = [block[0] for block in keys._blocks[1:]]
        return keys

    def add(self, key: bytes) -> None:
        """Add a key that is not in the set."""
        index = bisect_right(self._lows, key)
        block = self._blocks[index]
        insort(block, key)
        if len(block) > 2 * _BLOCK_KEYS:
            # A rising sequence of keys is the common case: leave the left block nearly full then.
            cut = _BLOCK_KEYS if block[-1] is not key else 2 * _BLOCK_KEYS - 16
            self._blocks[index : index + 1] = [block[:cut], block[cut:]]
            self._lows.insert(index, block[cut])

    def discard(self, key: bytes) -> None:
        """Remove a key that is in the set."""
        index = bisect_right(self._lows, key)
        block = self._blocks[index]
        del block[bisect_left(block, key)]
        if not block:
            if len(self._blocks) > 1:
                del self._blocks[index]
                del self._lows[max(index - 1, 0)]
        elif index:
            self._lows[index - 1] = block[0]

    def touches(self, start: bytes, stop: bytes) -> bool:
        """Whether there is a key with start <= key < stop."""
        lows = self._lows
        index = bisect_right(lows, start)
        block = self._blocks[index]
        place = bisect_left(block, start)
        if place < len(block):
            return block[place] < stop
        return index < len(lows) and lows[index] < stop

    def shed(self) -> None:
        """Drop some block; what is left is no set any more, only memory to be given back."""
        if self._blocks:
            self._blocks.pop()

    def page(self, start: bytes, stop: bytes, limit: int, reverse: bool) -> list[bytes]:
        """The first `limit` keys with start <= key < stop, from the end when `reverse`."""
        blocks = self._blocks
        if not reverse:
            index = bisect_right(self._lows, start)
            block = blocks[index]
            first = bisect_left(block, start)
            last = bisect_left(block, stop, first)
            keys = block[first : min(last, first + limit)]
            while last == len(block) and len(keys) < limit and index + 1 < len(blocks):
                index += 1
                block = blocks[index]
                last = bisect_left(block, stop)
                keys += block[: min(last, limit - len(keys))]
            return keys
        index = bisect_right(self._lows, stop)
        keys = []
        while True:
            block = blocks[index]
            first, last = bisect_left(block, start), bisect_left(block, stop)
            keys += block[max(first, last - limit + len(keys)) : last][::-1]
            if first > 0 or index == 0 or len(keys) >= limit:
                return keys
            index -= 1


class Memtable:
    """Keys with their versions. `newest` is the dictionary's own `get`: the hot path has no Python frame."""

    __slots__ = ("keys", "latest", "newest", "size_bytes", "versions")

    def __init__(self) -> None:
        self.versions: dict[bytes, Version] = {}
        self.newest = self.versions.get
        self.keys = SortedKeys()
        self.latest = 0  # the newest sequence in here: a reader of it or a later one needs no chain
        self.size_bytes = 0  # of everything ever applied, as far as that was told: an upper bound of what is held

    @classmethod
    def of(cls, puts: Mapping[bytes, bytes | None], sequence: int) -> Memtable:
        """A memtable of puts that came before anybody could read: they all get one sequence."""
        table = cls()
        table.versions.update((key, (sequence, value, None)) for key, value in puts.items())
        table.keys = SortedKeys.of(sorted(puts))
        table.latest = sequence
        values_bytes = sum(len(value) for value in puts.values() if value is not None)
        table.size_bytes = sum(map(len, puts)) + values_bytes + _VERSION_OVERHEAD_BYTES * len(puts)
        return table

    def apply(self, puts: Mapping[bytes, bytes | None], sequence: int, keep_past: bool, size_bytes: int = 0) -> None:
        """Make `puts` the newest versions; without `keep_past` the versions they replace are forgotten.

        `size_bytes`: of their keys and values, for who asks the memtable for its size.
        """
        versions, newest = self.versions, self.newest
        self.latest = sequence
        for key, value in puts.items():
            version = newest(key)
            if version is None:
                self.keys.add(key)
            versions[key] = (sequence, value, version if keep_past else None)
        self.size_bytes += size_bytes + _VERSION_OVERHEAD_BYTES * len(puts)

    def shed(self, count: int) -> bool:
        """Give the memory of some `count` versions back, when nobody reads here any more; whether any are left.

        Dropping 70,000 keys at once would hold the event loop for 10 ms.
        """
        versions = self.versions
        for _ in range(min(count, len(versions))):
            versions.popitem()
        for _ in range(count // _BLOCK_KEYS + 1):
            self.keys.shed()
        return bool(versions)

    def at(self, key: bytes, sequence: int) -> Version | None:
        """The newest version of `key` that is not later than `sequence`."""
        version = self.newest(key)
        while version is not None and version[0] > sequence:
            version = version[2]
        return version

    def forget(self, key: bytes, sequence: int) -> None:
        """Drop the versions of `key` that no reader at `sequence` or later can see, and the key with its last one."""
        version = self.newest(key)
        if version is None:
            return
        if version[0] <= sequence:
            if version[1] is None:
                del self.versions[key]
                self.keys.discard(key)
            elif version[2] is not None:
                self.versions[key] = (version[0], version[1], None)
            return
        self.versions[key] = _without_past(version, sequence)


def _without_past(version: Version, sequence: int) -> Version:
    """A copy of the chain that ends with the first version a reader at `sequence` sees."""
    chain = []
    link: Version | None = version
    while link is not None:
        chain.append(link)
        link = None if link[0] <= sequence else link[2]
    past: Version | None = None
    for kept in reversed(chain):
        past = (kept[0], kept[1], past)
    assert past is not None
    return past
