"""A lane: records of one part of a shard's keys, gathered into batches and processed one batch after the other.

Enters records in order, leaves invocations. A batch goes when it is full (by count or by 6 MB) or when the batching
window of its first record is over. With a tumbling window, a batch never crosses the border of windows, and each
window ends with an invocation of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from math import inf

from trine.awslambda.sources import limits
from trine.awslambda.sources.attempts import Attempts
from trine.awslambda.sources.mapping import Mapping
from trine.awslambda.sources.records import ENVELOPE_BYTES, Change, event_of
from trine.awslambda.sources.target import Target
from trine.awslambda.sources.window import Window, state_in, window_of
from trine.clock import Clock

WINDOW_MEMBERS_BYTES = 4_096
"""Room for the members of a tumbling window beside its state."""


class Lane:
    """One lane of a mapping."""

    def __init__(
        self,
        clock: Clock,
        mapping: Mapping,
        shard_id: str,
        target: Target,
        attempts: Attempts,
        window: Window | None,
        window_moved: Callable[[Window | None], None],
    ) -> None:
        self._clock = clock
        self._mapping = mapping
        self._shard_id = shard_id
        self._target = target
        self._attempts = attempts
        self._window = window
        self._window_moved = window_moved
        self._waiting: deque[tuple[float, Change]] = deque()
        """Each record with the time at which it came."""
        self._bytes = 0
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, change: Change) -> None:
        """One more record."""
        self._waiting.append((self._clock.now(), change))
        self._bytes += len(change.document) + 1
        self._news.set()

    async def run(self, taken: Callable[[], None]) -> None:
        """Process records for ever; `taken` is called whenever there is room for more."""
        while True:
            if not self._waiting:
                await self._idle()
                continue
            if self._window is not None and self._waiting[0][1].written_at >= self._window.end:
                await self._end_window(self._window)
            await self._fill()
            batch = self._take()
            taken()
            if self._mapping.tumbling_seconds:
                if batch:
                    await self._process_in_window(batch)
            else:
                await self._attempts.process(batch)

    async def _idle(self) -> None:
        """Wait for a record, or for the end of the open window, and end that."""
        window = self._window
        if window is None:
            await self._wait(None)
            return
        left = window.end - self._clock.now()
        if left > 0:
            await self._wait(left)
        if not self._waiting and self._clock.now() >= window.end:
            await self._end_window(window)

    async def _fill(self) -> None:
        """Wait until the batch is full or its batching window over."""
        while len(self._waiting) < self._mapping.batch_size and self._bytes < limits.PAYLOAD_MAX_BYTES:
            left = self._waiting[0][0] + self._mapping.window_seconds - self._clock.now()
            if left <= 0 or self._border() <= self._waiting[-1][1].written_at:
                return
            await self._wait(left)

    async def _wait(self, seconds: float | None) -> None:
        """Until there is news, or for `seconds` by the clock."""
        self._news.clear()
        if seconds is None:
            await self._news.wait()
            return
        timer = self._clock.call_later(seconds, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()

    def _take(self) -> list[Change]:
        room = limits.PAYLOAD_MAX_BYTES - ENVELOPE_BYTES
        length = self._mapping.tumbling_seconds
        if length:
            room -= WINDOW_MEMBERS_BYTES + limits.STATE_MAX_BYTES
        border = self._border()
        batch: list[Change] = []
        while self._waiting and len(batch) < self._mapping.batch_size:
            change = self._waiting[0][1]
            size = len(change.document) + 1
            if batch and (size > room or change.written_at >= border):
                break
            room -= size
            self._bytes -= size
            batch.append(change)
            self._waiting.popleft()
        return batch

    def _border(self) -> float:
        """Where the tumbling window of the first record ends; without windows nowhere."""
        length = self._mapping.tumbling_seconds
        return window_of(self._waiting[0][1].written_at, length).end if length else inf

    # -- tumbling windows --------------------------------------------------------------------------------------------

    async def _process_in_window(self, batch: list[Change]) -> None:
        wanted = window_of(batch[0].written_at, self._mapping.tumbling_seconds)
        if self._window is not None and self._window.start != wanted.start:
            await self._end_window(self._window)
        window = self._window = self._window or wanted

        def accept(payload: bytes) -> str | None:
            state = state_in(payload)
            if state is None:
                return "the answer has no state"
            window.state = state
            self._window_moved(window)
            return None

        await self._attempts.process(batch, lambda: self._members(window, final=False), accept)
        if window.is_full:
            await self._end_window(window, early=True)

    async def _end_window(self, window: Window, *, early: bool = False) -> None:
        """The last invocation of a window, until it succeeds; nothing else is processed meanwhile."""
        pause = limits.RETRY_FIRST_SECONDS
        event = event_of((), self._members(window, final=True, early=early))
        while not (await self._target.invoke(event)).succeeded:
            await self._clock.sleep(pause)
            pause = min(limits.RETRY_MAX_SECONDS, pause * 2)
        self._window = None
        self._window_moved(None)

    def _members(self, window: Window, *, final: bool, early: bool = False) -> bytes:
        return window.members(self._shard_id, self._mapping.source_arn, final=final, early=early)
