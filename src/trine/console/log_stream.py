"""Log lines for a reader: the latest ones, and after them each new one as it comes.

Enters the functions' logs, leaves JSON lines. The queue between a busy function and a slow reader is bounded; what
does not fit is counted and told, never waited for.
"""

from __future__ import annotations

import asyncio
import heapq
import json
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice
from typing import Any

from trine.logs.event import LogEvent
from trine.logs.group import LogGroup
from trine.logs.pattern import compile_pattern

QUEUE_MAX = 10_000


def latest_events(logs: Sequence[LogGroup], limit: int, pattern: str) -> list[dict[str, Any]]:
    """The last `limit` events that a filter pattern lets through, over all `logs`, the oldest first.

    Raises InvalidPattern.
    """
    matches = compile_pattern(pattern)
    merged = heapq.merge(*([(event, log.group) for event in log.events()] for log in logs), key=_when)
    matching = [_document(event, group) for event, group in merged if matches(event.message)]
    return matching[-limit:]


class LogStream:
    """The events of some logs as an endless body."""

    def __init__(self, logs: Sequence[LogGroup], limit: int, pattern: str) -> None:
        self._logs, self._limit, self._pattern = logs, limit, pattern
        self._matches = compile_pattern(pattern)
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE_MAX)
        self._dropped = 0

    async def lines(self) -> AsyncIterator[bytes]:
        """JSON lines, one an event; ends when its reader does."""
        stops = [log.follow(self._follower(log.group)) for log in self._logs]
        try:
            for document in latest_events(self._logs, self._limit, self._pattern):
                yield _line(document)
            while True:
                batch = [await self._queue.get()]
                batch += [self._queue.get_nowait() for _ in islice(range(self._queue.qsize()), 500)]
                if self._dropped:
                    batch.append({**batch[-1], "message": f"[{self._dropped} lines came too quickly and are left out]"})
                    self._dropped = 0
                yield b"".join(map(_line, batch))
        finally:
            for stop in stops:
                stop()

    def _follower(self, group: str) -> Callable[[LogEvent], None]:
        def take(event: LogEvent) -> None:
            if self._matches(event.message):
                try:
                    self._queue.put_nowait(_document(event, group))
                except asyncio.QueueFull:
                    self._dropped += 1

        return take


def _when(entry: tuple[LogEvent, str]) -> int:
    return entry[0].timestamp_ms


def _document(event: LogEvent, group: str) -> dict[str, Any]:
    return {
        "timestamp": event.timestamp_ms,
        "function": group.rpartition("/")[2],
        "stream": event.stream,
        "requestId": event.request_id,
        "message": event.message,
    }


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"
