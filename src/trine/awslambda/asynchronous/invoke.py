"""Asynchronous invocation: events kept until they are done, tried again with AWS's delays, and told to a destination.

Enters an accepted event; it is durable before its caller hears 202. Leaves invocations, and for each event one outcome:
success, retries exhausted, or too old. After a restart what was not finished goes on: at least once, as on AWS.
"""

from __future__ import annotations

import logging
from asyncio import Future
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from trine.aws.errors import AwsError
from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.awslambda import limits
from trine.awslambda.asynchronous.event import AsyncEvent, EventConfig, Outcome
from trine.awslambda.asynchronous.store import EventStore
from trine.awslambda.errors import TooManyRequests
from trine.clock import Clock, Timer

_LOGGER = logging.getLogger(__name__)


class AsyncInvoker:
    """The queue of one service."""

    def __init__(
        self,
        clock: Clock,
        store: EventStore,
        run: Callable[[AsyncEvent], Future[InvokeResponse]],
        config_of: Callable[[AsyncEvent], EventConfig],
        tell: Callable[[AsyncEvent, EventConfig, Outcome], Sequence[Future[Any]]],
    ) -> None:
        self._clock = clock
        self._store = store
        self._run = run
        self._config_of = config_of
        self._tell = tell
        self._due: deque[AsyncEvent] = deque()
        self._in_flight = 0
        self._timers: dict[str, Timer] = {}
        self._count = 0
        self._closed = False

    @property
    def pending(self) -> int:
        """Events that are not finished."""
        return self._count

    def start(self) -> None:
        """Go on with what an earlier run left unfinished; needs the running event loop."""
        for event in self._store.load():
            self._count += 1
            self._schedule(event)

    def event_for(self, request: InvokeRequest, name: str, qualifier: str | None, request_id: str) -> AsyncEvent:
        """The event of a request. TooManyRequests when the queue is full."""
        if self._count >= limits.ASYNC_EVENTS_MAX:
            raise TooManyRequests("CallerRateLimitExceeded")
        now = self._clock.now()
        return AsyncEvent(
            request_id,
            name,
            qualifier,
            request.payload or b"{}",
            request.client_context,
            request.trace_header,
            now,
            next_at=now,
            source=request.source,
        )

    def put(self, event: AsyncEvent) -> Future[None]:
        """Keep `event` and run it as soon as it is durable; resolves then."""
        self._count += 1
        stored = self._store.put(event)
        stored.add_done_callback(lambda done: self._stored(event, done))
        return stored

    def _stored(self, event: AsyncEvent, done: Future[None]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._count -= 1
        else:
            self._schedule(event)

    def _schedule(self, event: AsyncEvent) -> None:
        delay_seconds = event.next_at - self._clock.now()
        if delay_seconds > 0:
            self._timers[event.request_id] = self._clock.call_later(delay_seconds, self._ripe, event)
        else:
            self._ripe(event)

    def _ripe(self, event: AsyncEvent) -> None:
        self._timers.pop(event.request_id, None)
        self._due.append(event)
        self._start_due()

    def _start_due(self) -> None:
        while self._due and self._in_flight < limits.ASYNC_IN_FLIGHT_MAX and not self._closed:
            event = self._due.popleft()
            config = self._config_of(event)
            if self._clock.now() - event.accepted_at > config.age_seconds:
                self._finish(event, config, Outcome("EventAgeExceeded", event.attempts, None))
                continue
            self._in_flight += 1
            self._run(event).add_done_callback(lambda done, event=event: self._ran(event, done))  # type: ignore[misc]

    def _ran(self, event: AsyncEvent, done: Future[InvokeResponse]) -> None:
        self._in_flight -= 1
        if self._closed or done.cancelled():
            return  # stays in the store; the next start goes on with it
        config = self._config_of(event)
        error = done.exception()
        if error is not None:
            self._not_run(event, config, error)
        else:
            response = done.result()
            event = replace(event, attempts=event.attempts + 1, throttles=0)
            if response.function_error is None:
                self._finish(event, config, Outcome("Success", event.attempts, response))
            elif event.attempts > config.retries:
                self._finish(event, config, Outcome("RetriesExhausted", event.attempts, response))
            else:
                self._again(event, limits.ASYNC_RETRY_SECONDS[event.attempts - 1])
        self._start_due()

    def _not_run(self, event: AsyncEvent, config: EventConfig, error: BaseException) -> None:
        # Throttled, or our own fault: tried again with growing pauses until it is too old. Anything else is final.
        if isinstance(error, AwsError) and (error.status == 429 or error.status >= 500):
            pause = min(limits.ASYNC_BACKOFF_MAX_SECONDS, 2.0**event.throttles)
            self._again(replace(event, throttles=event.throttles + 1), pause)
        else:
            _LOGGER.warning("event %s for %s was dropped: %s", event.request_id, event.function, error)
            self._finish(event, config, Outcome("RetriesExhausted", event.attempts, None))

    def _again(self, event: AsyncEvent, pause_seconds: float) -> None:
        event = replace(event, next_at=self._clock.now() + pause_seconds)
        self._store.put(event).add_done_callback(_told_when_failed)
        self._schedule(event)

    def _finish(self, event: AsyncEvent, config: EventConfig, outcome: Outcome) -> None:
        """Tell the destinations, and forget the event once they have it: a crash in between tells them again."""
        self._count -= 1
        left = set(self._tell(event, config, outcome))
        if not left:
            self._store.remove(event).add_done_callback(_told_when_failed)
            return

        def told(done: Future[Any]) -> None:
            left.discard(done)
            if not left:
                self._store.remove(event).add_done_callback(_told_when_failed)

        for future in tuple(left):
            future.add_done_callback(told)

    def close(self) -> None:
        """Stop; what is unfinished stays stored."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


def _told_when_failed(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _LOGGER.error("the state of an asynchronous event could not be stored: %s", error)
