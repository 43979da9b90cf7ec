"""The wing put together: queues, topics, their doors, and what other wings are offered.

Made when a template has a queue or topic, when an earlier run left one, or when a request comes; otherwise never.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Mapping
from typing import Any

from trine.aws.actor import Actor
from trine.aws.arn import Arn, Place
from trine.aws.catalogue import Catalogue
from trine.aws.charges import Charge, uncharged
from trine.aws.ids import Ids
from trine.aws.invoke import Invoker
from trine.aws.queues import Outgoing
from trine.clock import Clock
from trine.iam.access import Access
from trine.iam.acting import Acting
from trine.messaging.charged import topic_call
from trine.messaging.errors import SnsNotFound
from trine.messaging.message import Attribute
from trine.messaging.message_store import MessageStore
from trine.messaging.neighbour import FunctionQueues, QueueSender
from trine.messaging.notification import Publication
from trine.messaging.queues import Queues
from trine.messaging.topics import Topics

SHOWN_MESSAGES = 10_000
"""Messages of a queue that people and tests see at once."""
ALARMS = "cloudwatch.amazonaws.com"
"""The principal of alarms."""


class Messaging:
    """SQS and SNS of one account; a `Messenger`."""

    def __init__(
        self,
        messages: MessageStore,
        catalogue: Catalogue,
        clock: Clock,
        ids: Ids,
        access: Access,
        place: Place,
        invoker: Invoker,
        charge: Charge = uncharged,
    ) -> None:
        self._acting, self._charge = Acting(access), charge
        self.queues = Queues(messages, catalogue, clock, ids, place)
        self._sender = QueueSender(self.queues, self._acting, charge)
        self.topics = Topics(catalogue, clock, ids, place, self._sender, invoker)
        self.reader = FunctionQueues(self.queues, self._acting, charge)
        """Queues for event source mappings."""

    def send(self, message: Outgoing, actor: Actor) -> Future[Any]:
        """Keep a message for a queue or topic; resolves when it is durable, fails with AwsError."""
        attributes = {name: _attribute(value) for name, value in message.attributes.items()}
        if Arn.parse(message.target_arn).service == "sns":
            return asyncio.ensure_future(self._publish(message, attributes, actor))
        return self._sender.send(
            message.target_arn, message.body, actor, attributes, message.group_id, message.deduplication_id
        )

    async def _publish(self, message: Outgoing, attributes: Mapping[str, Attribute], actor: Actor) -> None:
        topic = self.topics.get(message.target_arn)
        policy = None if topic is None else topic.policy
        # A topic without a policy of its own has SNS's default one, by which alarms of its account may publish.
        if policy is not None or actor.service != ALARMS:
            self._acting.authorize(actor, "sns:Publish", message.target_arn, policy)
        if topic is None:
            raise SnsNotFound("Topic does not exist")
        publication = Publication(
            message.body,
            attributes=attributes,
            group_id=message.group_id,
            deduplication_id=message.deduplication_id,
        )
        await self.topics.publish(topic, publication)
        self._charge(
            "sns", {"requests": 1, **topic_call("Publish", {"TopicArn": topic.arn, "Message": message.body}, {})}
        )

    def messages(self, arn: str) -> list[Mapping[str, Any]]:
        """What waits in a queue, or the latest that a topic took, the oldest first."""
        topic = self.topics.get(arn)
        if topic is not None:
            return list(topic.latest)
        live = self.queues.find_arn(arn)
        if live is None:
            return []
        return [
            {
                "sentAt": message.sent_at,
                "body": message.body,
                "attributes": {name: value.get("StringValue") for name, value in message.attributes.items()},
            }
            for message in self.queues.peek(live, SHOWN_MESSAGES)
        ]


def _attribute(value: str | int) -> Attribute:
    return {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
