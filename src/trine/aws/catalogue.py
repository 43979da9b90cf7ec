"""A small durable catalogue of documents: how wings keep control-plane state without knowing the store.

`stack` hands it in; the table wing's storage implements it over `kv`. Documents are JSON values of up to 400 KB,
found by (kind, name). Kinds are the owning wing's words, such as `iam:access-key`.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class Catalogue(Protocol):
    """Durable documents by kind and name."""

    def get(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """The document, or None."""

    def list(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every (name, document) of `kind`, by name."""

    def put(self, kind: str, name: str, document: Mapping[str, Any]) -> Future[None]:
        """Store `document`; resolves when it is durable."""

    def delete(self, kind: str, name: str) -> Future[None]:
        """Forget the document; resolves when that is durable."""
