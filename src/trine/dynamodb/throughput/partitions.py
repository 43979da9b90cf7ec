"""Partitions of a table or index: ranges of the partition key's hash, each with its own ceilings.

A hash (four bytes) enters, the partition that holds it leaves. A table begins with as many equal ranges as its
capacity asks for, and gains more by size (10 GB each) and by heat: a range that keeps refusing requests is cut where
half of its refusals fall, until a single hot key has a partition of its own, which is as far as AWS gets too ("a
single partition key value … 3,000 RCU, 1,000 WCU", "Designing partition keys to distribute your workload").
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from trine.dynamodb.limits import (
    HEAT_SPLIT_SECONDS,
    PARTITION_READ_UNITS_PER_SECOND,
    PARTITION_WRITE_UNITS_PER_SECOND,
    PARTITIONS_MAX_COUNT,
    SHORT_BURST_SECONDS,
)
from trine.dynamodb.throughput.bucket import Bucket

HASHES = 1 << 32
_COOL_SECONDS = 60
_SAMPLES = 32


_TOP = bytes(byte * 0x9D % 256 for byte in range(256))


def spread(place: bytes) -> int:
    """The place of a key's hash among partitions. The hash is a checksum (`storage.keyspace`), whose upper bits are
    alike for keys that are alike: its last byte, multiplied, comes to the top, so that neighbours part.
    """
    return _TOP[place[3]] << 24 | place[0] << 16 | place[1] << 8 | place[2]


class Partition:
    """One range of hashes, [start, stop), and what it can do in a second."""

    __slots__ = ("_hot_since_ns", "_refused_ns", "_samples", "reads", "start", "stop", "writes")

    def __init__(self, start: int, stop: int, now_ns: int) -> None:
        self.start, self.stop = start, stop
        reads, writes = PARTITION_READ_UNITS_PER_SECOND, PARTITION_WRITE_UNITS_PER_SECOND
        self.reads = Bucket(reads, reads * SHORT_BURST_SECONDS, now_ns)
        self.writes = Bucket(writes, writes * SHORT_BURST_SECONDS, now_ns)
        self._samples: list[int] = []
        self._hot_since_ns = self._refused_ns = 0

    def refused(self, place: int, now_ns: int) -> bool:
        """A request for `place` was too much; whether that has gone on long enough for a split."""
        if not self._samples or now_ns - self._refused_ns > _COOL_SECONDS * 1_000_000_000:
            self._samples.clear()
            self._hot_since_ns = now_ns
        self._refused_ns = now_ns
        self._samples.append(place)
        del self._samples[:-_SAMPLES]
        return now_ns - self._hot_since_ns >= HEAT_SPLIT_SECONDS * 1_000_000_000

    def heat_cut(self) -> int | None:
        """Where to cut so that half of the heat lies on each side; None when there is only one hash left."""
        if self.stop - self.start <= 1 or not self._samples:
            return None
        middle = sorted(self._samples)[len(self._samples) // 2]
        return middle if middle > self.start else self.start + 1


class Partitions:
    """All partitions of one table or index, in order of their ranges."""

    __slots__ = ("_parts", "_starts", "heat_splits", "reads", "writes")

    def __init__(self, now_ns: int, count: int = 1) -> None:
        self._parts = [Partition(0, HASHES, now_ns)]
        self._starts = [0]
        self.heat_splits = 0
        self.reads: list[Bucket | None] = []
        self.writes: list[Bucket | None] = []
        """By the last byte of a hash: the units of the partition that holds all such hashes; None where several do.
        Both lists stay the same ones, whatever is cut."""
        self._arrange()
        self.at_least(count, now_ns)

    def __len__(self) -> int:
        return len(self._parts)

    def at(self, place: bytes) -> Partition:
        """The partition that holds the hash `place` (four bytes)."""
        return self._parts[bisect_right(self._starts, spread(place)) - 1]

    def at_least(self, count: int, now_ns: int) -> None:
        """Halve the widest ranges until there are `count` partitions. AWS never merges them again, nor do we."""
        count = min(count, PARTITIONS_MAX_COUNT)
        if len(self._parts) >= count:
            return
        while len(self._parts) < count:
            widest = max(self._parts, key=lambda part: (part.stop - part.start, -part.start))
            self._cut(widest, (widest.start + widest.stop) // 2, now_ns)
        self._arrange()

    def refused(self, part: Partition, place: bytes, now_ns: int) -> None:
        """`part` refused a request for `place`; cuts it when it has been too hot for too long."""
        if part.refused(spread(place), now_ns) and len(self._parts) < PARTITIONS_MAX_COUNT:
            cut = part.heat_cut()
            if cut is not None:
                self.heat_splits += 1
                self._cut(part, cut, now_ns)
                self._arrange()

    def ranges(self) -> list[tuple[int, int]]:
        """The range of each partition."""
        return [(part.start, part.stop) for part in self._parts]

    def recall(self, starts: Sequence[int], heat_splits: int, now_ns: int) -> None:
        """Lie as they lay before a restart: at these starts, the first of which is 0."""
        stops = [*starts[1:], HASHES]
        self._parts = [Partition(start, stop, now_ns) for start, stop in zip(starts, stops, strict=True)]
        self.heat_splits = heat_splits
        self._arrange()

    def _cut(self, part: Partition, cut: int, now_ns: int) -> None:
        at = self._parts.index(part)
        self._parts[at : at + 1] = [Partition(part.start, cut, now_ns), Partition(cut, part.stop, now_ns)]

    def _arrange(self) -> None:
        self._starts = [part.start for part in self._parts]
        whole = [self._whole(top << 24, top + 1 << 24) for top in _TOP]
        self.reads[:] = [None if part is None else part.reads for part in whole]
        self.writes[:] = [None if part is None else part.writes for part in whole]

    def _whole(self, start: int, stop: int) -> Partition | None:
        part = self._parts[bisect_right(self._starts, start) - 1]
        return part if stop <= part.stop else None
