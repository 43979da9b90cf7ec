"""The tables that exist: found by name in memory, created, changed and dropped durably.

A definition enters, a live `Table` leaves: the definition with its number in the key space, its index spaces, its
status and times. A table that is dropped and made again has another number, so its old items can be swept behind it.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from trine.aws.arn import Place
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.dynamodb.consistency.recent import RecentWrites
from trine.dynamodb.errors import LimitExceededException, ResourceInUseException, ResourceNotFoundException
from trine.dynamodb.limits import ITEM_COLLECTION_MAX_BYTES, TABLES_PER_ACCOUNT_MAX_COUNT
from trine.dynamodb.model.table import IndexDefinition, TableDefinition
from trine.dynamodb.storage.catalogue import DocumentCatalogue, encoded_document
from trine.dynamodb.storage.collections import Collections
from trine.dynamodb.storage.committed import when_committed
from trine.dynamodb.storage.expiry import Expiry
from trine.dynamodb.storage.history import History
from trine.dynamodb.storage.keyspace import (
    BASE_INDEX,
    COUNTERS,
    HISTORY,
    ITEMS,
    STREAMS,
    KeySpace,
    catalogue_key,
    counter_key,
    table_prefix,
)
from trine.dynamodb.storage.stream import Stream
from trine.dynamodb.throughput.meter import Meter
from trine.kv.store import Change, Current, Store
from trine.kv.tuple import after
from trine.metering.usage import Uses

TABLE_KIND = "dynamodb:table"
DROPPED_KIND = "dynamodb:dropped-table"
SEQUENCE_KEY = catalogue_key("dynamodb:sequence", "table-number")
NOT_FOUND = "Requested resource not found"


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


class Tables:
    """Every table of this account and region."""

    def __init__(
        self,
        store: Store,
        catalogue: DocumentCatalogue,
        place: Place,
        clock: Clock,
        ids: Ids,
        collection_max_bytes: int = ITEM_COLLECTION_MAX_BYTES,
    ) -> None:
        self._collection_max_bytes = collection_max_bytes
        self._store, self._catalogue = store, catalogue
        self._place, self._clock, self._ids = place, clock, ids
        self._tables: dict[str, Table] = {}
        self.find: Callable[[str], Table | None] = self._tables.get
        """The table of a name, or None. The dictionary's own: every call to a table asks twice, 0.1 µs each."""
        self._followers: list[Callable[[Table], None]] = []
        for name, document in catalogue.list(TABLE_KIND):
            self._tables[name] = self._live(document)
        self._sweeps: set[asyncio.Task[None]] = set()

    def get(self, name: str) -> Table:
        """The table. ResourceNotFoundException, as the data plane says it, also while the table is being restored."""
        table = self._tables.get(name)
        if table is None or table.status == "CREATING":
            raise ResourceNotFoundException(NOT_FOUND)
        return table

    def described(self, name: str) -> Table:
        """The table. ResourceNotFoundException, with the sentence of the control plane."""
        table = self._tables.get(name)
        if table is None:
            raise ResourceNotFoundException(f"{NOT_FOUND}: Table: {name} not found")
        return table

    def names(self) -> list[str]:
        """Names of all tables, sorted."""
        return sorted(self._tables)

    def __iter__(self) -> Iterator[Table]:
        return iter(list(self._tables.values()))

    def follow(self, follower: Callable[[Table], None]) -> None:
        """Show `follower` every live table: those that are there now, and each one that is made or changed."""
        self._followers.append(follower)
        for table in self:
            follower(table)

    def create(self, definition: TableDefinition, extra: Mapping[str, Any] | None = None) -> Future[Table]:
        """Make a table. ResourceInUseException when one of that name exists, LimitExceededException at the quota."""
        key = self._catalogue.key(TABLE_KIND, definition.name)
        created_at, table_id = self._clock.now(), self._ids.uuid()
        name = definition.name

        def decide(current: Current) -> Change[Mapping[str, Any]]:
            if current[key] is not None:
                raise ResourceInUseException(f"Table already exists: {name}")
            if len(self._tables) >= TABLES_PER_ACCOUNT_MAX_COUNT:
                most = TABLES_PER_ACCOUNT_MAX_COUNT
                raise LimitExceededException(
                    f"Subscriber limit exceeded: There is a limit of {most} tables per subscriber"
                )
            number = int.from_bytes(current[SEQUENCE_KEY] or b"", "big") + 1
            document = {
                **(extra or {}),
                "Definition": definition.document(),
                "Number": number,
                "TableId": table_id,
                "CreatedAt": created_at,
                "Indexes": {
                    index.name: {"Number": at, "Status": "ACTIVE"} for at, index in enumerate(definition.indexes, 1)
                },
                "NextIndex": len(definition.indexes) + 1,
            }
            puts = {key: encoded_document(document), SEQUENCE_KEY: number.to_bytes(4, "big")}
            return Change(document, puts)

        return self._adopted(self._store.transact((key, SEQUENCE_KEY), decide))

    def change(self, table: Table, definition: TableDefinition, **members: Any) -> Future[Table]:
        """Replace a table's definition, and members of its record; a member that is a function makes the new value of
        the one that is kept then.

        Another change may be on its way to the disk: what it changed stays, unless this one says otherwise.
        ResourceNotFoundException when the table is another one by then, ResourceInUseException when both change the
        definition.
        """
        key = self._catalogue.key(TABLE_KIND, table.name)
        before = table.definition.document() if definition is not table.definition else None

        def decide(current: Current) -> Change[Mapping[str, Any]]:
            kept = current[key]
            document: dict[str, Any] = orjson.loads(kept) if kept is not None else {}
            if document.get("Number") != table.number:
                raise ResourceNotFoundException(f"{NOT_FOUND}: Table: {table.name} not found")
            if before is not None:
                if document["Definition"] != before:
                    raise ResourceInUseException(
                        f"Attempt to change a resource which is still in use: Table is being updated: {table.name}"
                    )
                document["Definition"] = definition.document()
            for name, value in members.items():
                document[name] = value(document.get(name)) if callable(value) else value
            return Change(document, {key: encoded_document(document)})

        return self._adopted(self._store.transact((key,), decide))

    def change_indexes(self, table: Table, definition: TableDefinition, **members: Any) -> Future[Table]:
        """As `change`, where `definition` may have other global indexes: new ones are CREATING, old ones are swept."""
        indexes: dict[str, Any] = {}
        following: int = table.record["NextIndex"]
        for index in definition.indexes:
            known = table.by_name.get(index.name)
            if known is not None and known.definition.key == index.key:
                indexes[index.name] = table.record["Indexes"][index.name]
            else:
                indexes[index.name] = {"Number": following, "Status": "CREATING"}
                following += 1
        gone = {entry["Number"] for entry in table.record["Indexes"].values()}
        gone -= {entry["Number"] for entry in indexes.values()}

        def sweep(_: Table) -> None:
            for number in gone:
                self.clear_index(table, number)

        if indexes != table.record["Indexes"]:
            members |= {"Indexes": indexes, "NextIndex": following}
        changed = self.change(table, definition, **members)
        return when_committed(changed, sweep)

    def set_index_status(self, table: Table, index_name: str, status: str) -> Future[Table]:
        """Change the status of one index."""

        def changed(indexes: Mapping[str, Any]) -> Mapping[str, Any]:
            if index_name not in indexes:  # deleted meanwhile
                return indexes
            return {**indexes, index_name: {**indexes[index_name], "Status": status}}

        return self.change(table, table.definition, Indexes=changed)

    def drop(
        self, table: Table, *, keep_items: bool = False, puts: Mapping[bytes, bytes] | None = None
    ) -> Future[None]:
        """Forget a table; what it held is swept afterwards, also after a restart.

        `keep_items` leaves its items (not the entries of its indexes) to whoever the commit's `puts` give them to.
        """
        key = self._catalogue.key(TABLE_KIND, table.name)
        doomed = str(table.number)
        doomed_key = self._catalogue.key(DROPPED_KIND, doomed)
        record = {"Number": table.number, "KeepItems": keep_items}

        def decide(current: Current) -> Change[None]:
            if current[key] is None:
                raise ResourceNotFoundException(f"{NOT_FOUND}: Table: {table.name} not found")
            return Change(None, {**(puts or {}), key: None, doomed_key: encoded_document(record)})

        def dropped(_: None) -> None:
            self._tables.pop(table.name, None)
            self._catalogue.forget(TABLE_KIND, table.name)
            self._catalogue.remember(DROPPED_KIND, doomed, record)
            self._sweep_soon(table.number, keep_items)

        return when_committed(self._store.transact((key,), decide), dropped)

    def resume_sweeps(self) -> None:
        """Go on sweeping what was dropped before the last stop; needs the running loop."""
        for name, record in list(self._catalogue.list(DROPPED_KIND)):
            self._sweep_soon(int(name), record.get("KeepItems", False))

    def clear_index(self, table: Table, index_number: int) -> Future[int]:
        """Delete every entry of one index."""
        space = KeySpace(table.number, index_number, table.definition.key)
        return self._store.delete_range(space.start, space.stop)

    async def close(self) -> None:
        """Stop sweeping; the next start goes on."""
        for task in self._sweeps:
            task.cancel()
        await asyncio.gather(*self._sweeps, return_exceptions=True)

    def _sweep_soon(self, number: int, keep_items: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._sweep(number, keep_items))
        self._sweeps.add(task)
        task.add_done_callback(self._sweeps.discard)

    async def _sweep(self, number: int, keep_items: bool) -> None:
        for namespace in (ITEMS, COUNTERS, STREAMS, HISTORY):
            prefix = table_prefix(namespace, number)
            # An index's number follows: entries of indexes lie behind all items.
            start = prefix + (BASE_INDEX + 1).to_bytes(2, "big") if namespace == ITEMS and keep_items else prefix
            await self._store.delete_range(start, after(prefix))
        await self._catalogue.delete(DROPPED_KIND, str(number))

    def _live(self, document: Mapping[str, Any]) -> Table:
        record = {name: value for name, value in document.items() if name != "Definition"}
        definition = TableDefinition.from_document(document["Definition"])
        return Table(definition, record, self._place, self._collection_max_bytes)

    def _adopted(self, committed: Future[Mapping[str, Any]]) -> Future[Table]:
        """A future of the live table, which is known here when that future resolves."""
        adopted: Future[Table] = asyncio.get_running_loop().create_future()

        def adopt(done: Future[Mapping[str, Any]]) -> None:
            table = fault = None
            if not done.cancelled() and (fault := done.exception()) is None:
                table = self._live(done.result())
                for follower in self._followers:
                    follower(table)
                self._tables[table.name] = table
                self._catalogue.remember(TABLE_KIND, table.name, done.result())
            # Whoever asked may have gone meanwhile; the table stands all the same.
            if adopted.done():
                return
            if table is not None:
                adopted.set_result(table)
            elif fault is not None:
                adopted.set_exception(fault)
            else:
                adopted.cancel()

        if committed.done():
            adopt(committed)
        else:
            committed.add_done_callback(adopt)
        return adopted
