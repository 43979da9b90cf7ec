"""ImportTable: a new table with the items of files in a bucket's folder; CREATING until all of them are there."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Sequence
from typing import Any

import orjson

from trine.dynamodb.errors import ResourceInUseException, ValidationException
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.model.table_definition import define_table
from trine.dynamodb.operations.create_table import after, first_record
from trine.dynamodb.operations.operation import Operation, Permission, Rooms
from trine.dynamodb.operations.transfers import ImportConflictException, described
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.transfer.formats import refuse_unreadable
from trine.dynamodb.transfer.imports import Import


def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
    """ImportTable on the table to be. Nobody is asked for the bucket: it is a folder of this machine."""
    return (("dynamodb:ImportTable", rooms.table_arn(document["TableCreationParameters"]["TableName"]), None),)


def prepare(document: Document) -> TableDefinition:
    """The validated definition."""
    refuse_unreadable(document["InputFormat"])
    if "InputFormatOptions" in document and document["InputFormat"] != "CSV":
        raise ValidationException("InputFormatOptions are for InputFormat CSV")
    return define_table(document["TableCreationParameters"])


def execute(rooms: Rooms, document: Document, definition: TableDefinition) -> bytes | Future[bytes]:
    """Make the table, begin to fill it, and answer."""
    token = document.get("ClientToken")
    imports = rooms.transfers.imports
    for known in imports.all() if token is not None else ():
        if known["ClientToken"] == token:
            if known["Request"] != document:
                raise ImportConflictException("The client token was used before with other parameters")
            return _answer(known)
    if rooms.tables.find(definition.name) is not None:
        raise ResourceInUseException(f"Table already exists: {definition.name}")
    wish: dict[str, Any] = {
        "InputCompressionType": "NONE",
        **document,
        "ClientToken": token or rooms.ids.uuid(),
        "Request": document,
    }
    record = first_record(rooms, document["TableCreationParameters"], definition)
    return after(asyncio.ensure_future(imports.create(definition, record, wish)), _answer)


def _answer(document: Import) -> bytes:
    return orjson.dumps({"ImportTableDescription": described(document, "Import")})


IMPORT_TABLE = Operation("ImportTable", DocumentCodec("ImportTable"), permissions, prepare, execute)
