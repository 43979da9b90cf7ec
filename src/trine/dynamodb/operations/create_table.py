"""CreateTable: a new table, ready when it is answered.

AWS takes seconds and shows CREATING meanwhile; here the answer says CREATING, as AWS's does, and the table is ACTIVE.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.model.table_definition import define_table
from trine.dynamodb.operations.description import describe
from trine.dynamodb.operations.operation import Operation, Rooms, on_table
from trine.dynamodb.operations.policies import MEMBER, compiled
from trine.dynamodb.operations.stream_settings import new_stream
from trine.dynamodb.operations.tags import checked_tags
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.table import Table

Given = TypeVar("Given")


def prepare(document: Document) -> TableDefinition:
    """The validated definition."""
    definition = define_table(document)
    checked_tags(document.get("Tags", ()))
    if "ResourcePolicy" in document:
        compiled(document["ResourcePolicy"], definition.name)
    return definition


def execute(rooms: Rooms, document: Document, definition: TableDefinition) -> Future[bytes]:
    """Make the table and answer when it is durable."""
    created = rooms.tables.create(definition, first_record(rooms, document, definition))

    def follow(table: Table) -> bytes:
        rooms.policies.follow(table)
        return described(rooms, table, "CREATING")

    return after(created, follow)


def first_record(rooms: Rooms, document: Document, definition: TableDefinition) -> dict[str, Any]:
    """What a new table keeps besides its definition: tags, times, the label of its stream."""
    now = rooms.clock.now()
    record: dict[str, Any] = {"Tags": {tag["Key"]: tag["Value"] for tag in document.get("Tags", ())}}
    if "ResourcePolicy" in document:
        kept = {"Policy": document["ResourcePolicy"], "RevisionId": str(int(now * 1000))}
        record[MEMBER] = {rooms.place.table(definition.name): kept}
    if definition.stream_view_type is not None:
        record["Streams"] = [new_stream(1, definition.stream_view_type, now)]
    if definition.billing_mode == "PAY_PER_REQUEST":
        record["OnDemandSince"] = now
    return record


def described(rooms: Rooms, table: Table, status: str | None = None) -> bytes:
    """An answer that holds a `TableDescription`."""
    return orjson.dumps({"TableDescription": describe(rooms, table, status)})


def after(done: Future[Given], answer: Callable[[Given], bytes]) -> Future[bytes]:
    """A future of the answer that `answer` makes of what `done` resolves to."""
    answered: Future[bytes] = asyncio.get_running_loop().create_future()

    def finish(done: Future[Given]) -> None:
        if done.cancelled():
            answered.cancel()
        elif (fault := done.exception()) is not None:
            answered.set_exception(fault)
        else:
            try:
                answered.set_result(answer(done.result()))
            except Exception as broken:
                answered.set_exception(broken)

    done.add_done_callback(finish)
    return answered


CREATE_TABLE = Operation("CreateTable", DocumentCodec("CreateTable"), on_table("CreateTable"), prepare, execute)
