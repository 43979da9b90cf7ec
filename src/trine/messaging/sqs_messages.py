"""The operations of SQS on messages: one function each, from checked input to output.

Enters members by the model's names, leaves members, or raises an `SqsError`. Batches answer for each entry.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from trine.aws.errors import AwsError
from trine.messaging import limits
from trine.messaging.errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameter,
    MessageTooLong,
    MissingParameter,
    SqsError,
    TooManyEntriesInBatchRequest,
)
from trine.messaging.live_queue import Delivery, Draft, LiveQueue
from trine.messaging.message import (
    Attribute,
    Message,
    attributes_md5,
    body_md5,
    check_characters,
    checked_attributes,
    size_of,
)
from trine.messaging.sqs_operations import Output, Run, Turn, number_in

_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_PUNCTUATED = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


_NO_DEDUPLICATION = (
    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
)


async def send_message(turn: Turn) -> Output:
    """SendMessage."""
    live = turn.live()
    return await _send(turn, live, turn.given)


async def _send(turn: Turn, live: LiveQueue, given: Mapping[str, Any]) -> Output:
    draft = draft_of(live, given, turn.caller.principal.user_id, trace_header=turn.trace_header)
    sent = await turn.queues.send(live, draft)
    output: Output = {"MessageId": sent.message_id, "MD5OfMessageBody": body_md5(draft.body)}
    if draft.attributes:
        output["MD5OfMessageAttributes"] = attributes_md5(draft.attributes)
    if given.get("MessageSystemAttributes"):
        output["MD5OfMessageSystemAttributes"] = attributes_md5(checked_attributes(given["MessageSystemAttributes"]))
    if sent.sequence_number is not None:
        output["SequenceNumber"] = sent.sequence_number
    return output


def draft_of(
    live: LiveQueue,
    given: Mapping[str, Any],
    sender_id: str,
    checked: Mapping[str, Attribute] | None = None,
    *,
    trace_header: str | None = None,
) -> Draft:
    """What SendMessage's members mean for a queue; `checked` attributes come from inside. Raises an SqsError.

    `trace_header` is the caller's X-Ray header: `AWSTraceHeader` where the message does not name one itself.
    """
    settings = live.queue.settings
    body = given.get("MessageBody")
    if not body:
        raise MissingParameter("The request must contain the parameter MessageBody.")
    check_characters(body)
    attributes = checked_attributes(given.get("MessageAttributes") or {}) if checked is None else checked
    if size_of(body, attributes) > settings.max_bytes:
        raise MessageTooLong(settings.max_bytes)
    delay = number_in(given, "DelaySeconds", -1, 0, limits.DELAY_MAX_SECONDS)
    group_id, deduplication_id = given.get("MessageGroupId"), given.get("MessageDeduplicationId")
    if settings.fifo:
        if delay > 0:
            raise InvalidParameter(
                f"Value {delay} for parameter DelaySeconds is invalid. Reason: The request include parameter that is "
                "not valid for this queue type."
            )
        if not group_id:
            raise MissingParameter("The request must contain the parameter MessageGroupId.")
        if deduplication_id is None and settings.by_content:
            deduplication_id = sha256(body.encode()).hexdigest()
        if deduplication_id is None:
            raise InvalidParameter(_NO_DEDUPLICATION)
    elif deduplication_id is not None:
        raise InvalidParameter(
            f"Value {deduplication_id} for parameter MessageDeduplicationId is invalid. Reason: The request includes a "
            "parameter that is not valid for this queue type."
        )
    for name, value in (("MessageGroupId", group_id), ("MessageDeduplicationId", deduplication_id)):
        if value is not None and not _PUNCTUATED.fullmatch(value):
            raise InvalidParameter(
                f"Value {value[:256]} for parameter {name} is invalid. Reason: {name} can only include alphanumeric "
                "and punctuation characters. 1 to 128 in length."
            )
    trace = (given.get("MessageSystemAttributes") or {}).get("AWSTraceHeader") or {}
    return Draft(
        body,
        sender_id,
        attributes,
        None if delay < 0 or settings.fifo else delay,
        group_id,
        deduplication_id if settings.fifo else None,
        trace.get("StringValue") or trace_header,
    )


async def receive_message(turn: Turn) -> Output:
    """ReceiveMessage, with long polling."""
    live = turn.live()
    given = turn.given
    limit = number_in(given, "MaxNumberOfMessages", 1, 1, limits.RECEIVE_MAX_MESSAGES)
    wait = number_in(given, "WaitTimeSeconds", live.queue.settings.wait_seconds, 0, limits.WAIT_MAX_SECONDS)
    visibility = number_in(given, "VisibilityTimeout", -1, 0, limits.VISIBILITY_MAX_SECONDS)
    timeout = None if visibility < 0 else visibility
    until = turn.queues.now() + wait
    deliveries = turn.queues.receive(live, limit, timeout)
    while not deliveries and (left := until - turn.queues.now()) > 0:
        await live.bell.wait(left)
        live = turn.live()
        deliveries = turn.queues.receive(live, limit, timeout)
    system = [*(given.get("AttributeNames") or ()), *(given.get("MessageSystemAttributeNames") or ())]
    shown = [shown_message(one, system, given.get("MessageAttributeNames") or ()) for one in deliveries]
    return {"Messages": shown} if shown else {}


def shown_message(delivery: Delivery, system: Iterable[str], named: Sequence[str]) -> Output:
    """A message as ReceiveMessage shows it."""
    message = delivery.message
    output: Output = {
        "MessageId": message.message_id,
        "ReceiptHandle": delivery.receipt_handle,
        "MD5OfBody": body_md5(message.body),
        "Body": message.body,
    }
    known = system_attributes(delivery)
    wanted = set(system)
    chosen = known if "All" in wanted else {name: value for name, value in known.items() if name in wanted}
    if chosen:
        output["Attributes"] = chosen
    attributes = {name: value for name, value in message.attributes.items() if _named(name, named)}
    if attributes:
        output["MessageAttributes"] = {name: _shown(value) for name, value in attributes.items()}
        output["MD5OfMessageAttributes"] = attributes_md5(attributes)
    return output


def system_attributes(delivery: Delivery) -> dict[str, str]:
    """What SQS notes about a message."""
    message: Message = delivery.message
    known = {
        "SenderId": message.sender_id,
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "ApproximateReceiveCount": str(delivery.receive_count),
        "ApproximateFirstReceiveTimestamp": str(int(delivery.first_received_at * 1000)),
        "AWSTraceHeader": message.trace_header,
        "MessageGroupId": message.group_id,
        "MessageDeduplicationId": message.deduplication_id,
        "SequenceNumber": message.sequence_number,
        "DeadLetterQueueSourceArn": message.dead_letter_source,
    }
    return {name: value for name, value in known.items() if value is not None}


def _named(name: str, wanted: Sequence[str]) -> bool:
    return any(one in ("All", "*", ".*", name) or (one.endswith(".*") and name.startswith(one[:-2])) for one in wanted)


def _shown(value: Attribute) -> Output:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": base64.b64decode(value["BinaryValue"])}
    return dict(value)


async def delete_message(turn: Turn) -> Output:
    """DeleteMessage."""
    await turn.queues.delete_message(turn.live(), turn.given["ReceiptHandle"])
    return {}


async def change_message_visibility(turn: Turn) -> Output:
    """ChangeMessageVisibility."""
    _change(turn, turn.live(), turn.given)
    return {}


def _change(turn: Turn, live: LiveQueue, given: Mapping[str, Any]) -> None:
    seconds = number_in(given, "VisibilityTimeout", -1, 0, limits.VISIBILITY_MAX_SECONDS)
    if seconds < 0:
        raise MissingParameter("The request must contain the parameter VisibilityTimeout.")
    turn.queues.change_visibility(live, given["ReceiptHandle"], seconds)


async def send_message_batch(turn: Turn) -> Output:
    """SendMessageBatch."""
    live = turn.live()
    entries = _entries(turn)
    if live.queue.settings.fifo:
        _check_fifo_batch(entries, by_content=live.queue.settings.by_content)
    total = sum(
        size_of(str(entry.get("MessageBody", "")), checked_attributes(entry.get("MessageAttributes") or {}))
        for entry in entries
    )
    if total > limits.BATCH_MAX_BYTES:
        raise BatchRequestTooLong(
            f"Batch requests cannot be longer than {limits.BATCH_MAX_BYTES} bytes. You have sent {total} bytes."
        )

    async def send(entry: Mapping[str, Any]) -> Output:
        try:
            return await _send(turn, live, entry)
        except MessageTooLong as error:
            raise MessageTooLong(error.limit, "cannot be validated") from None

    return await _each(entries, send)


def _check_fifo_batch(entries: Sequence[Mapping[str, Any]], *, by_content: bool) -> None:
    """What a FIFO queue needs of each entry; one that lacks it refuses the whole batch."""
    for entry in entries:
        if not entry.get("MessageGroupId"):
            raise InvalidParameter("The request must contain the parameter MessageGroupId.")
        if not by_content and entry.get("MessageDeduplicationId") is None:
            raise InvalidParameter(_NO_DEDUPLICATION)


async def delete_message_batch(turn: Turn) -> Output:
    """DeleteMessageBatch."""
    live = turn.live()

    async def delete(entry: Mapping[str, Any]) -> Output:
        await turn.queues.delete_message(live, entry["ReceiptHandle"])
        return {}

    return await _each(_entries(turn), delete)


async def change_message_visibility_batch(turn: Turn) -> Output:
    """ChangeMessageVisibilityBatch."""
    live = turn.live()

    async def change(entry: Mapping[str, Any]) -> Output:
        _change(turn, live, entry)
        return {}

    return await _each(_entries(turn), change)


def _entries(turn: Turn) -> Sequence[Mapping[str, Any]]:
    entries: Sequence[Mapping[str, Any]] = turn.given.get("Entries") or ()
    if not entries:
        raise EmptyBatchRequest("There should be at least one entry in the request.")
    if len(entries) > limits.BATCH_MAX_ENTRIES:
        raise TooManyEntriesInBatchRequest(
            f"Maximum number of entries per request are 10. You have sent {len(entries)}."
        )
    seen: set[str] = set()
    for entry in entries:
        if not _ENTRY_ID.fullmatch(entry["Id"]):
            raise InvalidBatchEntryId(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most "
                "80 letters long."
            )
        if entry["Id"] in seen:
            raise BatchEntryIdsNotDistinct(f"Id {entry['Id']} repeated.")
        seen.add(entry["Id"])
    return entries


async def _each(entries: Sequence[Mapping[str, Any]], work: Callable[[Mapping[str, Any]], Awaitable[Output]]) -> Output:
    """Every entry in order; what one of them does wrong is its own failure."""
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **await work(entry)})
        except AwsError as error:
            code = error.query_code if isinstance(error, SqsError) else error.code
            failed.append(
                {"Id": entry["Id"], "SenderFault": error.status < 500, "Code": code, "Message": error.message}
            )
    output: Output = {"Successful": successful, "Failed": failed}
    return {name: listed for name, listed in output.items() if listed or name == "Successful"}


MESSAGE_OPERATIONS: dict[str, Run] = {
    "SendMessage": send_message,
    "SendMessageBatch": send_message_batch,
    "ReceiveMessage": receive_message,
    "DeleteMessage": delete_message,
    "DeleteMessageBatch": delete_message_batch,
    "ChangeMessageVisibility": change_message_visibility,
    "ChangeMessageVisibilityBatch": change_message_visibility_batch,
}
ACTIONS = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}
"""Batches ask for the right of the single operation (service authorization reference)."""
