"""A subscription: who wants which messages of a topic, and how.

Pure. Enters the parameters of Subscribe or a template's properties, leaves a value or InvalidParameter. Trine delivers
to `sqs` and `lambda`; other protocols are refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from trine.aws.arn import Arn
from trine.aws.event_pattern import InvalidPattern, Pattern, compile_pattern
from trine.messaging import limits
from trine.messaging.errors import SnsInvalidParameter

PROTOCOLS = ("sqs", "lambda")
ATTRIBUTES = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription; `attributes` as texts, by the API's names."""

    arn: str
    topic_arn: str
    protocol: str
    endpoint: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, arn: str, document: Mapping[str, Any]) -> Subscription:
        """The subscription of a stored document."""
        return cls(arn, document["topic"], document["protocol"], document["endpoint"], document["attributes"])

    def document(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "topic": self.topic_arn,
            "protocol": self.protocol,
            "endpoint": self.endpoint,
            "attributes": dict(self.attributes),
        }

    @property
    def pattern(self) -> Pattern | None:
        """The filter policy, compiled; None when every message is wanted."""
        text = self.attributes.get("FilterPolicy")
        return compile_pattern(text) if text and text != "{}" else None

    @property
    def filters_body(self) -> bool:
        """Whether the filter looks at the message instead of its attributes."""
        return self.attributes.get("FilterPolicyScope") == "MessageBody"

    @property
    def is_raw(self) -> bool:
        """Whether the message goes out without SNS's envelope."""
        return self.attributes.get("RawMessageDelivery", "false").lower() == "true"

    @property
    def dead_letter_arn(self) -> str | None:
        """Where messages go that cannot be delivered."""
        arn = orjson.loads(self.attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
        return None if arn is None else str(arn)


def _is_arn(text: str) -> bool:
    try:
        return bool(Arn.parse(text).service)
    except ValueError:
        return False


def _check_policy(policy: Mapping[str, Any], *, nests: bool) -> None:
    """SnsInvalidParameter when a filter policy is larger than SNS takes ("Filter policy constraints")."""
    if not nests and any(isinstance(below, Mapping) for below in policy.values()):
        raise SnsInvalidParameter("Filter policy scope MessageAttributes does not support nested filter policy")
    if len(policy) > limits.FILTER_KEYS_MAX:
        raise SnsInvalidParameter(f"FilterPolicy: Filter policy can not have more than {limits.FILTER_KEYS_MAX} keys")
    if _combinations(policy, 1) > limits.FILTER_COMBINATIONS_MAX:
        raise SnsInvalidParameter("FilterPolicy: Filter policy is too complex")


def _combinations(policy: Mapping[str, Any], level: int) -> int:
    """How many combinations a policy makes: its keys' values times their level, multiplied; `$or` adds its ways."""
    product = 1
    for name, below in policy.items():
        if isinstance(below, Mapping):
            product *= _combinations(below, level + 1)
        elif name == "$or" and all(isinstance(way, Mapping) for way in below):
            product *= sum(_combinations(way, level) for way in below)
        else:
            product *= len(below) * level
    return product


def subscription_from(
    arn: str, topic_arn: str, protocol: str, endpoint: str | None, attributes: Mapping[str, Any]
) -> Subscription:
    """A checked subscription. SnsInvalidParameter."""
    if protocol not in PROTOCOLS:
        raise SnsInvalidParameter(f"Protocol {protocol}: Trine delivers to sqs and lambda; others are not built")
    if not endpoint or not _is_arn(endpoint):
        raise SnsInvalidParameter(f"{protocol.upper()} endpoint ARN")
    texts: dict[str, str] = {}
    for name, value in attributes.items():
        if name not in ATTRIBUTES:
            raise SnsInvalidParameter("AttributeName")
        texts[name] = value if isinstance(value, str) else json.dumps(value)
    subscription = Subscription(arn, topic_arn, protocol, endpoint, texts)
    try:
        pattern = subscription.pattern
    except InvalidPattern as error:
        raise SnsInvalidParameter(f"FilterPolicy: {error}") from None
    if pattern is not None:
        _check_policy(pattern.fields, nests=subscription.filters_body)
    if texts.get("FilterPolicyScope", "MessageAttributes") not in ("MessageAttributes", "MessageBody"):
        raise SnsInvalidParameter(
            "FilterPolicyScope: Invalid value. Please use either MessageBody or MessageAttributes"
        )
    if texts.get("RawMessageDelivery", "false").lower() not in ("true", "false"):
        raise SnsInvalidParameter(
            f"Attributes Reason: RawMessageDelivery: Invalid value [{texts['RawMessageDelivery']}]. "
            "Must be true or false."
        )
    try:
        letter = subscription.dead_letter_arn
        if letter is not None:
            Arn.parse(letter)
    except (ValueError, AttributeError):
        raise SnsInvalidParameter("RedrivePolicy: failed to parse JSON.") from None
    return subscription
