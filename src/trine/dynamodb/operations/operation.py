"""What every operation is made of, and the rooms they share.

An `Operation` names its stops in the corridor's order: decode (bytes → request), permissions (what the caller must
be allowed), prepare (request → plan: expressions and parameters, pure), execute (plan → answer's bytes, now for reads,
later for writes). Each operation's file makes one; `dispatch` finds it.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trine.aws.arn import Place
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.dynamodb.consistency.lag import Lag
from trine.dynamodb.errors import AccessDeniedException
from trine.dynamodb.operations.policies import TablePolicies
from trine.dynamodb.shape import table_name_of
from trine.dynamodb.storage.backfill import Backfills
from trine.dynamodb.storage.backups import Backups
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.dynamodb.storage.restores import Restores
from trine.dynamodb.storage.source import Source, Store
from trine.dynamodb.storage.tables import Tables
from trine.trace import Trace

ConditionContext = Mapping[str, Sequence[str]]


Context = Callable[["Rooms", Any], ConditionContext]
Permission = tuple[str, str, Context | None]
"""One action on one resource that the caller needs; what makes IAM's condition keys of the request, if asked."""


class Rooms:
    """What operations work with; made once by the endpoint."""

    __slots__ = (
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
    ) -> None:
        self.store, self.catalogue, self.tables = store, catalogue, tables
        self.clock, self.ids, self.place = clock, ids, place
        self.source = Source(store, replica_lag)
        self.policies = TablePolicies(tables)
        self.backups = Backups(store, catalogue, tables, clock)
        self.restores = Restores(store, tables)
        self.trace: Trace | None = None
        """Of the request whose operation runs now; None in tasks."""
        self.endpoint_address: str | None = None
        """Host and port that clients reach this service at, once that is known."""
        self.backfills = Backfills(store, tables)

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


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API."""

    name: str
    decode: Callable[[bytes], Any]
    permissions: Callable[[Rooms, Any], Iterable[Permission]]
    prepare: Callable[[Any], Any]
    execute: Callable[[Rooms, Any, Any], Answer]


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
