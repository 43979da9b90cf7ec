"""A live table and its indexes: the definition, where it lies in the key space, its status, what follows its writes.

Made of what the catalogue keeps (`Tables` does it, anew at every change); nothing here changes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.aws.arn import Place
from trine.dynamodb.consistency.recent import RecentWrites
from trine.dynamodb.limits import ITEM_COLLECTION_MAX_BYTES
from trine.dynamodb.model.table import IndexDefinition, TableDefinition
from trine.dynamodb.storage.collections import Collections
from trine.dynamodb.storage.expiry import Expiry
from trine.dynamodb.storage.history import History
from trine.dynamodb.storage.keyspace import KeySpace, counter_key
from trine.dynamodb.storage.stream import Stream
from trine.dynamodb.throughput.meter import Meter
from trine.metering.usage import Uses


class Index:
    """A live secondary index: its definition and where its entries lie."""

    __slots__ = ("arn", "backfilling", "count_key", "definition", "name", "number", "size_key", "space", "status")

    def __init__(self, table: Table, definition: IndexDefinition, number: int, status: str) -> None:
        self.definition = definition
        self.name = definition.name
        self.number = number
        self.status = status
        self.backfilling = status == "CREATING"
        self.arn = f"{table.arn}/index/{definition.name}"
        self.space = KeySpace(table.number, number, definition.key, table.definition.key)
        self.count_key = counter_key(table.number, number, b"c")
        self.size_key = counter_key(table.number, number, b"s")


class Table:
    """A live table. `record` is what the catalogue keeps of it besides the definition."""

    __slots__ = ("alone", "arn", "by_name", "collections", "count_key", "created_at", "definition", "expiry", "history",
                 "indexes", "meter", "name", "number", "read_uses", "recent", "record", "size_key", "space", "status",
                 "stream", "streams", "write_uses")  # fmt: skip

    def __init__(
        self,
        definition: TableDefinition,
        record: Mapping[str, Any],
        place: Place,
        collection_max_bytes: int = ITEM_COLLECTION_MAX_BYTES,
    ) -> None:
        self.definition = definition
        self.record = record
        self.name = definition.name
        self.number: int = record["Number"]
        self.arn = place.table(definition.name)
        self.created_at: float = record["CreatedAt"]
        self.status: str = record.get("Status", "ACTIVE")
        self.space = KeySpace(self.number, 0, definition.key)
        self.count_key = counter_key(self.number, 0, b"c")
        self.size_key = counter_key(self.number, 0, b"s")
        numbers = record["Indexes"]
        self.indexes = tuple(
            Index(self, index, numbers[index.name]["Number"], numbers[index.name]["Status"])
            for index in definition.indexes
        )
        self.by_name = {index.name: index for index in self.indexes}

        self.streams = tuple(Stream(self.number, self.arn, stream) for stream in record.get("Streams", ()))
        self.stream: Stream | None = self.streams[-1] if definition.stream_view_type is not None else None
        """The stream that records changes now."""
        self.meter: Meter | None = None
        """What its reads and writes take units from; None where nothing is counted."""
        self.read_uses, self.write_uses = Uses(self.name, writes=False), Uses(self.name, writes=True)
        """What a request consumed that took units of the table alone, in the words of its trace."""
        self.recent: RecentWrites | None = None
        expiry = record.get("TimeToLive")
        self.collections: Collections | None = None
        """Sizes of its item collections; None without local indexes."""
        if definition.local_indexes:
            partition = definition.key.partition[0]
            self.collections = Collections(self.number, partition, len(self.space.prefix), collection_max_bytes)
        self.expiry: Expiry | None = Expiry(self.number, expiry["AttributeName"]) if expiry else None
        recovery = record.get("Recovery")
        self.history: History | None = History(self.number, recovery) if recovery else None
        """What its writes replaced, while point-in-time recovery is on."""
        self.alone = not (self.indexes or self.stream or self.expiry or self.history)
        """Whether nothing but its counters follows a write of an item. (Collections are of local indexes.)"""

    def counts(self, key: bytes) -> bool:
        """Whether `key` counts items or bytes of the table or of one of its indexes."""
        return key in (self.count_key, self.size_key) or any(key in (i.count_key, i.size_key) for i in self.indexes)

    @property
    def stream_arn(self) -> str | None:
        """The ARN of the latest stream, also when it is switched off; None when there never was one."""
        return self.streams[-1].arn if self.streams else None
