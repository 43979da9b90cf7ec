"""Queues over a store in memory, on a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.kv.memory import MemoryStore
from trine.messaging.live_queue import Delivery, Draft, LiveQueue, Sent
from trine.messaging.message_store import MessageStore
from trine.messaging.queues import Queues


class Scene:
    """Queues, and what tests do with them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        self.open()

    def open(self) -> None:
        """Read everything from the store, as a start does."""
        self.queues = Queues(MessageStore(self.store), DocumentCatalogue(self.store), self.clock, SeededIds(7), Place())

    async def make(self, name: str = "q", **attributes: str) -> LiveQueue:
        if name.endswith(".fifo"):
            attributes["FifoQueue"] = "true"
        return await self.queues.create(name, attributes, {})

    async def send(self, live: LiveQueue, *bodies: str, group: str | None = None, **members: Any) -> list[Sent]:
        key = members.pop("key", None)
        drafts = [
            Draft(body, "sender", group_id=group, deduplication_id=key or (body if group else None), **members)
            for body in bodies
        ]
        return [await self.queues.send(live, draft) for draft in drafts]

    def receive(self, live: LiveQueue, limit: int = 10, timeout: int | None = None) -> list[Delivery]:
        return self.queues.receive(live, limit, timeout)

    def bodies(self, live: LiveQueue, limit: int = 10, timeout: int | None = None) -> list[str]:
        return [one.message.body for one in self.receive(live, limit, timeout)]


def played(scene: Callable[[], Any]) -> Callable[[], None]:
    """Run an async test."""

    def test() -> None:
        asyncio.run(scene())

    test.__name__, test.__doc__ = scene.__name__, scene.__doc__
    return test
