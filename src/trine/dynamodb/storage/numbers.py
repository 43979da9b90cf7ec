"""Numbers of the key space: every table, backup and export has one of its own, and none is given twice."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Mapping
from typing import Any

from trine.dynamodb.storage.catalogue import encoded_document
from trine.dynamodb.storage.keyspace import catalogue_key
from trine.kv.store import Change, Current, Store

SEQUENCE_KEY = catalogue_key("dynamodb:sequence", "table-number")
"""What a transaction that gives a number reads and puts."""


def next_number(current: Current) -> tuple[int, dict[bytes, bytes]]:
    """(a number that nothing has, what to put with whatever gets it)."""
    number = int.from_bytes(current[SEQUENCE_KEY] or b"", "big") + 1
    return number, {SEQUENCE_KEY: number.to_bytes(4, "big")}


def put_numbered(store: Store, key: bytes, record: Mapping[str, Any]) -> Future[Mapping[str, Any]]:
    """Put a catalogue document with a `Number` of its own; the document, when it is durable."""

    def decide(current: Current) -> Change[Mapping[str, Any]]:
        number, puts = next_number(current)
        document = {**record, "Number": number}
        return Change(document, {key: encoded_document(document), **puts})

    return store.transact((key, SEQUENCE_KEY), decide)
