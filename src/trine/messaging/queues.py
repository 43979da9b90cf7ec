"""The queues of one account: made and changed, sent to and received from. The corridor of SQS behind its door.

Enters names and drafts, leaves messages. A send is acknowledged when it is durable; what is received comes back after
its visibility timeout by the injected clock, and after a restart at once: at least once, as on AWS. Nobody is
authorized here: the door and `neighbour` have asked `iam`.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.messaging import limits, queue_attributes
from trine.messaging.errors import (
    InvalidParameter,
    MessageNotInflight,
    OverLimit,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
)
from trine.messaging.live_queue import Delivery, Draft, LiveQueue, Sent
from trine.messaging.message import Message
from trine.messaging.message_store import MessageStore
from trine.messaging.queue import Entry, Queue
from trine.messaging.receipt import entry_of, handle_of

_LOGGER = logging.getLogger("trine.messaging")
QUEUE, NUMBER = "sqs:queue", "sqs:number"


class Queues:
    """All queues. Used from one event loop."""

    def __init__(self, store: MessageStore, catalogue: Catalogue, clock: Clock, ids: Ids, place: Place) -> None:
        self._store, self._catalogue, self._clock, self._ids = store, catalogue, clock, ids
        self.place = place
        self._queues: dict[str, LiveQueue] = {}
        self._deleted: dict[str, float] = {}
        """Names of queues that were deleted through the API → when; the oldest first."""
        for name, document in catalogue.list(QUEUE):
            self._load(name, document)

    def __iter__(self) -> Iterator[LiveQueue]:
        return iter([self._queues[name] for name in sorted(self._queues)])

    def now(self) -> float:
        """The clock's time, in seconds since the epoch."""
        return self._clock.now()

    def arn(self, name: str) -> str:
        """The ARN of a queue of that name, whether it exists or not."""
        return self.place.arn("sqs", name)

    def find(self, name: str) -> LiveQueue:
        """The queue. QueueDoesNotExist."""
        found = self._queues.get(name)
        if found is None:
            raise QueueDoesNotExist
        return found

    def find_arn(self, arn: str) -> LiveQueue | None:
        """The queue of an ARN, or None."""
        found = self._queues.get(arn.rpartition(":")[2])
        return found if found is not None and found.queue.arn == arn else None

    # -- making ------------------------------------------------------------------------------------------------------

    async def create(self, name: str, given: Mapping[str, Any], tags: Mapping[str, str]) -> LiveQueue:
        """CreateQueue: the queue that is there when its attributes agree, else a new one.

        QueueNameExists, QueueDeletedRecently.
        """
        queue_attributes.check_name(name)
        queue_attributes.check_kind(name, given)
        attributes = queue_attributes.checked(name, given)
        found = self._queues.get(name)
        if found is not None:
            shown = queue_attributes.shown(found.attributes)
            for key, value in attributes.items():
                if shown.get(key) != value:
                    raise QueueNameExists(
                        f"A queue already exists with the same name and a different value for attribute {key}"
                    )
            return found
        if self._was_deleted_recently(name):
            raise QueueDeletedRecently
        if len(self._queues) >= limits.QUEUES_MAX:
            raise OverLimit(f"More than {limits.QUEUES_MAX} queues")
        return await self.put(name, attributes, tags)

    async def put(self, name: str, attributes: Mapping[str, str], tags: Mapping[str, str] | None = None) -> LiveQueue:
        """Make a queue, or give the one that is there these checked attributes; resolves when that is durable."""
        settings = queue_attributes.settings_of(attributes, self.arn(name))
        found = self._queues.get(name)
        now = self._clock.now()
        if found is None:
            number = int((self._catalogue.get(NUMBER, "latest") or {"number": 0})["number"]) + 1
            await self._catalogue.put(NUMBER, "latest", {"number": number})
            queue = Queue(name, self.arn(name), number, settings)
            found = self._queues[name] = LiveQueue(queue, dict(attributes), dict(tags or {}), now, self._clock)
        else:
            found.queue.settings, found.attributes, found.modified_at = settings, dict(attributes), now
            found.tags = found.tags if tags is None else dict(tags)
        await self.keep(found)
        return found

    def keep(self, live: LiveQueue) -> Future[None]:
        """Write a queue's record."""
        document = {
            "number": live.queue.number,
            "attributes": live.attributes,
            "tags": live.tags,
            "created_at": live.created_at,
            "modified_at": live.modified_at,
        }
        return self._catalogue.put(QUEUE, live.queue.name, document)

    def _load(self, name: str, document: Mapping[str, Any]) -> None:
        settings = queue_attributes.settings_of(document["attributes"], self.arn(name))
        queue = Queue(name, self.arn(name), document["number"], settings)
        live = self._queues[name] = LiveQueue(
            queue, dict(document["attributes"]), dict(document["tags"]), document["created_at"], self._clock
        )
        live.modified_at = document["modified_at"]
        now = self._clock.now()
        for sequence, message, count, first_at in self._store.load(queue.number):
            visible_at = 0.0 if count else message.sent_at + settings.delay_seconds
            entry = Entry(sequence, message.message_id, message.sent_at, visible_at, message.group_id)
            entry.receive_count, entry.first_received_at = count, first_at
            queue.add(entry, now)
            live.deduplication.note(message, settings.scope_is_group, message.sent_at)

    async def delete(self, name: str) -> None:
        """DeleteQueue, with its messages. QueueDoesNotExist."""
        live = self.find(name)
        del self._queues[name]
        self._deleted[name] = self._clock.now()
        live.bell.hush()
        await self._catalogue.delete(QUEUE, name)
        await self._store.clear(live.queue.number)
        live.bell.ring()

    def _was_deleted_recently(self, name: str) -> bool:
        horizon = self._clock.now() - limits.SAME_NAME_PAUSE_SECONDS
        self._deleted = {one: at for one, at in self._deleted.items() if at > horizon}
        return name in self._deleted

    async def purge(self, name: str) -> None:
        """PurgeQueue; a FIFO queue forgets its deduplication ids. QueueDoesNotExist, PurgeQueueInProgress."""
        live = self.find(name)
        now = self._clock.now()
        if live.purged_at is not None and now - live.purged_at < limits.PURGE_PAUSE_SECONDS:
            raise PurgeQueueInProgress(name)
        live.purged_at = now
        live.deduplication.forget_all()
        gone = list(live.queue)
        for entry in gone:
            live.queue.remove(entry)
        await self._store.delete(live.queue.number, [entry.sequence for entry in gone])

    # -- sending -----------------------------------------------------------------------------------------------------

    def send(self, live: LiveQueue, draft: Draft) -> Future[Sent]:
        """Keep a message; resolves when it is durable. OverLimit. A FIFO duplicate answers as its original."""
        loop = asyncio.get_running_loop()
        answer: Future[Sent] = loop.create_future()
        queue, settings, now = live.queue, live.queue.settings, self._clock.now()
        if len(queue) >= limits.MESSAGES_MAX:
            raise OverLimit(f"The queue holds {limits.MESSAGES_MAX} messages")
        message = Message(
            self._ids.uuid(),
            draft.body,
            now,
            draft.sender_id,
            draft.attributes,
            draft.trace_header,
            draft.group_id,
            draft.deduplication_id,
        )
        sequence = queue.next_sequence(now)
        if settings.fifo:
            message = replace(message, sequence_number=f"{sequence:020d}")
            original = live.deduplication.original(message, settings.scope_is_group, now)
            if original is not None:
                answer.set_result(Sent(original.message_id, original.sequence_number))
                return answer
            live.deduplication.note(message, settings.scope_is_group, now)
        delay = settings.delay_seconds if draft.delay_seconds is None else draft.delay_seconds

        def stored(done: Future[None]) -> None:
            error = done.exception()
            if error is None:
                self._arrive(live, Entry(sequence, message.message_id, now, now + delay, message.group_id))
            if answer.cancelled():
                return
            if error is not None:
                live.deduplication.forget(message, settings.scope_is_group)
                answer.set_exception(error)
            else:
                answer.set_result(Sent(message.message_id, message.sequence_number))

        self._store.put(queue.number, sequence, message).add_done_callback(stored)
        return answer

    def _arrive(self, live: LiveQueue, entry: Entry) -> None:
        now = self._clock.now()
        live.queue.add(entry, now)
        if entry.visible_at <= now:
            live.bell.ring()
        live.bell.look_ahead()

    # -- receiving ---------------------------------------------------------------------------------------------------

    def receive(
        self,
        live: LiveQueue,
        limit: int,
        visibility_seconds: int | None = None,
        fits: Callable[[Message], bool] = lambda message: True,
    ) -> list[Delivery]:
        """Up to `limit` messages that are visible now, as long as they fit. OverLimit when too many are in flight.

        What was received too often goes to the dead-letter queue instead.
        """
        queue, settings, now = live.queue, live.queue.settings, self._clock.now()
        self._drop_expired(live, now)
        if queue.in_flight >= (limits.IN_FLIGHT_MAX_FIFO if settings.fifo else limits.IN_FLIGHT_MAX_STANDARD):
            raise OverLimit("Too many messages are in flight")
        timeout = settings.visibility_seconds if visibility_seconds is None else visibility_seconds
        deliveries: list[Delivery] = []
        for entry in queue.visible(now):
            message = self._store.get(queue.number, entry.sequence)
            if message is None:
                queue.remove(entry)
                continue
            if settings.max_receives and entry.receive_count >= settings.max_receives and self._bury(
                live, entry, message
            ):  # fmt: skip
                continue
            if not fits(message):
                break
            queue.receive(entry, now, now + timeout)
            _logged(self._store.received(queue.number, entry.sequence, entry.receive_count, entry.first_received_at))
            handle = handle_of(queue, entry)
            count = message.earlier_receives + entry.receive_count
            deliveries.append(Delivery(message, handle, count, entry.first_received_at))
            if len(deliveries) >= limit:
                break
        live.bell.look_ahead()
        return deliveries

    def _drop_expired(self, live: LiveQueue, now: float) -> None:
        gone = live.queue.expired(now)
        for entry in gone:
            live.queue.remove(entry)
        if gone:
            _logged(self._store.delete(live.queue.number, [entry.sequence for entry in gone]))

    def _bury(self, live: LiveQueue, entry: Entry, message: Message) -> bool:
        """Move a message to the dead-letter queue; False when there is none."""
        grave = self.find_arn(live.queue.settings.dead_letter_arn or "")
        if grave is None:
            return False
        now = self._clock.now()
        sequence = grave.queue.next_sequence(now)
        received = message.earlier_receives + entry.receive_count
        moved = replace(message, dead_letter_source=live.queue.arn, earlier_receives=received)
        live.queue.remove(entry)

        def done(stored: Future[None]) -> None:
            if stored.exception() is not None:
                _LOGGER.error("a message could not be moved to %s: %s", grave.queue.name, stored.exception())
                live.queue.add(entry, self._clock.now())
                return
            self._arrive(grave, Entry(sequence, message.message_id, message.sent_at, now, message.group_id))

        self._store.move(live.queue.number, entry.sequence, grave.queue.number, sequence, moved).add_done_callback(done)
        return True

    # -- after receiving ---------------------------------------------------------------------------------------------

    def delete_message(self, live: LiveQueue, handle: str) -> Future[None]:
        """DeleteMessage. ReceiptHandleIsInvalid, or InvalidParameter when a FIFO queue's handle has expired."""
        entry, receipt = entry_of(live.queue, handle)
        if entry is None:
            done: Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done  # deleting again is no error
        if live.queue.settings.fifo and (receipt != entry.receipts or entry.visible_at <= self._clock.now()):
            raise InvalidParameter(
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
            )
        live.queue.remove(entry)
        if live.queue.settings.fifo:
            live.bell.ring()  # the next of its group may go
        return self._store.delete(live.queue.number, [entry.sequence])

    def change_visibility(self, live: LiveQueue, handle: str, seconds: int) -> None:
        """ChangeMessageVisibility. ReceiptHandleIsInvalid; InvalidParameter when the message is gone.

        What is visible again can be hidden again in a standard queue, as on AWS; of a FIFO queue: MessageNotInflight.
        """
        entry, _ = entry_of(live.queue, handle)
        now = self._clock.now()
        reason = (
            f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
            "available for visibility timeout change."
        )
        if entry is None:
            raise InvalidParameter(reason)
        if live.queue.settings.fifo and (not entry.in_flight or entry.visible_at <= now):
            raise MessageNotInflight(reason)
        live.queue.hide(entry, now + seconds)
        if seconds == 0:
            live.queue.release(now)
            live.bell.ring()
        live.bell.look_ahead()

    def counts(self, live: LiveQueue) -> tuple[int, int, int]:
        """Messages that are visible, in flight and delayed."""
        now = self._clock.now()
        self._drop_expired(live, now)
        return live.queue.counts(now)

    def peek(self, live: LiveQueue, limit: int) -> Sequence[Message]:
        """Up to `limit` messages, visible or not, the oldest first; nothing is changed."""
        entries = list(live.queue)[:limit]
        found = [self._store.get(live.queue.number, entry.sequence) for entry in entries]
        return [message for message in found if message is not None]


def _logged(done: Future[None]) -> None:
    def look(finished: Future[None]) -> None:
        if not finished.cancelled() and finished.exception() is not None:
            _LOGGER.error("the state of a queue could not be stored: %s", finished.exception())

    done.add_done_callback(look)
