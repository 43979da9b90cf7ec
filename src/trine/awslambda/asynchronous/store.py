"""Where asynchronous events wait: in the catalogue, in pieces that fit its documents, or nowhere at all.

Enters events, leaves futures that resolve when they are durable; after a restart the events that were not finished.
"""

from __future__ import annotations

import asyncio
import base64
from asyncio import Future
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from trine.aws.catalogue import Catalogue
from trine.awslambda.asynchronous.event import AsyncEvent

EVENT, PIECE = "lambda:event", "lambda:event-piece"
PIECE_BYTES = 240_000
"""Payload bytes in one document; as base64 they stay below the catalogue's 400 KB."""


class EventStore:
    """Events over a catalogue; without one they live in memory only."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue

    def put(self, event: AsyncEvent) -> Future[None]:
        """Store or update `event`. Its payload never changes, so pieces are written once."""
        catalogue = self._catalogue
        if catalogue is None:
            return all_done(())
        document: dict[str, Any] = asdict(event)
        payload = event.payload
        pieces = [payload[at : at + PIECE_BYTES] for at in range(PIECE_BYTES, len(payload), PIECE_BYTES)]
        document["payload"] = base64.b64encode(payload[:PIECE_BYTES]).decode()
        document["pieces"] = len(pieces)
        writes = []
        if event.attempts == 0 and event.throttles == 0:
            for number, piece in enumerate(pieces):
                name = f"{event.request_id}/{number:03}"
                writes.append(catalogue.put(PIECE, name, {"payload": base64.b64encode(piece).decode()}))
        writes.append(catalogue.put(EVENT, event.request_id, document))
        return all_done(writes)

    def remove(self, event: AsyncEvent) -> Future[None]:
        """Forget a finished event."""
        catalogue = self._catalogue
        if catalogue is None:
            return all_done(())
        deletes = [catalogue.delete(EVENT, event.request_id)]
        for number in range((max(0, len(event.payload) - 1)) // PIECE_BYTES):
            deletes.append(catalogue.delete(PIECE, f"{event.request_id}/{number:03}"))
        return all_done(deletes)

    def load(self) -> Iterator[AsyncEvent]:
        """The events that were not finished, the oldest first."""
        catalogue = self._catalogue
        if catalogue is None:
            return
        documents = [dict(document) for _, document in catalogue.list(EVENT)]
        for document in sorted(documents, key=lambda one: (one["accepted_at"], one["request_id"])):
            encoded = [document["payload"]]
            for number in range(document.pop("pieces")):
                piece = catalogue.get(PIECE, f"{document['request_id']}/{number:03}")
                encoded.append("" if piece is None else piece["payload"])
            document["payload"] = b"".join(map(base64.b64decode, encoded))
            yield AsyncEvent(**document)


def all_done(futures: Sequence[Future[None]]) -> Future[None]:
    """A future that resolves when all of `futures` have, or fails with the first that fails."""
    loop = asyncio.get_running_loop()
    whole: Future[None] = loop.create_future()
    left = len(futures)
    if left == 0:
        whole.set_result(None)

    def one_done(done: Future[None]) -> None:
        nonlocal left
        left -= 1
        if whole.done():
            return
        error = done.exception() if not done.cancelled() else asyncio.CancelledError()
        if error is not None:
            whole.set_exception(error)
        elif left == 0:
            whole.set_result(None)

    for future in futures:
        future.add_done_callback(one_done)
    return whole
