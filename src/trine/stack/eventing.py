"""Queues, topics, rules and schedules joined to the rest: wings that most stacks do without, made when first needed.

Enters what they need of the others, leaves the wings, and the protocols by which functions reach them.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trine.aws.actor import Actor
from trine.aws.arn import Arn, Place
from trine.aws.catalogue import Catalogue
from trine.aws.charges import Charge, uncharged
from trine.aws.ids import Ids
from trine.aws.invoke import Invoker
from trine.aws.queues import Outgoing, QueueReader
from trine.clock import Clock
from trine.iam.access import Access
from trine.kv.store import Store
from trine.trace import TraceBook

if TYPE_CHECKING:
    from trine.events.eventbridge import EventBridge
    from trine.messaging.messaging import Messaging

_EVENT_KINDS = ("events:rule", "scheduler:schedule")
"""The catalogue's kinds of what runs by itself."""


class Eventing:
    """The lazy wings of one stack; a `Messenger`."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        clock: Clock,
        ids: Ids,
        access: Access,
        place: Place,
        traces: TraceBook,
        aws_url: str,
        charge: Charge = uncharged,
    ) -> None:
        self._charge = charge
        self._store, self._catalogue, self._clock, self._ids = store, catalogue, clock, ids
        self._access, self._place, self._traces = access, place, traces
        self.aws_url = aws_url
        """Where queue URLs of functions lead."""
        self.invoker: Invoker | None = None
        """Who runs functions; set once the function wing is there."""
        self._opened = False
        self.notes: list[str] = []
        """What of the template has no effect here, one line each."""

    @cached_property
    def messaging(self) -> Messaging:
        """Queues and topics."""
        from trine.messaging.message_store import MessageStore
        from trine.messaging.messaging import Messaging

        assert self.invoker is not None, "the function wing comes first"
        messages = MessageStore(self._store)
        return Messaging(
            messages,
            self._catalogue,
            self._clock,
            self._ids,
            self._access,
            self._place,
            self.invoker,
            self._charge,
        )

    @cached_property
    def eventbridge(self) -> EventBridge:
        """Buses, rules and schedules."""
        from trine.events.eventbridge import EventBridge

        assert self.invoker is not None, "the function wing comes first"
        made = EventBridge(self._catalogue, self._clock, self._ids, self._access, self._place, self.invoker, self,
                           self._charge)  # fmt: skip
        if self._opened:
            made.start()
        return made

    def all_notes(self) -> list[str]:
        """What of the template has no effect here, in all these wings."""
        return [*self.notes, *(self.eventbridge.notes if "eventbridge" in self.__dict__ else ())]

    def open(self) -> None:
        """Let schedules run, of the template and of earlier runs; needs the running event loop."""
        made = "eventbridge" in self.__dict__
        self._opened = True
        if made or any(next(self._catalogue.list(kind), None) is not None for kind in _EVENT_KINDS):
            wing = self.eventbridge
            if made:
                wing.start()

    async def close(self) -> None:
        """Stop what runs by itself."""
        if "eventbridge" in self.__dict__:
            await self.eventbridge.close()

    def queue_reader(self) -> QueueReader:
        """Queues for event source mappings."""
        return self.messaging.reader

    def send(self, message: Outgoing, actor: Actor) -> Future[Any]:
        """Hand a message to whoever owns its target."""
        if Arn.parse(message.target_arn).service == "events":
            return self.eventbridge.send(message, actor)
        return self.messaging.send(message, actor)

    def messages(self, arn: str) -> list[Mapping[str, Any]]:
        """What waits in a queue, or the latest that a topic took."""
        return self.messaging.messages(arn)
