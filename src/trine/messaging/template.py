"""A template's queues, topics, subscriptions and policies: properties in, the wing's state out.

`check` is pure and finds what `put` would refuse. Queue and topic policies are resources of their own in
CloudFormation and attributes here; `stack` hands them over after the queues.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trine.aws.shapes import objects_in, text_in, texts_in
from trine.messaging import queue_attributes
from trine.messaging.errors import SnsInvalidParameter
from trine.messaging.messaging import Messaging
from trine.messaging.resource_types import (
    POLICIES,
    QUEUE,
    QUEUE_INLINE_POLICY,
    QUEUE_POLICY,
    SUBSCRIPTION,
    TOPIC,
)
from trine.messaging.sns_operations import check_topic_name, checked_topic_attributes
from trine.messaging.subscription import PROTOCOLS, subscription_from


def attributes_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """The attributes of an `AWS::SQS::Queue`. Raises an SqsError."""
    name = text_in(properties, "QueueName") or ""
    queue_attributes.check_name(name)
    given = {name: value for name, value in properties.items() if name in queue_attributes.SETTABLE}
    return queue_attributes.checked(name, {key: _text(value) for key, value in given.items()})


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def topic_attributes_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """The attributes of an `AWS::SNS::Topic`."""
    names = ("DisplayName", "FifoTopic", "ContentBasedDeduplication", "KmsMasterKeyId", "TracingConfig")
    return checked_topic_attributes({name: _text(properties[name]) for name in names if name in properties})


async def put_resource(
    messaging: Messaging, resource_type: str, properties: Mapping[str, Any], physical_id: str
) -> str | None:
    """Make one resource of `resource_types.TYPES`; a line about what is not done, or None. Raises AwsError."""
    if resource_type == QUEUE:
        attributes = attributes_of(properties)
        name = text_in(properties, "QueueName") or ""
        kept = _policy_of(messaging.queues, name)
        await messaging.queues.put(name, {**kept, **attributes}, _tags(properties))
    elif resource_type == TOPIC:
        name = _topic_name(properties)
        await messaging.topics.put(name, topic_attributes_of(properties), _tags(properties))
        return await _inline_subscriptions(messaging, name, objects_in(properties, "Subscription"))
    elif resource_type == SUBSCRIPTION:
        return await _subscribe(messaging, physical_id, properties)
    elif resource_type in POLICIES:
        await _put_policy(messaging, resource_type, properties)
    else:
        raise AssertionError(f"{resource_type} is not made here")
    return None


def _topic_name(properties: Mapping[str, Any]) -> str:
    name = text_in(properties, "TopicName") or ""
    check_topic_name(name)
    return name


def _policy_of(queues: Any, name: str) -> dict[str, str]:
    # The policy is a resource of its own, which comes later and replaces it.
    live = queues.find_arn(queues.arn(name))
    policy = None if live is None else live.attributes.get("Policy")
    return {} if policy is None else {"Policy": policy}


def _tags(properties: Mapping[str, Any]) -> dict[str, str]:
    return {str(tag.get("Key")): str(tag.get("Value")) for tag in objects_in(properties, "Tags")}


async def _put_policy(messaging: Messaging, resource_type: str, properties: Mapping[str, Any]) -> None:
    text = json.dumps(properties.get("PolicyDocument"))
    if resource_type in (QUEUE_POLICY, QUEUE_INLINE_POLICY):
        for url in _listed(properties, "Queues", "Queue"):
            live = messaging.queues.find(url.rpartition("/")[2])
            checked = queue_attributes.checked(live.queue.name, {**live.attributes, "Policy": text})
            await messaging.queues.put(live.queue.name, checked)
        return
    for arn in _listed(properties, "Topics", "TopicArn"):
        topic = messaging.topics.find(arn)
        await messaging.topics.put(topic.name, {**topic.attributes, "Policy": text})


def _listed(properties: Mapping[str, Any], many: str, one: str) -> list[str]:
    return texts_in(properties, many) or [str(text_in(properties, one))]


async def _inline_subscriptions(messaging: Messaging, topic: str, given: Sequence[Mapping[str, Any]]) -> str | None:
    notes = []
    arn = messaging.topics.arn(topic)
    for number, one in enumerate(given, 1):
        made = {**one, "TopicArn": arn}
        notes.append(await _subscribe(messaging, f"{arn}:00000000-0000-4000-8000-{number:012}", made))
    return next((note for note in notes if note is not None), None)


async def _subscribe(messaging: Messaging, physical_id: str, properties: Mapping[str, Any]) -> str | None:
    protocol = str(properties.get("Protocol"))
    if protocol not in PROTOCOLS:
        return f"{properties.get('TopicArn')}: messages do not go to {protocol} {properties.get('Endpoint')} here"
    topic_arn = str(properties.get("TopicArn"))
    names = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
    attributes = {name: _text(properties[name]) for name in names if name in properties}
    arn = f"{topic_arn}:{physical_id.rpartition(':')[2]}"
    made = subscription_from(arn, topic_arn, protocol, text_in(properties, "Endpoint"), attributes)
    await messaging.topics.subscribe(made)
    return None


def check(resource_type: str, properties: Mapping[str, Any]) -> None:
    """Raise AwsError for what `put_resource` would refuse of the properties alone."""
    if resource_type == QUEUE:
        attributes = attributes_of(properties)
        queue_attributes.settings_of(attributes, "arn")
    elif resource_type == TOPIC:
        _topic_name(properties)
        topic_attributes_of(properties)
    elif resource_type in POLICIES and not isinstance(properties.get("PolicyDocument"), Mapping):
        raise SnsInvalidParameter("PolicyDocument is mandatory")
