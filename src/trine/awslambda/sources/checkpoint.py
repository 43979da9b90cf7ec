"""How far a mapping has come in its shard, durable: what is done is not lost, what is not done is read again.

Enters sequence numbers in the order in which they were read, and later, in any order, that they are done; leaves a
position before which everything is done, written to the catalogue whenever it moved (one write under way at a time).
"""

from __future__ import annotations

import logging
from asyncio import Future
from collections import deque
from typing import Any

from trine.aws.catalogue import Catalogue

_LOGGER = logging.getLogger(__name__)
CHECKPOINT = "lambda:checkpoint"
PIECE = "lambda:checkpoint-piece"
PIECE_CHARACTERS = 90_000
"""Of a window's state in one document: at four bytes a character it stays below the catalogue's 400 KB."""


class CheckpointStore:
    """The checkpoints of all mappings; without a catalogue they live in memory only."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved under `name`: `after` (a sequence number or None) and, with tumbling windows, `window`."""
        if self._catalogue is None:
            return None
        found = self._catalogue.get(CHECKPOINT, name)
        if found is None:
            return None
        document = dict(found)
        pieces = document.pop("pieces", 0)
        if pieces and document.get("window") is not None:
            parts = [self._catalogue.get(PIECE, f"{name}/{number:03}") for number in range(pieces)]
            document["window"]["state"] = "".join(part["state"] for part in parts if part is not None)
        return document

    def save(self, name: str, document: dict[str, Any]) -> list[Future[None]]:
        """Write a checkpoint; its futures."""
        if self._catalogue is None:
            return []
        window = document.get("window")
        if window is None or len(window["state"]) <= PIECE_CHARACTERS:
            return [self._catalogue.put(CHECKPOINT, name, document)]
        state: str = window["state"]
        pieces = [state[at : at + PIECE_CHARACTERS] for at in range(0, len(state), PIECE_CHARACTERS)]
        writes = [
            self._catalogue.put(PIECE, f"{name}/{number:03}", {"state": piece}) for number, piece in enumerate(pieces)
        ]
        short = {**document, "window": {**window, "state": ""}, "pieces": len(pieces)}
        return [*writes, self._catalogue.put(CHECKPOINT, name, short)]

    def forget(self, prefix: str) -> None:
        """Drop the checkpoints of a mapping that was deleted."""
        if self._catalogue is None:
            return
        for kind in (CHECKPOINT, PIECE):
            for name in [name for name, _ in self._catalogue.list(kind) if name.startswith(prefix)]:
                self._catalogue.delete(kind, name).add_done_callback(_logged)


class Checkpoint:
    """One shard's."""

    def __init__(self, store: CheckpointStore, name: str, after: str | None, window: dict[str, Any] | None) -> None:
        self._store, self._name = store, name
        self.after = after
        """Everything up to this sequence number is done; None: nothing is, begin at the oldest."""
        self.window = window
        """With tumbling windows: `start` (seconds) and `state` (JSON text) of the open one."""
        self._order: deque[str] = deque()
        self._done: set[str] = set()
        self._writing = 0
        self._dirty = False

    def read(self, sequence_number: str) -> None:
        """A record was read; records come in order."""
        self._order.append(sequence_number)

    def done(self, sequence_number: str) -> None:
        """A record needs no more work."""
        self._done.add(sequence_number)

    def advance(self) -> None:
        """Move behind everything that is done and save that when it is news."""
        moved = False
        while self._order and self._order[0] in self._done:
            self.after = self._order.popleft()
            self._done.discard(self.after)
            moved = True
        if moved:
            self.save()

    def save(self) -> None:
        """Write the position now, or as soon as the write under way has ended."""
        if self._writing:
            self._dirty = True
            return
        self._dirty = False
        document: dict[str, Any] = {"after": self.after}
        if self.window is not None:
            document["window"] = self.window
        for write in self._store.save(self._name, document):
            self._writing += 1
            write.add_done_callback(self._saved)

    def _saved(self, done: Future[None]) -> None:
        self._writing -= 1
        _logged(done)
        if not self._writing and self._dirty:
            self.save()


def _logged(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _LOGGER.error("a position in a stream could not be stored: %s", error)
