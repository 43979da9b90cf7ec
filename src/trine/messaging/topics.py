"""The topics of one account and who has subscribed to them. The corridor of SNS behind its door.

Enters a publication, leaves messages in queues and invocations of functions, each by the rights that its owner's
policy gives to `sns.amazonaws.com`. A publication is acknowledged when every subscriber that may have it has it
durably; what a subscriber refuses goes to the subscription's dead-letter queue, or is logged.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trine.aws.actor import Actor
from trine.aws.arn import Arn, Place
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.invoke import Invoker, InvokeRequest, ServiceCaller
from trine.clock import Clock
from trine.iam.policy import CompiledPolicy
from trine.messaging import limits
from trine.messaging.errors import SnsInvalidParameter, SnsNotFound
from trine.messaging.neighbour import QueueSender
from trine.messaging.notification import Publication, envelope, lambda_event, matches
from trine.messaging.queue_attributes import compiled_policy
from trine.messaging.subscription import Subscription

_LOGGER = logging.getLogger("trine.messaging")
TOPIC, SUBSCRIPTION = "sns:topic", "sns:subscription"


@dataclass(slots=True)
class Topic:
    """A topic. `latest` are the newest publications, for people and tests."""

    name: str
    arn: str
    attributes: dict[str, str]
    tags: dict[str, str] = field(default_factory=dict)
    policy: CompiledPolicy | None = None
    latest: deque[Mapping[str, Any]] = field(default_factory=lambda: deque(maxlen=limits.TOPIC_KEPT_MESSAGES))


class Topics:
    """All topics and subscriptions."""

    def __init__(
        self, catalogue: Catalogue, clock: Clock, ids: Ids, place: Place, sender: QueueSender, invoker: Invoker
    ) -> None:
        self._catalogue, self._clock, self._ids = catalogue, clock, ids
        self.place = place
        self._sender, self._invoker = sender, invoker
        self._topics: dict[str, Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        for name, document in catalogue.list(TOPIC):
            topic = Topic(name, self.arn(name), dict(document["attributes"]), dict(document["tags"]))
            topic.policy = compiled_policy(topic.attributes.get("Policy"), topic.arn)
            self._topics[topic.arn] = topic
        for arn, document in catalogue.list(SUBSCRIPTION):
            self._subscriptions[arn] = Subscription.of(arn, document)

    def __iter__(self) -> Iterator[Topic]:
        return iter([self._topics[arn] for arn in sorted(self._topics)])

    def arn(self, name: str) -> str:
        """The ARN of a topic of that name, whether it exists or not."""
        return self.place.arn("sns", name)

    def get(self, arn: str) -> Topic | None:
        """The topic, or None."""
        return self._topics.get(arn)

    def find(self, arn: str) -> Topic:
        """The topic. SnsNotFound."""
        topic = self._topics.get(arn)
        if topic is None:
            raise SnsNotFound("Topic does not exist")
        return topic

    def subscription(self, arn: str) -> Subscription:
        """The subscription. SnsNotFound."""
        found = self._subscriptions.get(arn)
        if found is None:
            raise SnsNotFound("Subscription does not exist")
        return found

    def subscriptions(self, topic_arn: str | None = None) -> list[Subscription]:
        """Subscriptions of a topic, or all, by ARN."""
        return [
            one for _, one in sorted(self._subscriptions.items()) if topic_arn is None or one.topic_arn == topic_arn
        ]

    # -- making ------------------------------------------------------------------------------------------------------

    async def put(self, name: str, attributes: Mapping[str, str], tags: Mapping[str, str] | None = None) -> Topic:
        """Make a topic, or change the one that is there. InvalidAttributeValue when its policy is none."""
        arn = self.arn(name)
        policy = compiled_policy(attributes.get("Policy"), arn)
        topic = self._topics.get(arn)
        if topic is None:
            if len(self._topics) >= limits.TOPICS_MAX:
                raise SnsInvalidParameter(f"more than {limits.TOPICS_MAX} topics")
            topic = self._topics[arn] = Topic(name, arn, {})
        topic.attributes, topic.policy = dict(attributes), policy
        topic.tags = topic.tags if tags is None else dict(tags)
        await self._catalogue.put(TOPIC, name, {"attributes": topic.attributes, "tags": topic.tags})
        return topic

    async def delete(self, arn: str) -> None:
        """DeleteTopic with its subscriptions; nothing when there is none."""
        topic = self._topics.pop(arn, None)
        if topic is not None:
            for one in self.subscriptions(arn):
                await self.unsubscribe(one.arn)
            await self._catalogue.delete(TOPIC, topic.name)

    async def subscribe(self, subscription: Subscription) -> Subscription:
        """Keep a subscription; the one that is there when topic and endpoint agree. SnsNotFound."""
        self.find(subscription.topic_arn)
        for one in self.subscriptions(subscription.topic_arn):
            if (one.protocol, one.endpoint) == (subscription.protocol, subscription.endpoint):
                subscription = Subscription(one.arn, one.topic_arn, one.protocol, one.endpoint, subscription.attributes)
        if len(self._subscriptions) >= limits.SUBSCRIPTIONS_MAX:
            raise SnsInvalidParameter(f"more than {limits.SUBSCRIPTIONS_MAX} subscriptions")
        self._subscriptions[subscription.arn] = subscription
        await self._catalogue.put(SUBSCRIPTION, subscription.arn, subscription.document())
        return subscription

    async def unsubscribe(self, arn: str) -> None:
        """Forget a subscription; nothing when there is none, as on AWS."""
        if self._subscriptions.pop(arn, None) is not None:
            await self._catalogue.delete(SUBSCRIPTION, arn)

    # -- publishing --------------------------------------------------------------------------------------------------

    async def publish(self, topic: Topic, publication: Publication) -> str:
        """Give a publication to everyone who wants it; its message id once they have it."""
        message_id = self._ids.uuid()
        topic.latest.append(
            {
                "sentAt": self._clock.now(),
                "body": publication.text_for("default"),
                "attributes": {name: value.get("StringValue") for name, value in publication.attributes.items()},
            }
        )
        wanted = [one for one in self.subscriptions(topic.arn) if matches(one, publication)]
        outcomes = await asyncio.gather(
            *[self._deliver(topic, one, publication, message_id) for one in wanted], return_exceptions=True
        )
        for one, outcome in zip(wanted, outcomes, strict=True):
            if isinstance(outcome, AwsError):
                await self._undelivered(topic, one, publication, message_id, outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
        return message_id

    def _deliver(
        self, topic: Topic, subscription: Subscription, publication: Publication, message_id: str
    ) -> Future[Any]:
        now = self._clock.now()
        if subscription.protocol == "lambda":
            event = lambda_event(topic.arn, subscription, publication, message_id, now)
            caller = ServiceCaller("sns.amazonaws.com", topic.arn, self.place.account_id)
            request = InvokeRequest(subscription.endpoint, event, "Event", caller=caller, source=topic.arn)
            return self._invoker.invoke(request)
        body = publication.text_for("sqs")
        raw = subscription.is_raw
        return self._sender.send(
            subscription.endpoint,
            body if raw else envelope(topic.arn, subscription, publication, message_id, now),
            Actor("sns.amazonaws.com", topic.arn),
            publication.attributes if raw else {},
            publication.group_id,
            publication.deduplication_id,
        )

    async def _undelivered(
        self, topic: Topic, subscription: Subscription, publication: Publication, message_id: str, error: AwsError
    ) -> None:
        letter = subscription.dead_letter_arn
        _LOGGER.warning("%s could not deliver to %s: %s", topic.name, subscription.endpoint, error.message)
        if letter is None or Arn.parse(letter).service != "sqs":
            return
        raw = subscription.is_raw
        body = (
            publication.text_for("sqs")
            if raw
            else envelope(topic.arn, subscription, publication, message_id, self._clock.now())
        )
        attributes = publication.attributes if raw else {}
        try:
            await self._sender.send(letter, body, Actor("sns.amazonaws.com", topic.arn), attributes, None, None)
        except AwsError as refused:
            _LOGGER.warning("nor to its dead-letter queue %s: %s", letter, refused.message)
