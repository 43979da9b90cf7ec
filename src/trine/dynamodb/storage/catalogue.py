"""Durable documents by kind and name, kept over the store and read from memory.

Implements `aws.catalogue.Catalogue` for every wing, and holds the table wing's own definitions. Documents enter as
JSON values and leave as fresh copies; all are read once, when the catalogue opens, and served from memory after that.
A document is in memory once it is durable, before anyone who waits for it is woken.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from trine.dynamodb.storage.committed import when_committed
from trine.dynamodb.storage.keyspace import CATALOGUE, catalogue_key
from trine.kv.store import Change, Current, Store
from trine.kv.tuple import after

DOCUMENT_MAX_BYTES = 400 * 1024
"""The promise of `aws.catalogue`."""


class DocumentCatalogue:
    """The documents of one store. One process writes them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scope = ""
        self._documents: dict[str, dict[str, bytes]] = {}
        with store.snapshot() as snapshot:
            for key, value in snapshot.scan(CATALOGUE, after(CATALOGUE)):
                kind, _, name = key[len(CATALOGUE) :].partition(b"\0")
                self._documents.setdefault(kind.decode(), {})[name.decode()] = value

    def of_region(self, region: str) -> DocumentCatalogue:
        """The documents of another region: the same store and memory, kinds of their own (`kind@region`)."""
        scoped = object.__new__(DocumentCatalogue)
        scoped._store, scoped._documents, scoped._scope = self._store, self._documents, f"@{region}"
        return scoped

    def regions(self) -> set[str]:
        """Those of which `of_region` has documents."""
        return {kind.partition("@")[2] for kind, found in self._documents.items() if "@" in kind and found}

    def key(self, kind: str, name: str) -> bytes:
        """Where a document lies in the store, for rooms that write it in a commit of their own."""
        return catalogue_key(kind + self._scope, name)

    def get(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """The document, or None."""
        encoded = self._documents.get(kind + self._scope, {}).get(name)
        return None if encoded is None else _decoded(encoded)

    def list(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every (name, document) of `kind`, by name."""
        for name, encoded in sorted(self._documents.get(kind + self._scope, {}).items()):
            yield name, _decoded(encoded)

    def put(self, kind: str, name: str, document: Mapping[str, Any]) -> Future[None]:
        """Store `document`; resolves when it is durable. ValueError when it is no JSON or longer than 400 KB."""
        encoded = encoded_document(document)
        key = self.key(kind, name)

        def decide(current: Current) -> Change[None]:
            return Change(None, {key: encoded})

        return when_committed(self._store.transact((key,), decide), lambda _: self._remember(kind, name, encoded))

    def delete(self, kind: str, name: str) -> Future[None]:
        """Forget the document; resolves when that is durable."""
        key = self.key(kind, name)

        def decide(current: Current) -> Change[None]:
            return Change(None, {key: None})

        return when_committed(self._store.transact((key,), decide), lambda _: self.forget(kind, name))

    def remember(self, kind: str, name: str, document: Mapping[str, Any]) -> None:
        """Take over a document that a commit of another room has made durable."""
        self._remember(kind, name, encoded_document(document))

    def forget(self, kind: str, name: str) -> None:
        """Drop a document that a commit has deleted."""
        self._documents.get(kind + self._scope, {}).pop(name, None)

    def _remember(self, kind: str, name: str, encoded: bytes) -> None:
        self._documents.setdefault(kind + self._scope, {})[name] = encoded


def encoded_document(document: Mapping[str, Any]) -> bytes:
    """The stored form of a document. ValueError when it is no JSON or longer than 400 KB."""
    try:
        encoded = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    except TypeError as fault:
        raise ValueError(f"not a JSON document: {fault}") from None
    if len(encoded) > DOCUMENT_MAX_BYTES:
        raise ValueError(f"a document of {len(encoded)} bytes; the catalogue takes {DOCUMENT_MAX_BYTES}")
    return encoded


def _decoded(encoded: bytes) -> Mapping[str, Any]:
    document: Mapping[str, Any] = orjson.loads(encoded)
    return document
