"""Where reads read: the newest state, or the replica that trails the writer when a read may be stale.

The wing's other rooms know the store by the names of this room; only `storage` imports `kv`.
"""

from __future__ import annotations

from trine.dynamodb.consistency.lag import Lag
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
    """Strong and eventual reads of one store; `lag` is how far the replica trails: seconds, or drawn for each read."""

    __slots__ = ("_lag", "_newest", "_store", "lag")

    def __init__(self, store: Store, lag: float | Lag) -> None:
        self.lag = lag if isinstance(lag, Lag) else Lag(lag)
        self._lag: Lag | None = self.lag if self.lag.most_seconds else None
        self._store = store
        self._newest = Newest(store)
        if self._lag is not None:
            store.keep_history(self._lag.most_seconds)

    def open(self, consistent: bool | None) -> Newest | Snapshot:
        """What a read of many keys reads from (`with`)."""
        if consistent or self._lag is None:
            return self._newest
        return self._store.replica(self._lag.draw())

    def get(self, key: bytes, consistent: bool | None) -> bytes | None:
        """One value."""
        if consistent or self._lag is None:
            return self._store.get(key)
        with self._store.replica(self._lag.draw()) as replica:
            return replica.get(key)
