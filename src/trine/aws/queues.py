"""Queues and topics as other wings see them: send to an ARN, receive from a queue.

The messaging wing offers both protocols, `stack` hands them in. Every call names the `Actor` whose rights are asked.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Struct, field

from trine.aws.actor import Actor


class Outgoing(Struct, frozen=True):
    """A message to a queue, topic or event bus, by ARN. `attributes`: texts become String message attributes, numbers
    Number.
    """

    target_arn: str
    body: str
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    event_type: str = ""
    """Event buses: the `detail-type` of the event that carries the body."""
    group_id: str | None = None
    """FIFO targets: the message group."""
    deduplication_id: str | None = None


class Messenger(Protocol):
    """Whoever takes messages for queues and topics."""

    def send(self, message: Outgoing, actor: Actor) -> Future[None]:
        """Resolves when the message is durable; fails with AwsError (not permitted, no such target, too long)."""

    def messages(self, arn: str) -> list[Mapping[str, Any]]:
        """What waits in a queue, or the latest that a topic took, the oldest first; for people and tests."""


class Received(NamedTuple):
    """A message that was received: the record of a Lambda event, and the handle that deletes it."""

    record: Mapping[str, Any]
    receipt_handle: str
    message_id: str
    size_bytes: int
    """Of the record as JSON."""


class QueueFacts(NamedTuple):
    """What an event source mapping must know of a queue."""

    visibility_timeout_seconds: int
    is_fifo: bool


class QueueReader(Protocol):
    """Whoever owns queues."""

    def facts(self, queue_arn: str) -> QueueFacts | None:
        """None when there is no such queue."""

    def permit(self, actor: Actor, queue_arn: str) -> None:
        """AwsError when `actor` may not ReceiveMessage, DeleteMessage and GetQueueAttributes."""

    def receive(self, queue_arn: str, limit: int, limit_bytes: int) -> Sequence[Received]:
        """Up to `limit` messages that are visible now, their records together below `limit_bytes` (the first is always
        given); they are hidden for the queue's visibility timeout.
        """

    def delete(self, queue_arn: str, messages: Sequence[Received]) -> Future[None]:
        """Delete messages that were processed; resolves when that is durable."""

    def watch(self, queue_arn: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever a message may have become visible; the answer ends that."""
