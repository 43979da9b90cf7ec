"""The tables that exist: found by name in memory, created, changed and dropped durably.

A definition enters, a live `Table` leaves when the change is durable. A table that is dropped and made again has
another number, so its old items can be swept behind it (`dropped`).
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
from trine.dynamodb.errors import LimitExceededException, ResourceInUseException, ResourceNotFoundException
from trine.dynamodb.limits import ITEM_COLLECTION_MAX_BYTES, TABLES_PER_ACCOUNT_MAX_COUNT
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.storage.catalogue import DocumentCatalogue, encoded_document
from trine.dynamodb.storage.committed import when_committed
from trine.dynamodb.storage.dropped import Doomed, Dropped
from trine.dynamodb.storage.keyspace import (
    KeySpace,
)
from trine.dynamodb.storage.numbers import SEQUENCE_KEY, next_number
from trine.dynamodb.storage.table import Table
from trine.kv.store import Change, Current, Store

TABLE_KIND = "dynamodb:table"
NOT_FOUND = "Requested resource not found"


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
        self.dropped = Dropped(store, catalogue)
        """What tables that are gone have left."""

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
            number, puts = next_number(current)
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
            return Change(document, {key: encoded_document(document), **puts})

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
        doomed = Doomed(table.number, keep_items)

        def decide(current: Current) -> Change[None]:
            if current[key] is None:
                raise ResourceNotFoundException(f"{NOT_FOUND}: Table: {table.name} not found")
            return Change(None, {**(puts or {}), key: None, **self.dropped.noted(doomed)})

        def dropped(_: None) -> None:
            self._tables.pop(table.name, None)
            self._catalogue.forget(TABLE_KIND, table.name)
            self.dropped.sweep(doomed)

        return when_committed(self._store.transact((key,), decide), dropped)

    def clear_index(self, table: Table, index_number: int) -> Future[int]:
        """Delete every entry of one index."""
        space = KeySpace(table.number, index_number, table.definition.key)
        return self._store.delete_range(space.start, space.stop)

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
