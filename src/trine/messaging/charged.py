"""What calls to queues and topics count as on a bill. Pure.

Enters an operation's input and output by the model's names; leaves counts (`metering.usage.COUNTED`). Sources: SQS
pricing ("every Amazon SQS action counts as a request", payloads by 64 KB; sending, receiving, deleting and hiding
messages of FIFO queues at a price of their own), SNS pricing (API requests by 64 KB, publications of FIFO topics one by
one; deliveries to queues and functions are free).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trine.aws.charges import chunks
from trine.messaging.sqs_messages import MESSAGE_OPERATIONS

Given = Mapping[str, Any]


def queue_call(operation: str, given: Given, output: Given, *, fifo: bool) -> dict[str, float]:
    """A call to SQS: what it sends or gets, in steps of 64 KB."""
    messages = [given, *(given.get("Entries") or ()), *(output.get("Messages") or ())]
    size = sum(_bytes_of(message.get("MessageBody") or message.get("Body") or "", message) for message in messages)
    return queue_requests(chunks(size), fifo=fifo and operation in MESSAGE_OPERATIONS)


def queue_requests(count: int, *, fifo: bool) -> dict[str, float]:
    """So many requests to a queue."""
    return {"fifoUnits" if fifo else "units": count}


def topic_call(operation: str, given: Given, output: Given) -> dict[str, float]:
    """A call to SNS."""
    entries = given.get("PublishBatchRequestEntries") or ([given] if operation == "Publish" else [])
    if entries and str(given.get("TopicArn") or "").endswith(".fifo"):
        return {"fifoUnits": len(output.get("Successful") or ()) if operation == "PublishBatch" else 1}
    return {"units": chunks(sum(_bytes_of(entry.get("Message") or "", entry) for entry in entries))}


def _bytes_of(body: str, message: Given) -> int:
    attributes: Mapping[str, Given] = message.get("MessageAttributes") or {}
    return len(body.encode()) + sum(map(len, _texts(attributes)))


def _texts(attributes: Mapping[str, Given]) -> Iterable[bytes]:
    for name, value in attributes.items():
        yield name.encode()
        for text in value.values():
            yield text if isinstance(text, bytes) else str(text).encode()
