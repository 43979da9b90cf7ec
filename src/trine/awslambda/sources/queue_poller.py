"""The poller of one queue mapping: receives messages, gathers batches, deletes what was processed.

Enters a mapping, leaves a running task until `close`. A batch that failed is left alone: its messages become visible
again after the queue's visibility timeout, and the queue's redrive policy decides when that is enough. Source:
developer guide, "Using Lambda with Amazon SQS".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import orjson

from trine.aws.errors import AwsError
from trine.aws.queues import QueueReader, Received
from trine.awslambda.sources import limits
from trine.awslambda.sources.answer import item_failures
from trine.awslambda.sources.mapping import Mapping
from trine.awslambda.sources.records import ENVELOPE_BYTES
from trine.awslambda.sources.target import FAILED, Target
from trine.clock import Clock

_LOGGER = logging.getLogger(__name__)


class QueuePoller:
    """One mapping at work."""

    def __init__(self, clock: Clock, mapping: Mapping, reader: QueueReader, target: Target) -> None:
        self._clock = clock
        self._mapping = mapping
        self._reader = reader
        self._target = target
        self._news = asyncio.Event()
        self._news.set()
        self._batches: set[asyncio.Task[None]] = set()
        self._busy_since = clock.now()
        self._stop_watching = reader.watch(mapping.source_arn, self._news.set)
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Stop; messages under way come back after their visibility timeout."""
        self._stop_watching()
        tasks = [self._task, *self._batches]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                self._reader.permit(self._target.actor(), self._mapping.source_arn)
                while len(self._batches) < self._concurrency():
                    batch = await self._gather()
                    if not batch:
                        break
                    self._start(batch)
            except AwsError as error:
                self._target.last_result = f"PROBLEM: {error.message}"
                _LOGGER.warning("%s cannot be read: %s", self._mapping.source_arn, error.message)
                await self._clock.sleep(limits.RETRY_MAX_SECONDS)
                self._news.set()
            except Exception:
                # The last except of this task: nobody awaits it.
                _LOGGER.exception("reading %s failed", self._mapping.source_arn)
                await self._clock.sleep(limits.RETRY_MAX_SECONDS)
                self._news.set()

    def _concurrency(self) -> int:
        """Batches at once: what was set, else five and five more each second while there is work."""
        if self._mapping.max_concurrency is not None:
            return self._mapping.max_concurrency
        if not self._batches:
            self._busy_since = self._clock.now()
        grown = int(self._clock.now() - self._busy_since) * limits.QUEUE_CONCURRENCY_FIRST
        if grown < limits.QUEUE_CONCURRENCY_MAX and len(self._batches) >= limits.QUEUE_CONCURRENCY_FIRST + grown:
            self._clock.call_later(1, self._news.set)
        return min(limits.QUEUE_CONCURRENCY_FIRST + grown, limits.QUEUE_CONCURRENCY_MAX)

    async def _gather(self) -> list[Received]:
        """The next batch: what is there, and with a batching window what comes until it is full or time is up."""
        batch: list[Received] = []
        room = limits.PAYLOAD_MAX_BYTES - ENVELOPE_BYTES
        deadline: float | None = None
        while True:
            full = await self._receive_into(batch, room - sum(message.size_bytes + 1 for message in batch))
            if full or not batch:
                return batch
            deadline = deadline or self._clock.now() + self._mapping.window_seconds
            left = deadline - self._clock.now()
            if left <= 0:
                return batch
            timer = self._clock.call_later(left, self._news.set)
            self._news.clear()
            try:
                await self._news.wait()
            finally:
                timer.cancel()

    async def _receive_into(self, batch: list[Received], room: int) -> bool:
        """Add what is visible; whether the batch is full. What no filter lets through is deleted, as on AWS."""
        while len(batch) < self._mapping.batch_size:
            wanted = min(10, self._mapping.batch_size - len(batch))
            if batch and room < limits.MESSAGE_ROOM_BYTES:
                return True
            page = self._reader.receive(self._mapping.source_arn, wanted, room)
            if not page:
                return False
            dropped = []
            for message in page:
                if self._passes(message):
                    batch.append(message)
                    room -= message.size_bytes + 1
                else:
                    dropped.append(message)
            if dropped:
                await self._reader.delete(self._mapping.source_arn, dropped)
        return True

    def _passes(self, message: Received) -> bool:
        if not self._mapping.patterns:
            return True
        shown = filterable(message.record)
        return any(pattern.matches(shown[isinstance(pattern.fields.get("body"), dict)]) for pattern in
                   self._mapping.patterns)  # fmt: skip

    def _start(self, batch: Sequence[Received]) -> None:
        task = asyncio.ensure_future(self._process(batch))
        self._batches.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        self._news.set()
        if not task.cancelled() and task.exception() is not None:
            _LOGGER.error("a batch of %s failed", self._mapping.source_arn, exc_info=task.exception())

    async def _process(self, batch: Sequence[Received]) -> None:
        records = [message.record for message in batch]
        if self._mapping.window_seconds:  # recorded on AWS: these name the sum of no attributes, too
            records = [{"md5OfMessageAttributes": None, **record} for record in records]
        event = b'{"Records":[' + b",".join(map(orjson.dumps, records)) + b"]}"
        invoked = await self._target.invoke(event)
        if not invoked.succeeded or invoked.response is None:
            return
        done = list(batch)
        if self._mapping.report_failures:
            verdict = item_failures(invoked.response.payload, [message.message_id for message in batch])
            if verdict.complete or verdict.failed:
                self._target.last_result = FAILED
            failed = set(range(len(batch))) if verdict.complete else set(verdict.failed)
            done = [message for place, message in enumerate(batch) if place not in failed]
        if done:
            await self._reader.delete(self._mapping.source_arn, done)


def filterable(record: Any) -> tuple[Any, Any]:
    """A record for patterns: with its body as text, and with its body as JSON (where it is none: a body that no pattern
    of JSON fields matches). Developer guide, "Properly filtering Amazon SQS messages".
    """
    try:
        parsed = orjson.loads(record["body"])
    except orjson.JSONDecodeError:
        return record, {name: value for name, value in record.items() if name != "body"} | {"body": None}
    return record, {**record, "body": parsed}
