"""Imports: a new table made of the objects of a bucket's folder, filled behind the answer.

A definition and a source enter; the table leaves at once, CREATING until all is read, and a record in the catalogue
that says what came of it. Each item passes what PutItem's passes; one that does not is counted, told in the log and
left out, and makes the import FAILED, while the table stays with the others. Of two items with one key the later one
stays. An import costs no capacity units, as on AWS. What a stop interrupts is begun anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.dynamodb.model.attribute import validate_item
from trine.dynamodb.model.item import check_item_size, encode_stored
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.dynamodb.storage.copying import Owned, clear
from trine.dynamodb.storage.items import Transition, Write, commit_all
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tables import Tables
from trine.dynamodb.transfer.buckets import Buckets, TransferFault
from trine.dynamodb.transfer.formats import Row, read_batches
from trine.kv.store import Store

IMPORT_KIND = "dynamodb:import"
FAULTS_LOGGED_MAX_COUNT = 100
"""Our own: of one import. AWS writes up to 10,000 to CloudWatch."""
_log = logging.getLogger("trine.dynamodb")

Import = Mapping[str, Any]
"""An import's record: AWS's ImportTableDescription with Arn, Status and times in seconds."""


class Imports:
    """Every import of this account and region."""

    def __init__(
        self, store: Store, catalogue: DocumentCatalogue, tables: Tables, clock: Clock, ids: Ids, buckets: Buckets
    ) -> None:
        self._store, self._catalogue, self._tables = store, catalogue, tables
        self._clock, self._ids, self._buckets = clock, ids, buckets
        self._tasks = Owned("an import failed")

    def find(self, arn: str) -> Import | None:
        """The import, or None."""
        return self._catalogue.get(IMPORT_KIND, arn)

    def all(self) -> list[Import]:
        """Every import, by ARN."""
        return [document for _, document in self._catalogue.list(IMPORT_KIND)]

    async def create(self, definition: TableDefinition, record: Mapping[str, Any], wish: Mapping[str, Any]) -> Import:
        """Make the table with `record`, and begin to fill it as `wish` (the request) says. ResourceInUseException."""
        document = await self._begun(definition, record, wish)
        self._tasks.start(self._run(document))
        return document

    async def complete(self, definition: TableDefinition, record: Mapping[str, Any], wish: Mapping[str, Any]) -> Import:
        """As `create`, and fill the table; what came of it. ResourceInUseException."""
        document = await self._begun(definition, record, wish)
        await self._run(document)
        return self.find(document["Arn"]) or document

    async def _begun(self, definition: TableDefinition, record: Mapping[str, Any], wish: Mapping[str, Any]) -> Import:
        now = self._clock.now()
        table = await self._tables.create(definition, {**record, "Status": "CREATING"})
        arn = f"{table.arn}/import/{int(now * 1000):014d}-{self._ids.random_bytes(4).hex()}"
        document = {
            **wish,
            "Arn": arn,
            "Status": "IN_PROGRESS",
            "StartTime": now,
            "TableArn": table.arn,
            "TableName": table.name,
            "TableId": table.record["TableId"],
            "ProcessedSizeBytes": 0,
            "ProcessedItemCount": 0,
            "ImportedItemCount": 0,
            "ErrorCount": 0,
        }
        await self._catalogue.put(IMPORT_KIND, arn, document)
        return document

    def resume(self) -> None:
        """Begin anew what the last stop interrupted."""
        for document in self.all():
            if document["Status"] == "IN_PROGRESS":
                self._tasks.start(self._run(document))

    async def close(self) -> None:
        """Stop; the next start begins anew."""
        await self._tasks.close()

    async def _run(self, document: Import) -> None:
        table = self._tables.find(document["TableName"])
        if table is None or table.record["TableId"] != document["TableId"]:
            await self._ended(document, "CANCELLED", {"FailureMessage": "The table was deleted"})
            return
        await clear(self._store, table.number)
        counts = _Counts()
        try:
            source = document["S3BucketSource"]
            paths = await asyncio.to_thread(self._buckets.objects, source["S3Bucket"], source.get("S3KeyPrefix", ""))
            for path in paths:
                await self._read(document, table, path, counts)
        except (TransferFault, AwsError) as fault:
            # AWS leaves no half of a table either.
            _log.error("the import %s failed: %s", document["Arn"], fault.message)
            await self._tables.drop(table)
            failed = {**counts.members(), "FailureCode": fault.code, "FailureMessage": fault.message}
            await self._ended(document, "FAILED", failed)
            return
        await self._tables.change(table, table.definition, Status="ACTIVE")
        if counts.faults:
            # What is right stays, and the import counts as failed, as on AWS.
            message = "Some of the items failed validation checks. Please check the server's log for more details."
            failed = {**counts.members(), "FailureCode": "ItemValidationError", "FailureMessage": message}
            await self._ended(document, "FAILED", failed)
            return
        await self._ended(document, "COMPLETED", counts.members())

    async def _ended(self, document: Import, status: str, members: Mapping[str, Any]) -> None:
        ended = {**document, **members, "Status": status, "EndTime": self._clock.now()}
        await self._catalogue.put(IMPORT_KIND, document["Arn"], ended)

    async def _read(self, document: Import, table: Table, path: Path, counts: _Counts) -> None:
        options = (document.get("InputFormatOptions") or {}).get("Csv") or {}
        types = {attribute.name: attribute.type for attribute in table.definition.attributes}
        batches = read_batches(path, document["InputCompressionType"], document["InputFormat"], options, types)
        try:
            while (checked := await asyncio.to_thread(_next, table, path, batches, counts)) is not None:
                writes = {write.key: write for write in checked}  # the later one of a key
                if writes:
                    await commit_all(self._store, list(writes.values()), _nothing, self._clock.now(), "none")
                await asyncio.sleep(0)
        finally:
            batches.close()  # type: ignore[attr-defined]


class _Counts:
    """What one import has read so far."""

    def __init__(self) -> None:
        self.size_bytes = self.items = self.imported = self.faults = 0

    def members(self) -> dict[str, int]:
        """As the import's record has them."""
        return {
            "ProcessedSizeBytes": self.size_bytes,
            "ProcessedItemCount": self.items,
            "ImportedItemCount": self.imported,
            "ErrorCount": self.faults,
        }


def _nothing(transitions: Any) -> None:
    return None


def _next(table: Table, path: Path, batches: Iterator[list[Row]], counts: _Counts) -> list[Write] | None:
    """The next batch's writes, None at the end. Runs beside the event loop: it touches nothing of the store."""
    rows = next(batches, None)
    if rows is None:
        return None
    writes = []
    for row in rows:
        counts.items += 1
        counts.size_bytes += row.size_bytes
        try:
            if row.item is None:
                raise _Faulty(row.fault)
            writes.append(_write(table, row.item))
            counts.imported += 1
        except (AwsError, _Faulty) as fault:
            counts.faults += 1
            if counts.faults <= FAULTS_LOGGED_MAX_COUNT:
                _log.warning("import into %s: %s:%d: %s", table.name, path.name, row.line, fault)
    return writes


class _Faulty(Exception):
    """A row that is no item."""


def _write(table: Table, item: dict[str, Any]) -> Write:
    size_bytes = validate_item(item)
    table.definition.check_item(item)
    check_item_size(size_bytes)
    stored = encode_stored(item, size_bytes)

    def rule(transition: Transition) -> None:
        transition.become(item, stored)

    return Write(table, table.space.key(item), rule)
