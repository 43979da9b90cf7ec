"""Getting a payload to a target: with whose rights, how often it is tried, and what is said when that was in vain.

Enters an errand, leaves an accepted event of a function, a message, or a dead letter. A function's event, a message
and a dead letter are durable once accepted; what waits for another attempt lives in memory. Sources: EventBridge user
guide, "Retry policy and using dead-letter queues"; Scheduler user guide, "Configuring a dead-letter queue".
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from trine.aws.actor import Actor
from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.invoke import Invoker, InvokeRequest, ServiceCaller
from trine.aws.queues import Messenger, Outgoing
from trine.clock import Clock
from trine.events import limits
from trine.events.target import Target
from trine.iam.acting import Acting

_LOGGER = logging.getLogger("trine.events")
PutEvent = Callable[[str, bytes, Actor], Awaitable[None]]
"""Puts an event onto another bus."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One payload for one target. `facts` are the attributes of its dead letter, without the error's."""

    target: Target
    payload: bytes
    actor: Actor
    facts: dict[str, str | int]


class Delivery:
    """Deliveries of one account."""

    def __init__(
        self, clock: Clock, place: Place, acting: Acting, invoker: Invoker, messenger: Messenger, put_event: PutEvent
    ) -> None:
        self._clock, self._place, self._acting = clock, place, acting
        self._invoker, self._messenger, self._put_event = invoker, messenger, put_event
        self._under_way: set[asyncio.Task[None]] = set()

    def start(self, errand: Errand) -> None:
        """Deliver in a task of its own."""
        task = asyncio.ensure_future(self._guarded(errand))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """End what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _guarded(self, errand: Errand) -> None:
        try:
            await self._deliver(errand)
        except Exception:
            # The last except of this task: nobody awaits it.
            _LOGGER.exception("an event for %s was lost", errand.target.arn)

    async def _deliver(self, errand: Errand) -> None:
        target, began = errand.target, self._clock.now()
        pause, attempts = limits.RETRY_FIRST_SECONDS, 0
        while True:
            try:
                await self._attempt(errand)
                return
            except AwsError as error:
                refused = error
            exhausted = _exhausted(target, refused, attempts, self._clock.now() + pause - began)
            if exhausted is not None or len(self._under_way) > limits.PENDING_MAX:
                await self._bury(errand, refused, attempts, exhausted or "")
                return
            attempts += 1
            await self._clock.sleep(pause)
            pause = min(limits.RETRY_MAX_SECONDS, pause * 2)

    async def _attempt(self, errand: Errand) -> None:
        target, actor = errand.target, errand.actor
        service = target.service
        if service == "lambda":
            await self._invoke(target.arn, errand.payload, actor)
        elif service == "events":
            await self._put_event(target.arn, errand.payload, actor)
        else:
            await self._messenger.send(Outgoing(target.arn, errand.payload.decode(), group_id=target.group_id), actor)

    def _invoke(self, arn: str, payload: bytes, actor: Actor) -> Future[Any]:
        caller = None
        if actor.role_arn is None:
            caller = ServiceCaller(actor.service, actor.source_arn, self._place.account_id)
        else:
            self._acting.authorize(actor, "lambda:InvokeFunction", arn)
        return self._invoker.invoke(InvokeRequest(arn, payload, "Event", caller=caller, source=actor.source_arn))

    async def _bury(self, errand: Errand, error: AwsError, attempts: int, condition: str) -> None:
        letter = errand.target.dead_letter_arn
        _LOGGER.warning("%s could not be reached: %s", errand.target.arn, error.message)
        if letter is None:
            return
        facts: dict[str, str | int] = {
            **errand.facts,
            "ERROR_CODE": _code(error),
            "ERROR_MESSAGE": error.message[:1024],
        }
        if condition:
            facts |= {"EXHAUSTED_RETRY_CONDITION": condition, "RETRY_ATTEMPTS": attempts}
        try:
            await self._messenger.send(Outgoing(letter, errand.payload.decode(), facts), errand.actor)
        except AwsError as refused:
            _LOGGER.warning("nor its dead-letter queue %s: %s", letter, refused.message)


def _exhausted(target: Target, error: AwsError, attempts: int, age_seconds: float) -> str | None:
    """Why there is no other attempt: a condition, an empty text when another one would not help; None: there is one."""
    if error.status < 500 and error.status != 429:
        return ""
    if attempts >= target.retries:
        return "MaximumRetryAttempts"
    return "MaximumEventAgeInSeconds" if age_seconds > target.age_seconds else None


def _code(error: AwsError) -> str:
    if "AccessDenied" in error.code:
        return "NO_PERMISSIONS"
    return "NO_RESOURCE" if error.status == 404 or "NotExist" in error.code else error.code
