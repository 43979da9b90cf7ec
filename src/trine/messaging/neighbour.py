"""Queues as other wings and topics use them: send with an actor's rights, receive for a function.

`QueueSender` puts a message into a queue for a service; `FunctionQueues` is the `aws.queues.QueueReader` of event
source mappings. Whoever acts is authorized here, by its role and by the queue's policy.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from trine.aws.actor import Actor
from trine.aws.charges import Charge, chunks, uncharged
from trine.aws.queues import QueueFacts, Received
from trine.iam.acting import Acting
from trine.messaging import limits
from trine.messaging.charged import queue_requests
from trine.messaging.errors import QueueDoesNotExist
from trine.messaging.live_queue import Delivery, LiveQueue, Sent
from trine.messaging.message import Attribute, Message, attributes_md5, body_md5, size_of
from trine.messaging.queues import Queues
from trine.messaging.sqs_messages import draft_of, system_attributes

_RECEIVER_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


class QueueSender:
    """Sends to queues for services."""

    def __init__(self, queues: Queues, acting: Acting, charge: Charge = uncharged) -> None:
        self._queues, self._acting, self._charge = queues, acting, charge

    def send(
        self,
        queue_arn: str,
        body: str,
        actor: Actor,
        attributes: Mapping[str, Attribute],
        group_id: str | None,
        deduplication_id: str | None,
    ) -> Future[Sent]:
        """Keep a message; resolves when it is durable, fails with AwsError. `attributes` are checked already."""
        try:
            live = self._queues.find_arn(queue_arn)
            policy = None if live is None else live.queue.settings.policy
            self._acting.authorize(actor, "sqs:SendMessage", queue_arn, policy)
            if live is None:
                raise QueueDoesNotExist
            given: dict[str, Any] = {"MessageBody": body}
            if live.queue.settings.fifo:
                given["MessageGroupId"] = group_id
                given["MessageDeduplicationId"] = deduplication_id
            draft = draft_of(live, given, actor.session_name, attributes)
            sent = self._queues.send(live, draft)
            size = size_of(body, attributes)
            self._charge("sqs", {"requests": 1, **queue_requests(chunks(size), fifo=live.queue.settings.fifo)})
            return sent
        except Exception as error:
            failed: Future[Sent] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed


class FunctionQueues:
    """What event source mappings read; a `QueueReader`."""

    def __init__(self, queues: Queues, acting: Acting, charge: Charge = uncharged) -> None:
        self._queues, self._acting, self._charge = queues, acting, charge

    def facts(self, queue_arn: str) -> QueueFacts | None:
        """None when there is no such queue."""
        live = self._queues.find_arn(queue_arn)
        if live is None:
            return None
        return QueueFacts(live.queue.settings.visibility_seconds, live.queue.settings.fifo)

    def permit(self, actor: Actor, queue_arn: str) -> None:
        """AccessDenied when `actor` may not receive."""
        live = self._find(queue_arn)
        for action in _RECEIVER_ACTIONS:
            self._acting.authorize(actor, action, queue_arn, live.queue.settings.policy)

    def receive(self, queue_arn: str, limit: int, limit_bytes: int) -> Sequence[Received]:
        """Visible messages as a function gets them, below `limit_bytes` together (the first one always)."""
        live = self._find(queue_arn)
        room = limit_bytes

        def fits(message: Message) -> bool:
            nonlocal room
            size = len(orjson.dumps(record_of(Delivery(message, "", 0, 0.0), queue_arn, ""))) + _HANDLE_BYTES
            fitted = size <= room or room == limit_bytes
            room -= size
            return fitted

        deliveries = self._queues.receive(live, limit, None, fits)
        region = self._queues.place.region
        received = []
        for delivery in deliveries:
            record = record_of(delivery, queue_arn, region)
            size = len(orjson.dumps(record))
            received.append(Received(record, delivery.receipt_handle, delivery.message.message_id, size))
        if deliveries:
            size = sum(size_of(one.message.body, one.message.attributes) for one in deliveries)
            self._charge("sqs", {"requests": 1, **queue_requests(chunks(size), fifo=live.queue.settings.fifo)})
        return received

    def delete(self, queue_arn: str, messages: Sequence[Received]) -> Future[None]:
        """Delete what was processed."""
        live = self._queues.find_arn(queue_arn)
        handles = [] if live is None else [message.receipt_handle for message in messages]
        return asyncio.ensure_future(self._delete(live, handles))

    async def _delete(self, live: LiveQueue | None, handles: Sequence[str]) -> None:
        if live is not None:
            batches = -(-len(handles) // limits.BATCH_MAX_ENTRIES)
            self._charge("sqs", {"requests": batches, **queue_requests(batches, fifo=live.queue.settings.fifo)})
            await asyncio.gather(*[self._queues.delete_message(live, handle) for handle in handles])

    def watch(self, queue_arn: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever a message may have become visible."""
        return self._find(queue_arn).bell.watch(wake)

    def _find(self, queue_arn: str) -> LiveQueue:
        live = self._queues.find_arn(queue_arn)
        if live is None:
            raise QueueDoesNotExist
        return live


_HANDLE_BYTES = 512
"""Room for the receipt handle, the region and the numbers that are not known before a message is received."""


def record_of(delivery: Delivery, queue_arn: str, region: str) -> dict[str, Any]:
    """A message in the event of a function. Lambda developer guide, "Example standard queue message event"."""
    message = delivery.message
    record: dict[str, Any] = {
        "messageId": message.message_id,
        "receiptHandle": delivery.receipt_handle,
        "body": message.body,
        "attributes": system_attributes(delivery),
        "messageAttributes": {name: _lowered(value) for name, value in message.attributes.items()},
        "md5OfBody": body_md5(message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
    if message.attributes:
        record["md5OfMessageAttributes"] = attributes_md5(message.attributes)
    return record


def _lowered(value: Attribute) -> dict[str, Any]:
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        return {"stringValue": value["StringValue"], **lists}
    return {"binaryValue": value["BinaryValue"], **lists}
