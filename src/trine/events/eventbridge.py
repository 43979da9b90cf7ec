"""The wing put together: buses, rules, schedules and how their targets are reached.

Made when a template has a rule or schedule, when an earlier run left one, or when a request comes; otherwise never.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import orjson

from trine.aws.actor import Actor
from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.charges import Charge, chunks, uncharged
from trine.aws.ids import Ids
from trine.aws.invoke import Invoker
from trine.aws.queues import Messenger, Outgoing
from trine.clock import Clock
from trine.events import limits
from trine.events.delivery import Delivery
from trine.events.event import event_of, size_of
from trine.events.rules import Bus, Rules
from trine.events.schedules import Schedules
from trine.iam.access import Access
from trine.iam.acting import Acting

_LOGGER = logging.getLogger("trine.events")
_REMEMBERED_EVENTS = 10_000
"""Events whose hops from bus to bus are counted."""


class EventBridge:
    """EventBridge and Scheduler of one account."""

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        ids: Ids,
        access: Access,
        place: Place,
        invoker: Invoker,
        messenger: Messenger,
        charge: Charge = uncharged,
    ) -> None:
        self._charge = charge
        self._acting = Acting(access)
        self._clock, self._ids, self._place = clock, ids, place
        self._delivery = Delivery(clock, place, self._acting, invoker, messenger, self._forward)
        self.rules = Rules(catalogue, clock, ids, place, self._delivery.start)
        self.schedules = Schedules(catalogue, clock, ids, place, self._delivery.start, charge)
        self._hops: OrderedDict[str, int] = OrderedDict()
        self.notes: list[str] = []
        """What of the template has no effect here, one line each."""

    def start(self) -> None:
        """Let schedules run; needs the running event loop."""
        self.rules.start()
        self.schedules.start()

    async def close(self) -> None:
        """Stop schedules and deliveries."""
        self.rules.close()
        self.schedules.close()
        await self._delivery.close()

    def put_entry(self, bus: Bus, entry: Mapping[str, Any]) -> str:
        """Put one entry of PutEvents onto a bus; its event's id. EntryRefused."""
        event = event_of(entry, self._ids.uuid(), self._clock.now(), self._place)
        self.rules.publish(bus, event)
        return str(event["id"])

    def send(self, message: Outgoing, actor: Actor) -> Future[None]:
        """What a function's destination puts onto a bus: `source` is `lambda`, the body its detail."""
        done: Future[None] = asyncio.get_running_loop().create_future()
        try:
            bus = self.rules.bus(message.target_arn)
            self._acting.authorize(actor, "events:PutEvents", bus.arn, bus.policy)
            entry = {
                "Source": "lambda",
                "DetailType": message.event_type,
                "Detail": message.body,
                "Resources": [bus.arn, _function_of(message.body) or actor.source_arn],
            }
            self.put_entry(bus, entry)
            self._charge("events", {"requests": 1, "units": chunks(size_of(entry))})
        except Exception as error:
            done.set_exception(error)
        else:
            done.set_result(None)
        return done

    async def _forward(self, bus_arn: str, payload: bytes, actor: Actor) -> None:
        """An event goes on to another bus, as a rule's target. AwsError."""
        bus = self.rules.bus(bus_arn)
        self._acting.authorize(actor, "events:PutEvents", bus.arn, bus.policy)
        event = orjson.loads(payload)
        hops = self._hops.get(event.get("id"), 0) + 1
        if hops > limits.BUS_HOPS_MAX:
            _LOGGER.warning("event %s went in a circle of buses and ends here", event.get("id"))
            return
        self._hops[event.get("id")] = hops
        if len(self._hops) > _REMEMBERED_EVENTS:
            self._hops.popitem(last=False)
        self.rules.publish(bus, event)


def _function_of(record: str) -> str | None:
    """The qualified ARN of the function whose outcome a destination's record tells."""
    context = orjson.loads(record).get("requestContext") or {}
    arn = context.get("functionArn")
    return None if arn is None else str(arn)
