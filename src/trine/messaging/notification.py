"""A publication, and the forms in which subscribers get it.

Pure. Sources: SNS developer guide, "Amazon SNS message and JSON formats" and "Message filtering"; Lambda developer
guide, "Invoking Lambda functions with Amazon SNS". Trine signs nothing: `Signature` and the certificate's address are
empty.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from trine.messaging.message import Attribute
from trine.messaging.subscription import Subscription


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published. `by_protocol`: with MessageStructure `json`, the message of each protocol."""

    message: str
    subject: str | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    by_protocol: Mapping[str, str] | None = None
    group_id: str | None = None
    deduplication_id: str | None = None

    def text_for(self, protocol: str) -> str:
        """The message that a protocol gets."""
        if self.by_protocol is None:
            return self.message
        return self.by_protocol.get(protocol, self.by_protocol["default"])


def matches(subscription: Subscription, publication: Publication) -> bool:
    """Whether a subscription's filter policy lets the publication through."""
    pattern = subscription.pattern
    if pattern is None:
        return True
    if not subscription.filters_body:
        return pattern.matches({name: _plain(value) for name, value in publication.attributes.items()})
    try:
        return pattern.matches(orjson.loads(publication.text_for(subscription.protocol)))
    except orjson.JSONDecodeError:
        return False


def _plain(value: Attribute) -> Any:
    text = value.get("StringValue")
    data_type = str(value["DataType"])
    if text is None:
        return value.get("BinaryValue")
    if data_type.startswith("Number"):
        return float(text)
    if data_type == "String.Array":
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def envelope(topic_arn: str, subscription: Subscription, publication: Publication, message_id: str, now: float) -> str:
    """The JSON that a queue gets."""
    members = _members(topic_arn, subscription, publication, message_id, now)
    members["SigningCertURL"] = members.pop("SigningCertUrl")
    members["UnsubscribeURL"] = members.pop("UnsubscribeUrl")
    if not publication.attributes:
        members.pop("MessageAttributes")
    if publication.subject is None:
        members.pop("Subject")
    return orjson.dumps(members).decode()


def lambda_event(
    topic_arn: str, subscription: Subscription, publication: Publication, message_id: str, now: float
) -> bytes:
    """The event that a function gets."""
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": _members(topic_arn, subscription, publication, message_id, now),
    }
    return orjson.dumps({"Records": [record]})


def _members(
    topic_arn: str, subscription: Subscription, publication: Publication, message_id: str, now: float
) -> dict[str, Any]:
    milliseconds = int(now * 1000) % 1000
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": topic_arn,
        "Subject": publication.subject,
        "Message": publication.text_for(subscription.protocol),
        "Timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{milliseconds:03d}Z",
        "SignatureVersion": "1",
        "Signature": "",
        "SigningCertUrl": "",
        "UnsubscribeUrl": "",
        "MessageAttributes": {
            name: {"Type": value["DataType"], "Value": value.get("StringValue") or value.get("BinaryValue")}
            for name, value in publication.attributes.items()
        },
    }
