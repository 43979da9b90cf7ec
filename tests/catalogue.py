"""A catalogue without a disk, for rooms that keep documents in one."""

from __future__ import annotations

import asyncio
import json
from asyncio import Future
from collections.abc import Iterator, Mapping
from typing import Any

DOCUMENT_MAX_BYTES = 400 * 1024


class MemoryCatalogue:
    """Documents in memory, as they come back from a disk; durable on the loop's next turn, or `at_once`."""

    def __init__(self, *, at_once: bool = False) -> None:
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self._at_once = at_once

    def get(self, kind: str, name: str) -> Mapping[str, Any] | None:
        return self.documents.get((kind, name))

    def list(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return iter([(name, document) for (of, name), document in sorted(self.documents.items()) if of == kind])

    def put(self, kind: str, name: str, document: Mapping[str, Any]) -> Future[None]:
        encoded = json.dumps(document, ensure_ascii=False)
        assert len(encoded.encode("utf-8", "surrogatepass")) < DOCUMENT_MAX_BYTES
        self.documents[kind, name] = json.loads(encoded)
        return self._durable()

    def delete(self, kind: str, name: str) -> Future[None]:
        self.documents.pop((kind, name), None)
        return self._durable()

    def _durable(self) -> Future[None]:
        loop = asyncio.get_running_loop()
        future: Future[None] = loop.create_future()
        if self._at_once:
            future.set_result(None)
        else:
            loop.call_soon(future.set_result, None)
        return future
