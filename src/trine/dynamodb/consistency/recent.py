"""Recent writes of one table: what an eventually consistent read could still miss on AWS.

Keys as they are written enter; a read asks for its key, its partition or a whole index and learns how old the newest
write there is. Two generations of one second each, bounded by count: a table that is written faster than that is
remembered for less long, and never misremembered.
"""

from __future__ import annotations

from collections.abc import Callable

from trine.dynamodb.limits import RECENT_WRITES_MAX_COUNT, STALE_SECONDS

_SPACE_BYTES = 7
_PARTITION_BYTES = 11
"""How much of a stored key says which table or index, and which hash of a partition key (`storage.keyspace`)."""
Written = tuple[bytes, float]
"""A key, and how many seconds ago it was written."""


class RecentWrites:
    """The writes of one table and of its indexes in the last second or two."""

    __slots__ = ("_items", "_older_items", "_older_partitions", "_partitions", "_spaces", "_turns_at", "stale_reads",
                 "until")  # fmt: skip

    def __init__(self) -> None:
        self._items: dict[bytes, float] = {}
        self._older_items: dict[bytes, float] = {}
        self._partitions: dict[bytes, bytes] = {}
        self._older_partitions: dict[bytes, bytes] = {}
        self._spaces: dict[bytes, bytes] = {}
        self._turns_at = 0.0
        self.stale_reads = 0
        """Reads that AWS could have answered with an older state."""
        self.until = 0.0
        """Nothing is recent from then on; 0 when that was seen already. A table at rest is not asked key by key (two
        cold look-ups, 0.3 µs), nor the time (0.1 µs)."""

    def wrote(self, key: bytes, now: float) -> None:
        """`key` is written now (seconds, the Clock's)."""
        if now >= self._turns_at or len(self._items) >= RECENT_WRITES_MAX_COUNT:
            self._turn(now)
        self._items[key] = now
        self.until = now + STALE_SECONDS
        self._partitions[key[:_PARTITION_BYTES]] = key
        self._spaces[key[:_SPACE_BYTES]] = key

    def age(self, key: bytes, clock_now: Callable[[], float]) -> float | None:
        """Seconds since `key` was written, when that is less than a second ago."""
        now = clock_now()
        if now >= self.until:
            self.until = 0.0
            return None
        at = self._items.get(key)
        if at is None:
            at = self._older_items.get(key)
            if at is None:
                return None
        age = now - at
        return age if 0.0 <= age < STALE_SECONDS else None

    def in_range(self, start: bytes, stop: bytes, clock_now: Callable[[], float]) -> Written | None:
        """The newest write that a Query or Scan from `start` to `stop` of one partition or space could miss."""
        prefix = start[:_PARTITION_BYTES]
        if len(prefix) == _PARTITION_BYTES and stop.startswith(prefix):
            key = self._partitions.get(prefix) or self._older_partitions.get(prefix)
        else:
            key = self._spaces.get(start[:_SPACE_BYTES])
        if key is None:
            return None
        age = self.age(key, clock_now)
        return None if age is None else (key, age)

    def _turn(self, now: float) -> None:
        """The generation that is full, or a second old, becomes the older one."""
        self._older_items, self._items = self._items, {}
        self._older_partitions, self._partitions = self._partitions, {}
        self._turns_at = now + STALE_SECONDS
