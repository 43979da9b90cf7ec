"""The operations of SNS: one function each, from checked input to output.

Enters members by the model's names, leaves members, or raises an AwsError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.messaging import limits
from trine.messaging.errors import (
    InvalidParameter,
    ParameterValueInvalid,
    SnsBatchTooLong,
    SnsInvalidBatchEntryId,
    SnsInvalidParameter,
    SnsResourceNotFound,
    SqsError,
)
from trine.messaging.message import Attribute, checked_attributes, size_of
from trine.messaging.notification import Publication
from trine.messaging.subscription import Subscription, subscription_from
from trine.messaging.topics import Topic, Topics

Given = Mapping[str, Any]
Output = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}(\.fifo)?")
_TOPIC_ATTRIBUTES = frozenset(
    {"Policy", "DisplayName", "FifoTopic", "ContentBasedDeduplication", "KmsMasterKeyId", "DeliveryPolicy",
     "TracingConfig", "SignatureVersion", "ArchivePolicy", "FifoThroughputScope"}
)  # fmt: skip
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]+")
_ENTRY_ID_MAX_CHARACTERS = 80
_PAGE = 100
"""API reference, ListTopics and ListSubscriptions: up to 100 in one answer."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One call."""

    topics: Topics
    ids: Ids
    given: Given

    def topic(self) -> Topic:
        """The topic that is meant. SnsNotFound."""
        return self.topics.find(self.given.get("TopicArn") or self.given.get("TargetArn") or "")


async def create_topic(turn: Turn) -> Output:
    """CreateTopic: the one that is there, or a new one."""
    name = turn.given["Name"]
    attributes = turn.given.get("Attributes") or {}
    check_topic_name(name)
    if name.endswith(".fifo") != (attributes.get("FifoTopic", "false").lower() == "true"):
        raise SnsInvalidParameter("Fifo Topic names must end with .fifo and have FifoTopic true")
    found = turn.topics.get(turn.topics.arn(name))
    tags = _tags(turn.given)
    if found is None:
        found = await turn.topics.put(name, checked_topic_attributes(attributes), tags)
    elif tags and tags != found.tags:
        raise SnsInvalidParameter("Tags Reason: Topic already exists with different tags")
    return {"TopicArn": found.arn}


def check_topic_name(name: str) -> None:
    """SnsInvalidParameter when `name` cannot be a topic's."""
    if not _NAME.fullmatch(name):
        raise SnsInvalidParameter("Topic Name")


def checked_topic_attributes(given: Mapping[str, Any]) -> dict[str, str]:
    """Attributes of a topic as texts. SnsInvalidParameter."""
    for name in given:
        if name not in _TOPIC_ATTRIBUTES:
            raise SnsInvalidParameter("AttributeName")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


async def delete_topic(turn: Turn) -> Output:
    """DeleteTopic."""
    await turn.topics.delete(turn.given["TopicArn"])
    return {}


async def list_topics(turn: Turn) -> Output:
    """ListTopics, a page at a time."""
    return _page(turn, "Topics", [{"TopicArn": topic.arn} for topic in turn.topics], "TopicArn")


async def get_topic_attributes(turn: Turn) -> Output:
    """GetTopicAttributes."""
    topic = turn.topic()
    count = len(turn.topics.subscriptions(topic.arn))
    shown = {
        "TopicArn": topic.arn,
        "Owner": turn.topics.place.account_id,
        "SubscriptionsConfirmed": str(count),
        "SubscriptionsPending": "0",
        "SubscriptionsDeleted": "0",
        "DisplayName": "",
        **topic.attributes,
    }
    return {"Attributes": shown}


async def set_topic_attributes(turn: Turn) -> Output:
    """SetTopicAttributes."""
    topic = turn.topic()
    change = checked_topic_attributes({turn.given["AttributeName"]: turn.given.get("AttributeValue", "")})
    await turn.topics.put(topic.name, {**topic.attributes, **change})
    return {}


async def tag_resource(turn: Turn) -> Output:
    """TagResource: topics are what SNS tags."""
    topic = _tagged(turn)
    await turn.topics.put(topic.name, topic.attributes, {**topic.tags, **_tags(turn.given)})
    return {}


async def untag_resource(turn: Turn) -> Output:
    """UntagResource."""
    topic = _tagged(turn)
    kept = {key: value for key, value in topic.tags.items() if key not in turn.given["TagKeys"]}
    await turn.topics.put(topic.name, topic.attributes, kept)
    return {}


async def list_tags_for_resource(turn: Turn) -> Output:
    """ListTagsForResource."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(_tagged(turn).tags.items())]}


def _tagged(turn: Turn) -> Topic:
    topic = turn.topics.get(turn.given["ResourceArn"])
    if topic is None:
        raise SnsResourceNotFound("Resource does not exist")
    return topic


def _tags(given: Given) -> dict[str, str]:
    tags = given.get("Tags") or ()
    found = {str(tag["Key"]): str(tag["Value"]) for tag in tags}
    if len(found) < len(tags):
        raise SnsInvalidParameter("Duplicated keys are not allowed.")
    return found


async def subscribe(turn: Turn) -> Output:
    """Subscribe."""
    topic = turn.topic()
    made = subscription_from(
        f"{topic.arn}:{turn.ids.uuid()}",
        topic.arn,
        turn.given["Protocol"],
        turn.given.get("Endpoint"),
        turn.given.get("Attributes") or {},
    )
    return {"SubscriptionArn": (await turn.topics.subscribe(made)).arn}


async def unsubscribe(turn: Turn) -> Output:
    """Unsubscribe."""
    await turn.topics.unsubscribe(turn.given["SubscriptionArn"])
    return {}


async def list_subscriptions(turn: Turn) -> Output:
    """ListSubscriptions, a page at a time."""
    return _page(turn, "Subscriptions", [_shown(turn, one) for one in turn.topics.subscriptions()], "SubscriptionArn")


async def list_subscriptions_by_topic(turn: Turn) -> Output:
    """ListSubscriptionsByTopic, a page at a time."""
    found = [_shown(turn, one) for one in turn.topics.subscriptions(turn.topic().arn)]
    return _page(turn, "Subscriptions", found, "SubscriptionArn")


async def get_subscription_attributes(turn: Turn) -> Output:
    """GetSubscriptionAttributes."""
    one = turn.topics.subscription(turn.given["SubscriptionArn"])
    shown = {
        **_shown(turn, one),
        "RawMessageDelivery": "false",
        "PendingConfirmation": "false",
        "ConfirmationWasAuthenticated": "true",
        **one.attributes,
    }
    if "FilterPolicy" in one.attributes:
        shown.setdefault("FilterPolicyScope", "MessageAttributes")
    return {"Attributes": shown}


async def set_subscription_attributes(turn: Turn) -> Output:
    """SetSubscriptionAttributes."""
    one = turn.topics.subscription(turn.given["SubscriptionArn"])
    merged = {**one.attributes, turn.given["AttributeName"]: turn.given.get("AttributeValue", "")}
    checked = subscription_from(one.arn, one.topic_arn, one.protocol, one.endpoint, merged)
    await turn.topics.subscribe(replace(one, attributes=checked.attributes))
    return {}


async def publish(turn: Turn) -> Output:
    """Publish."""
    topic = turn.topic()
    publication = publication_of(turn.given)
    check_order(topic, publication)
    return {"MessageId": await turn.topics.publish(topic, publication)}


def check_order(topic: Topic, publication: Publication) -> None:
    """SnsInvalidParameter when a FIFO topic needs more of a publication."""
    if topic.attributes.get("FifoTopic", "").lower() != "true":
        return
    if not publication.group_id:
        raise SnsInvalidParameter("The MessageGroupId parameter is required for FIFO topics")
    if not publication.deduplication_id and topic.attributes.get("ContentBasedDeduplication", "").lower() != "true":
        raise SnsInvalidParameter(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )


async def publish_batch(turn: Turn) -> Output:
    """PublishBatch: up to ten, each with its own success or failure."""
    entries: Sequence[Given] = turn.given.get("PublishBatchRequestEntries") or ()
    if not entries:
        raise AwsError("The batch request doesn't contain any entries.", code="EmptyBatchRequest", status=400)
    if len(entries) > limits.BATCH_MAX_ENTRIES:
        raise AwsError(
            "The batch request contains more entries than permissible.", code="TooManyEntriesInBatchRequest", status=400
        )
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise AwsError("Two or more batch entries in the request have the same Id.", code="BatchEntryIdsNotDistinct",
                       status=400)  # fmt: skip
    for entry in entries:
        _check_entry_id(entry["Id"])
    if sum(len(str(entry.get("Message") or "").encode()) for entry in entries) > limits.PUBLICATION_MAX_BYTES:
        raise SnsBatchTooLong
    topic = turn.topic()
    publications = [publication_of(entry) for entry in entries]
    for publication in publications:
        check_order(topic, publication)
    successful, failed = [], []
    for entry, publication in zip(entries, publications, strict=True):
        try:
            message_id = await turn.topics.publish(topic, publication)
            successful.append({"Id": entry["Id"], "MessageId": message_id})
        except AwsError as error:
            failed.append({"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True})
    return {"Successful": successful, "Failed": failed}


def _check_entry_id(entry_id: str) -> None:
    """SnsInvalidBatchEntryId."""
    if len(entry_id) > _ENTRY_ID_MAX_CHARACTERS:
        raise SnsInvalidBatchEntryId(f"The Id of a batch entry in the batch request is too long: {entry_id}")
    if not _ENTRY_ID.fullmatch(entry_id):
        raise SnsInvalidBatchEntryId(
            f"The Id of a batch entry in the batch request contains an impermissible character: {entry_id}"
        )


def publication_of(given: Given) -> Publication:
    """What Publish's members mean. SnsInvalidParameter, ParameterValueInvalid."""
    message = given.get("Message")
    if not message:
        raise SnsInvalidParameter("Empty message")
    subject = given.get("Subject")
    if subject is not None and (not subject or len(subject) > limits.SUBJECT_MAX_CHARACTERS or "\n" in subject):
        raise SnsInvalidParameter("Subject")
    try:
        attributes: dict[str, Attribute] = _checked(given.get("MessageAttributes") or {})
    except SqsError as error:
        raise ParameterValueInvalid(error.message) from error
    if size_of(message, attributes) > limits.PUBLICATION_MAX_BYTES:
        raise SnsInvalidParameter("Message too long")
    by_protocol = _by_protocol(message) if given.get("MessageStructure") == "json" else None
    return Publication(
        message, subject, attributes, by_protocol, given.get("MessageGroupId"), given.get("MessageDeduplicationId")
    )


def _checked(given: Mapping[str, Any]) -> dict[str, Attribute]:
    arrays = {name: value for name, value in given.items() if value.get("DataType") == "String.Array"}
    for name, value in arrays.items():
        try:
            if not isinstance(orjson.loads(value.get("StringValue") or ""), list):
                raise ValueError
        except ValueError:
            raise InvalidParameter(f"The message attribute '{name}' is no JSON array") from None
    for name, value in given.items():
        kind = (value.get("DataType") or "").partition(".")[0]
        if kind in ("String", "Number", "Binary") and not (value.get("StringValue") or value.get("BinaryValue")):
            raise InvalidParameter(
                f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
                f"type '{kind}'."
            )
    return checked_attributes(given)


def _by_protocol(message: str) -> dict[str, str]:
    try:
        parsed = orjson.loads(message)
    except orjson.JSONDecodeError:
        raise SnsInvalidParameter("Message Structure - JSON message body failed to parse") from None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("default"), str):
        raise SnsInvalidParameter("Message Structure - No default entry in JSON message body")
    return {name: text for name, text in parsed.items() if isinstance(text, str)}


def _shown(turn: Turn, one: Subscription) -> dict[str, str]:
    return {
        "SubscriptionArn": one.arn,
        "Owner": turn.topics.place.account_id,
        "Protocol": one.protocol,
        "Endpoint": one.endpoint,
        "TopicArn": one.topic_arn,
    }


def _page(turn: Turn, member: str, found: Sequence[Mapping[str, str]], key: str) -> Output:
    start = turn.given.get("NextToken") or ""
    rest = [one for one in found if one[key] > start]
    output: Output = {member: rest[:_PAGE]}
    if len(rest) > _PAGE:
        output["NextToken"] = rest[_PAGE - 1][key]
    return output


Run = Callable[[Turn], Awaitable[Output]]
OPERATIONS: dict[str, Run] = {
    "CreateTopic": create_topic,
    "DeleteTopic": delete_topic,
    "ListTopics": list_topics,
    "GetTopicAttributes": get_topic_attributes,
    "SetTopicAttributes": set_topic_attributes,
    "Subscribe": subscribe,
    "Unsubscribe": unsubscribe,
    "ListSubscriptions": list_subscriptions,
    "ListSubscriptionsByTopic": list_subscriptions_by_topic,
    "GetSubscriptionAttributes": get_subscription_attributes,
    "SetSubscriptionAttributes": set_subscription_attributes,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
    "Publish": publish,
    "PublishBatch": publish_batch,
}
ACTIONS = {"PublishBatch": "Publish"}
"""A batch asks for the right of the single operation (service authorization reference)."""
