"""What every operation is made of, and the rooms they share.

An `Operation` names its stops in the corridor's order: decode (bytes → request), permissions (what the caller must
be allowed), prepare (request → plan: expressions and parameters, pure), execute (plan → answer's bytes, now for reads,
later for writes). Each operation's file makes one; `dispatch` finds it.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from trine.aws.arn import Place
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.dynamodb.consistency.lag import Lag
from trine.dynamodb.errors import AccessDeniedException, ValidationException
from trine.dynamodb.operations.policies import TablePolicies
from trine.dynamodb.shape import table_name_of
from trine.dynamodb.storage.backfill import Backfills
from trine.dynamodb.storage.backups import Backups
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.dynamodb.storage.restores import Restores
from trine.dynamodb.storage.source import Source, Store
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tables import Tables
from trine.trace import Trace

if TYPE_CHECKING:
    from trine.dynamodb.transfer.exports import Exports
    from trine.dynamodb.transfer.imports import Imports

_TRANSFER_KINDS = ("dynamodb:export", "dynamodb:import")
ConditionContext = Mapping[str, Sequence[str]]


Context = Callable[["Rooms", Any], ConditionContext]
Permission = tuple[str, str, Context | None]
"""One action on one resource that the caller needs; what makes IAM's condition keys of the request, if asked."""


class Transfers:
    """Exports and imports, made when they are first asked for: few stacks have any."""

    __slots__ = ("exports", "imports")
    exports: Exports
    imports: Imports

    def __init__(self, rooms: Rooms, directory: Path) -> None:
        from trine.dynamodb.transfer.buckets import Buckets
        from trine.dynamodb.transfer.exports import Exports
        from trine.dynamodb.transfer.imports import Imports

        buckets = Buckets(directory)
        self.exports = Exports(rooms.store, rooms.catalogue, rooms.clock, rooms.ids, buckets)
        self.imports = Imports(rooms.store, rooms.catalogue, rooms.tables, rooms.clock, rooms.ids, buckets)

    async def close(self) -> None:
        """Stop what is under way."""
        await self.exports.close()
        await self.imports.close()


class Rooms:
    """What operations work with; made once by the endpoint."""

    __slots__ = (
        "_buckets_directory",
        "_transfers",
        "asked",
        "backfills",
        "backups",
        "catalogue",
        "clock",
        "endpoint_address",
        "ids",
        "place",
        "policies",
        "restores",
        "source",
        "store",
        "tables",
        "trace",
    )

    def __init__(
        self,
        store: Store,
        catalogue: DocumentCatalogue,
        tables: Tables,
        clock: Clock,
        ids: Ids,
        place: Place,
        replica_lag: float | Lag,
        buckets_directory: Path | None = None,
    ) -> None:
        self.store, self.catalogue, self.tables = store, catalogue, tables
        self.clock, self.ids, self.place = clock, ids, place
        self.source = Source(store, replica_lag)
        self.policies = TablePolicies(tables)
        self.asked: dict[tuple[str, str], Sequence[Permission]] = {}
        """What one action on one table asks for, by action and the table's name as requests give it."""
        self.backups = Backups(store, catalogue, tables, clock)
        self.restores = Restores(store, tables)
        self.trace: Trace | None = None
        """Of the request whose operation runs now; None in tasks."""
        self.endpoint_address: str | None = None
        """Host and port that clients reach this service at, once that is known."""
        self.backfills = Backfills(store, tables)
        self._buckets_directory = buckets_directory
        self._transfers: Transfers | None = None

    @property
    def transfers(self) -> Transfers:
        """Exports and imports. ValidationException where no folder stands for S3."""
        if self._transfers is None:
            if self._buckets_directory is None:
                raise ValidationException("This table server has no folder for S3 buckets")
            self._transfers = Transfers(self, self._buckets_directory)
        return self._transfers

    def resume(self) -> None:
        """Go on with what the last stop interrupted; needs the running loop."""
        self.tables.dropped.resume()
        self.backfills.resume()
        self.backups.resume()
        self.restores.resume()
        if any(
            document["Status"] == "IN_PROGRESS" for kind in _TRANSFER_KINDS for _, document in self.catalogue.list(kind)
        ):
            self.transfers.exports.resume()
            self.transfers.imports.resume()

    async def close(self) -> None:
        """Stop what works behind answers; the next start goes on."""
        if self._transfers is not None:
            await self._transfers.close()
        await self.restores.close()
        await self.backups.close()
        await self.backfills.close()
        await self.tables.dropped.close()

    def table(self, name_or_arn: str) -> Table:
        """The table that a request's `TableName` means. ResourceNotFoundException."""
        table = self.tables.find(name_or_arn)  # no name begins as an ARN does
        if table is None or table.status == "CREATING":
            return self.tables.get(table_name_of(name_or_arn))
        return table

    def table_arn(self, name_or_arn: str) -> str:
        """The ARN of the table that a request's `TableName` means, whether it exists or not.

        AccessDeniedException for the ARN of another account, region or service: it must never mean a table of ours.
        """
        table = self.tables.find(name_or_arn)
        if table is not None:
            return table.arn
        arn = self.place.table(table_name_of(name_or_arn))
        if name_or_arn.startswith("arn:") and name_or_arn != arn:
            raise AccessDeniedException(f"Access to the resource {name_or_arn} is denied.")
        return arn


Answer = bytes | Future[bytes]


class Operation(Struct, frozen=True):
    """One operation of the API."""

    name: str
    decode: Callable[[bytes], Any]
    permissions: Callable[[Rooms, Any], Iterable[Permission]]
    prepare: Callable[[Any], Any]
    execute: Callable[[Rooms, Any, Any], Answer]
    earlier: Callable[[Any], None] | None = None
    """Raises what AWS tells before whatever `prepare` or `execute` has refused. Asked only then: a request that is
    right pays nothing for the order of errors."""


def on_table(name: str) -> Callable[[Rooms, Any], Iterable[Permission]]:
    """The permission of an operation whose document names one table: the action of its own name on that table."""
    action = f"dynamodb:{name}"

    def permissions(rooms: Rooms, document: Mapping[str, Any]) -> Iterable[Permission]:
        return ((action, rooms.table_arn(document["TableName"]), None),)

    return permissions


def on_everything(name: str) -> Callable[[Rooms, Any], Iterable[Permission]]:
    """The permission of an operation that is about no table in particular."""
    permission = ((f"dynamodb:{name}", "*", None),)
    return lambda rooms, document: permission


def no_plan(request: Any) -> None:
    """The `prepare` of operations without expressions."""
