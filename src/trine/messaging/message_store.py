"""Where messages lie: one key for the message, one for how often it was received, in the ordered store.

    q | queue number (4) | m | sequence (8)   the message as JSON
    q | queue number (4) | r | sequence (8)   receive count (4), time of the first receive in milliseconds (8)

Enters messages, leaves futures that resolve when they are durable. Receive counts are written without anyone waiting:
what a crash loses of them is at most the latest receive. This is the wing's only room that knows the store.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterator

from trine.kv.store import Change, Current, Store
from trine.kv.tuple import after
from trine.messaging.message import Message

QUEUES = b"q"


class MessageStore:
    """The messages of all queues."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, queue: int, sequence: int, message: Message) -> Future[None]:
        """Keep a message."""
        return self._write({_key(queue, b"m", sequence): message.encode()})

    def get(self, queue: int, sequence: int) -> Message | None:
        """The message, or None."""
        stored = self._store.get(_key(queue, b"m", sequence))
        return None if stored is None else Message.decode(stored)

    def received(self, queue: int, sequence: int, count: int, first_at: float) -> Future[None]:
        """Note a receive."""
        value = count.to_bytes(4, "big") + int(first_at * 1000).to_bytes(8, "big")
        return self._write({_key(queue, b"r", sequence): value})

    def delete(self, queue: int, sequences: list[int]) -> Future[None]:
        """Forget messages."""
        return self._write({_key(queue, kind, sequence): None for sequence in sequences for kind in (b"m", b"r")})

    def move(self, queue: int, sequence: int, to: int, to_sequence: int, message: Message) -> Future[None]:
        """Take a message out of one queue and keep it in another, in one commit."""
        return self._write(
            {
                _key(queue, b"m", sequence): None,
                _key(queue, b"r", sequence): None,
                _key(to, b"m", to_sequence): message.encode(),
            }
        )

    def clear(self, queue: int) -> Future[int]:
        """Forget every message of a queue."""
        prefix = QUEUES + queue.to_bytes(4, "big")
        return self._store.delete_range(prefix, after(prefix))

    def load(self, queue: int) -> Iterator[tuple[int, Message, int, float]]:
        """(sequence, message, receive count, time of the first receive) of a queue, in order."""
        prefix = QUEUES + queue.to_bytes(4, "big")
        with self._store.snapshot() as snapshot:
            counts = {key[-8:]: value for key, value in snapshot.scan(prefix + b"r", after(prefix + b"r"))}
            for key, value in snapshot.scan(prefix + b"m", after(prefix + b"m")):
                count = counts.get(key[-8:], bytes(12))
                yield (
                    int.from_bytes(key[-8:], "big"),
                    Message.decode(value),
                    int.from_bytes(count[:4], "big"),
                    int.from_bytes(count[4:], "big") / 1000,
                )

    def _write(self, puts: dict[bytes, bytes | None]) -> Future[None]:
        def decide(current: Current) -> Change[None]:
            return Change(None, puts)

        return self._store.transact((), decide)


def _key(queue: int, kind: bytes, sequence: int) -> bytes:
    return QUEUES + queue.to_bytes(4, "big") + kind + sequence.to_bytes(8, "big")
