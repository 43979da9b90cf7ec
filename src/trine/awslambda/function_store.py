"""Functions that were made by the Lambda API, kept in the catalogue so that a restart finds them again.

Functions of the template are not kept here: the template makes them anew. Enters properties and the folder of the
unpacked code, leaves them after a restart.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trine.aws.catalogue import Catalogue
from trine.awslambda.event_store import all_done

FUNCTION = "lambda:function"


class KeptFunction(NamedTuple):
    """What is needed to make a function again."""

    properties: Mapping[str, Any]
    code: Path
    permissions: Sequence[Mapping[str, Any]]


class FunctionStore:
    """Kept functions over a catalogue; without one they live in memory only."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue

    def put(self, name: str, kept: KeptFunction) -> Future[None]:
        """Keep a function; resolves when that is durable."""
        if self._catalogue is None:
            return all_done(())
        document = {
            "properties": dict(kept.properties),
            "code": str(kept.code),
            "permissions": [dict(permission) for permission in kept.permissions],
        }
        return all_done([self._catalogue.put(FUNCTION, name, document)])

    def remove(self, name: str) -> Future[None]:
        """Forget a function; harmless when it was never kept."""
        if self._catalogue is None or self._catalogue.get(FUNCTION, name) is None:
            return all_done(())
        return all_done([self._catalogue.delete(FUNCTION, name)])

    def has(self, name: str) -> bool:
        """Whether a function of that name is kept."""
        return self._catalogue is not None and self._catalogue.get(FUNCTION, name) is not None

    def load(self) -> Iterator[KeptFunction]:
        """Every kept function whose code is still there."""
        if self._catalogue is None:
            return
        for _, document in self._catalogue.list(FUNCTION):
            code = Path(document["code"])
            if code.is_dir():
                yield KeptFunction(document["properties"], code, document["permissions"])
