"""The operations of SQS on queues: one function each, from checked input to output.

Enters members by the model's names, leaves members, or raises an `SqsError`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from trine.iam.caller import Caller
from trine.messaging import limits, queue_attributes
from trine.messaging.errors import (
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameter,
    QueueDoesNotExist,
)
from trine.messaging.live_queue import LiveQueue
from trine.messaging.queues import Queues

Given = Mapping[str, Any]
Output = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One call: its input, who calls, the address that queue URLs begin with, and the caller's trace (X-Ray)."""

    queues: Queues
    given: Given
    caller: Caller
    base_url: str
    trace_header: str | None = None

    @property
    def name(self) -> str:
        """The name of the queue that `QueueUrl` (or `QueueName`) means. QueueDoesNotExist for another account's."""
        url = self.given.get("QueueUrl")
        if url is None:
            name = self.given.get("QueueName")
            if not name:
                raise InvalidParameter("The request must contain the parameter QueueUrl.")
            return str(name)
        parts = urlsplit(url).path.strip("/").split("/")
        if len(parts) == 2 and parts[0] != self.queues.place.account_id:
            raise QueueDoesNotExist
        return parts[-1]

    def live(self) -> LiveQueue:
        """The queue. QueueDoesNotExist."""
        return self.queues.find(self.name)

    def url(self, name: str) -> str:
        """The URL of a queue, at the address by which the caller came."""
        return f"{self.base_url}/{self.queues.place.account_id}/{name}"


async def create_queue(turn: Turn) -> Output:
    """CreateQueue."""
    live = await turn.queues.create(
        turn.given["QueueName"], turn.given.get("Attributes") or {}, turn.given.get("tags") or {}
    )
    return {"QueueUrl": turn.url(live.queue.name)}


async def get_queue_url(turn: Turn) -> Output:
    """GetQueueUrl."""
    owner = turn.given.get("QueueOwnerAWSAccountId")
    if owner is not None and owner != turn.queues.place.account_id:
        raise QueueDoesNotExist
    return {"QueueUrl": turn.url(turn.queues.find(turn.given["QueueName"]).queue.name)}


async def list_queues(turn: Turn) -> Output:
    """ListQueues, a page at a time."""
    prefix = turn.given.get("QueueNamePrefix") or ""
    names = [live.queue.name for live in turn.queues if live.queue.name.startswith(prefix)]
    size = number_in(turn.given, "MaxResults", 1_000, 1, 1_000)
    start = turn.given.get("NextToken") or ""
    rest = [name for name in names if name > start]
    output: Output = {"QueueUrls": [turn.url(name) for name in rest[:size]]} if rest else {}
    if len(rest) > size and "MaxResults" in turn.given:
        output["NextToken"] = rest[size - 1]
    return output


async def delete_queue(turn: Turn) -> Output:
    """DeleteQueue."""
    await turn.queues.delete(turn.name)
    return {}


async def purge_queue(turn: Turn) -> Output:
    """PurgeQueue."""
    await turn.queues.purge(turn.name)
    return {}


async def get_queue_attributes(turn: Turn) -> Output:
    """GetQueueAttributes."""
    live = turn.live()
    known = described(turn.queues, live)
    wanted = turn.given.get("AttributeNames") or []
    if "All" in wanted:
        return {"Attributes": known}
    for name in wanted:
        if name not in known and name not in queue_attributes.SETTABLE:
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
    chosen = {name: known[name] for name in wanted if name in known}
    return {"Attributes": chosen} if chosen else {}


def described(queues: Queues, live: LiveQueue) -> dict[str, str]:
    """Every attribute of a queue."""
    visible, in_flight, delayed = queues.counts(live)
    return {
        "QueueArn": live.queue.arn,
        "ApproximateNumberOfMessages": str(visible),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
        "ApproximateNumberOfMessagesDelayed": str(delayed),
        "CreatedTimestamp": str(int(live.created_at)),
        "LastModifiedTimestamp": str(int(live.modified_at)),
        **queue_attributes.shown(live.attributes),
    }


async def set_queue_attributes(turn: Turn) -> Output:
    """SetQueueAttributes: those given change; an empty text takes one away."""
    live = turn.live()
    given = turn.given.get("Attributes") or {}
    if "FifoQueue" in given:
        if not live.queue.settings.fifo:
            raise InvalidAttributeName("Unknown Attribute FifoQueue.")
        if given["FifoQueue"].lower() != "true":
            raise InvalidAttributeValue(
                "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
            )
    merged = {**live.attributes, **given}
    await turn.queues.put(live.queue.name, queue_attributes.checked(live.queue.name, merged))
    return {}


async def tag_queue(turn: Turn) -> Output:
    """TagQueue."""
    live = turn.live()
    tags = {**live.tags, **turn.given["Tags"]}
    if len(tags) > limits.TAGS_MAX:
        raise InvalidParameter(f"Too many tags added for queue {live.queue.name}.")
    live.tags = tags
    await turn.queues.keep(live)
    return {}


async def untag_queue(turn: Turn) -> Output:
    """UntagQueue."""
    live = turn.live()
    live.tags = {key: value for key, value in live.tags.items() if key not in turn.given["TagKeys"]}
    await turn.queues.keep(live)
    return {}


async def list_queue_tags(turn: Turn) -> Output:
    """ListQueueTags."""
    tags = turn.live().tags
    return {"Tags": dict(tags)} if tags else {}


async def list_dead_letter_source_queues(turn: Turn) -> Output:
    """ListDeadLetterSourceQueues: whose dead letters come here."""
    arn = turn.live().queue.arn
    sources = [live.queue.name for live in turn.queues if live.queue.settings.dead_letter_arn == arn]
    return {"queueUrls": [turn.url(name) for name in sources]}


async def add_permission(turn: Turn) -> Output:
    """AddPermission: one more statement of the queue's policy."""
    live = turn.live()
    arn, label = live.queue.arn, turn.given["Label"]
    begun = {"Version": "2008-10-17", "Id": f"{arn}/SQSDefaultPolicy", "Statement": []}
    policy = json.loads(live.attributes.get("Policy") or json.dumps(begun))
    if any(statement.get("Sid") == label for statement in policy["Statement"]):
        raise InvalidParameter(f"Value {label} for parameter Label is invalid. Reason: Already exists.")
    policy["Statement"].append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_all([f"arn:aws:iam::{one}:root" for one in turn.given["AWSAccountIds"]])},
            "Action": _one_or_all([f"SQS:{action}" for action in turn.given["Actions"]]),
            "Resource": arn,
        }
    )
    await turn.queues.put(live.queue.name, {**live.attributes, "Policy": json.dumps(policy)})
    return {}


def _one_or_all(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts


async def remove_permission(turn: Turn) -> Output:
    """RemovePermission."""
    live = turn.live()
    policy = json.loads(live.attributes.get("Policy") or '{"Statement": []}')
    kept = [statement for statement in policy["Statement"] if statement.get("Sid") != turn.given["Label"]]
    if len(kept) == len(policy["Statement"]):
        raise InvalidParameter(f"Value {turn.given['Label']} for parameter Label is invalid. Reason: can't find label.")
    attributes = {key: value for key, value in live.attributes.items() if key != "Policy"}
    if kept:
        attributes["Policy"] = json.dumps({**policy, "Statement": kept})
    await turn.queues.put(live.queue.name, attributes)
    return {}


def number_in(given: Given, name: str, default: int, lowest: int, highest: int) -> int:
    """A number of the input within its bounds. InvalidParameter."""
    value = given.get(name)
    if value is None:
        return default
    if not lowest <= value <= highest:
        bounds = f"between {lowest} and {highest}" if name.startswith("Max") else f">= {lowest} and <= {highest}"
        raise InvalidParameter(f"Value {value} for parameter {name} is invalid. Reason: Must be {bounds}, if provided.")
    return int(value)


Run = Callable[[Turn], Awaitable[Output]]
QUEUE_OPERATIONS: dict[str, Run] = {
    "CreateQueue": create_queue,
    "GetQueueUrl": get_queue_url,
    "ListQueues": list_queues,
    "DeleteQueue": delete_queue,
    "PurgeQueue": purge_queue,
    "GetQueueAttributes": get_queue_attributes,
    "SetQueueAttributes": set_queue_attributes,
    "TagQueue": tag_queue,
    "UntagQueue": untag_queue,
    "ListQueueTags": list_queue_tags,
    "ListDeadLetterSourceQueues": list_dead_letter_source_queues,
    "AddPermission": add_permission,
    "RemovePermission": remove_permission,
}
