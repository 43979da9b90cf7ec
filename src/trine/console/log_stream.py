"""Log lines for a reader: the latest ones, those of earlier runs among them, and after them each new one as it comes.

Enters the functions' logs, leaves JSON lines. The queue between a busy function and a slow reader is bounded; what
does not fit is counted and told, never waited for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice
from typing import Any

from trine.logs.event import LogEvent
from trine.logs.group import LogGroup
from trine.logs.pattern import compile_pattern
from trine.logs.pattern_term import Predicate

QUEUE_MAX = 10_000


async def latest_events(logs: Sequence[LogGroup], limit: int, pattern: str, since_ms: int = 0) -> list[dict[str, Any]]:
    """The last `limit` events from `since_ms` on that a filter pattern lets through, over all `logs`, oldest first.

    Raises InvalidPattern.
    """
    return _shown(await _latest(logs, limit, compile_pattern(pattern), since_ms), limit)


_Found = list[tuple[LogEvent, str]]


async def _latest(logs: Sequence[LogGroup], limit: int, matches: Predicate, since_ms: int) -> _Found:
    """The latest events of each log, and what came while files were read."""
    found: _Found = []
    late: _Found = []
    stops: list[Callable[[], None]] = []

    def note(log: LogGroup) -> Callable[[LogEvent], None]:
        return lambda event: late.append((event, log.group)) if matches(event.message) else None

    try:
        for log in logs:
            reading = log.latest(limit, since_ms, matches)
            stops.append(log.follow(note(log)))
            found += [(event, log.group) for event in await reading]
    finally:
        for stop in stops:
            stop()
    return found + late


def _shown(found: _Found, limit: int) -> list[dict[str, Any]]:
    return [_document(event, group) for event, group in sorted(found, key=_when)[-limit:]]


class LogStream:
    """The events of some logs as an endless body."""

    def __init__(self, logs: Sequence[LogGroup], limit: int, pattern: str, since_ms: int = 0) -> None:
        self._logs, self._limit, self._since_ms = logs, limit, since_ms
        self._matches = compile_pattern(pattern)
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE_MAX)
        self._dropped = 0

    async def lines(self) -> AsyncIterator[bytes]:
        """JSON lines, one an event; ends when its reader does."""
        found = await _latest(self._logs, self._limit, self._matches, self._since_ms)
        stops = [log.follow(self._follower(log.group)) for log in self._logs]
        try:
            for document in _shown(found, self._limit):
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
