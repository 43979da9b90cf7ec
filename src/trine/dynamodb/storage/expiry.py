"""Time to live: which items expire when, kept in order of time, so that a sweep reads only what is due.

An item before and after a change enters; entries to put and delete leave. An entry is a key alone: the second at which
the item expires, then the item's own key. Source: "Using time to live (TTL)", developer guide: the attribute is a
number of seconds since the epoch; other types and stamps older than five years count as none.
"""

from __future__ import annotations

from trine.dynamodb.limits import TTL_PAST_MAX_SECONDS
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.storage.keyspace import EXPIRY_INDEX, ITEMS, table_prefix
from trine.kv.store import Store
from trine.kv.tuple import after

_STAMP_BYTES = 8
_STAMP_MAX = (1 << 63) - 1


class Expiry:
    """The expiry entries of one table."""

    __slots__ = ("attribute", "prefix", "stop")

    def __init__(self, table_number: int, attribute: str) -> None:
        self.attribute = attribute
        self.prefix = table_prefix(ITEMS, table_number) + EXPIRY_INDEX.to_bytes(2, "big")
        self.stop = after(self.prefix)

    def stamp(self, item: Item | None) -> int | None:
        """The second at which `item` expires, or None."""
        if item is None:
            return None
        text = item.get(self.attribute, {}).get("N")
        if text is None:
            return None
        whole = text.partition(".")[0]
        if whole.startswith("-") or len(whole) > 18:
            return None
        return int(whole)

    def entry(self, key: bytes, item: Item | None) -> bytes | None:
        """The entry of the item under `key`, or None when it does not expire."""
        stamp = self.stamp(item)
        return None if stamp is None else self.prefix + stamp.to_bytes(_STAMP_BYTES, "big") + key

    def changes(self, key: bytes, old: Item | None, new: Item | None) -> dict[bytes, bytes | None]:
        """Entries to put and to delete when the item under `key` changes."""
        before, now = self.entry(key, old), self.entry(key, new)
        if before == now:
            return {}
        changes: dict[bytes, bytes | None] = {}
        if before is not None:
            changes[before] = None
        if now is not None:
            changes[now] = b""
        return changes

    def is_due(self, item: Item | None, now: float) -> bool:
        """Whether `item` has expired and AWS would delete it."""
        stamp = self.stamp(item)
        return stamp is not None and now - TTL_PAST_MAX_SECONDS <= stamp <= now

    def due(self, store: Store, now: float, count: int) -> list[bytes]:
        """Keys of up to `count` items whose time has come."""
        start = self.prefix + max(0, int(now) - TTL_PAST_MAX_SECONDS).to_bytes(_STAMP_BYTES, "big")
        stop = self.prefix + (min(int(now), _STAMP_MAX) + 1).to_bytes(_STAMP_BYTES, "big")
        skip = len(self.prefix) + _STAMP_BYTES
        return [key[skip:] for key, _ in store.page(start, stop, count)]
