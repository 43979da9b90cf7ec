"""Log lines for a reader: the latest ones, those of earlier runs among them, and after them each new one as it comes.

Enters the functions' logs, leaves JSON lines. The queue between a busy function and a slow reader is bounded; what
does not fit is counted and told, never waited for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from trine.logs.event import LogEvent
from trine.logs.group import LogGroup
from trine.logs.pattern import compile_pattern
from trine.logs.pattern_term import Predicate

QUEUE_MAX = 10_000


async def latest_events(logs: Sequence[LogGroup], limit: int, pattern: str, since_ms: int = 0) -> list[dict[str, Any]]:
    """The last `limit` events from `since_ms` on that a filter pattern lets through, over all `logs`, oldest first.

    Raises InvalidPattern.
    """
    matches = compile_pattern(pattern)
    return _latest(await _reach_back(logs, limit, matches, since_ms), limit, matches)


class _Reached(NamedTuple):
    # What the files of one log gave, and from when on its memory has the rest (milliseconds).
    log: LogGroup
    earlier: list[LogEvent]
    rest_from_ms: int


async def _reach_back(logs: Sequence[LogGroup], limit: int, matches: Predicate, since_ms: int) -> list[_Reached]:
    # Files are read only of logs that have too little in memory.
    reached: list[_Reached] = []
    for log in logs:
        if sum(1 for event in log.events(since_ms) if matches(event.message)) >= limit:
            reached.append(_Reached(log, [], since_ms))
        else:
            earlier = [event for event in await log.earlier(since_ms) if matches(event.message)][-limit:]
            reached.append(_Reached(log, earlier, max(since_ms, log.in_memory_from_ms)))
    return reached


def _latest(reached: list[_Reached], limit: int, matches: Predicate) -> list[dict[str, Any]]:
    found: list[tuple[LogEvent, str]] = []
    for log, earlier, rest_from_ms in reached:
        rest = (event for event in log.events(rest_from_ms) if matches(event.message))
        found += [(event, log.group) for event in chain(earlier, rest)]
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
        reached = await _reach_back(self._logs, self._limit, self._matches, self._since_ms)
        stops = [log.follow(self._follower(log.group)) for log in self._logs]
        try:
            for document in _latest(reached, self._limit, self._matches):
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
