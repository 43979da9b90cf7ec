"""A queue with everything that belongs to it, and the values that pass through it: drafts in, deliveries out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from trine.clock import Clock
from trine.messaging.bell import Bell
from trine.messaging.deduplication import Deduplication
from trine.messaging.message import Message
from trine.messaging.queue import Queue


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is to be sent. Attributes are checked already."""

    body: str
    sender_id: str
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    delay_seconds: int | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    trace_header: str | None = None


class Sent(NamedTuple):
    """What became of a draft."""

    message_id: str
    sequence_number: str | None


class Delivery(NamedTuple):
    """A message that was received."""

    message: Message
    receipt_handle: str
    receive_count: int
    first_received_at: float


class LiveQueue:
    """A queue with everything that belongs to it."""

    def __init__(
        self, queue: Queue, attributes: dict[str, str], tags: dict[str, str], created_at: float, clock: Clock
    ) -> None:
        self.queue = queue
        self.attributes, self.tags = attributes, tags
        self.created_at = self.modified_at = created_at
        self.purged_at: float | None = None
        self.deduplication = Deduplication()
        self.bell = Bell(queue, clock)
