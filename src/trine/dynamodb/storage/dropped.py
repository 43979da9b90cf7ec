"""Tables that are gone: what they held is deleted piece by piece, and goes on after a restart.

Enters the number of a dropped table, noted in the commit that drops it; leaves nothing of it in the store.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from trine.dynamodb.storage.catalogue import DocumentCatalogue, encoded_document
from trine.dynamodb.storage.keyspace import BASE_INDEX, COUNTERS, HISTORY, ITEMS, STREAMS, table_prefix
from trine.kv.store import Store
from trine.kv.tuple import after

KIND = "dynamodb:dropped-table"


class Doomed(NamedTuple):
    """A table that nobody can name any more."""

    number: int
    keep_items: bool
    """Its items (not the entries of its indexes) belong to somebody else by now."""

    def record(self) -> dict[str, object]:
        """As the catalogue keeps it."""
        return {"Number": self.number, "KeepItems": self.keep_items}


class Dropped:
    """The sweeps of one account and region."""

    def __init__(self, store: Store, catalogue: DocumentCatalogue) -> None:
        self._store, self._catalogue = store, catalogue
        self._sweeps: set[asyncio.Task[None]] = set()

    def noted(self, doomed: Doomed) -> dict[bytes, bytes]:
        """What a commit that drops the table has to put, so that the sweep outlives this process."""
        return {self._catalogue.key(KIND, str(doomed.number)): encoded_document(doomed.record())}

    def sweep(self, doomed: Doomed) -> None:
        """Begin; the commit that notes it is durable. Needs the running loop."""
        self._catalogue.remember(KIND, str(doomed.number), doomed.record())
        self._begin(doomed)

    def resume(self) -> None:
        """Go on with what was dropped before the last stop; needs the running loop."""
        for name, record in list(self._catalogue.list(KIND)):
            self._begin(Doomed(int(name), record.get("KeepItems", False)))

    async def close(self) -> None:
        """Stop; the next start goes on."""
        for task in self._sweeps:
            task.cancel()
        await asyncio.gather(*self._sweeps, return_exceptions=True)

    def _begin(self, doomed: Doomed) -> None:
        task = asyncio.get_running_loop().create_task(self._sweep(doomed))
        self._sweeps.add(task)
        task.add_done_callback(self._sweeps.discard)

    async def _sweep(self, doomed: Doomed) -> None:
        for namespace in (ITEMS, COUNTERS, STREAMS, HISTORY):
            prefix = table_prefix(namespace, doomed.number)
            # An index's number follows: entries of indexes lie behind all items.
            indexes_only = namespace == ITEMS and doomed.keep_items
            start = prefix + (BASE_INDEX + 1).to_bytes(2, "big") if indexes_only else prefix
            await self._store.delete_range(start, after(prefix))
        await self._catalogue.delete(KIND, str(doomed.number))
