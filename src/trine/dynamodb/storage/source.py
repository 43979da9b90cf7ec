"""Where reads read: the newest state, or the replica that trails the writer when a read may be stale.

The wing's other rooms know the store by the names of this room; only `storage` imports `kv`.
"""

from __future__ import annotations

from trine.kv.errors import StoreError
from trine.kv.store import Snapshot, Store

__all__ = ["Newest", "Snapshot", "Source", "Store", "StoreError"]


class Newest:
    """The store itself as something to read from for a moment (`with`)."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *exc: object) -> None:
        return None


class Source:
    """Strong and eventual reads of one store; `lag_seconds` is how far the replica trails."""

    __slots__ = ("_lag_seconds", "_newest", "_store")

    def __init__(self, store: Store, lag_seconds: float) -> None:
        self._store, self._lag_seconds = store, lag_seconds
        self._newest = Newest(store)
        if lag_seconds:
            store.keep_history(lag_seconds)

    def open(self, consistent: bool | None) -> Newest | Snapshot:
        """What a read of many keys reads from (`with`)."""
        if consistent or not self._lag_seconds:
            return self._newest
        return self._store.replica(self._lag_seconds)

    def get(self, key: bytes, consistent: bool | None) -> bytes | None:
        """One value."""
        if consistent or not self._lag_seconds:
            return self._store.get(key)
        with self._store.replica(self._lag_seconds) as replica:
            return replica.get(key)
