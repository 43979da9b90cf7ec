"""What was asked of Logs Insights, and what was found: queries run beside everything else, their results are kept.

Enters groups, commands and a span of time; leaves an id at once and results later. Kept in memory, by number and by
bytes; the oldest that has ended goes first, and a restart forgets all.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from trine.aws.charges import Charge
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.logs.errors import LimitExceeded, ResourceNotFound
from trine.logs.event import LogEvent
from trine.logs.group import LogGroup
from trine.logs.insights.breath import Breath, TimedOut
from trine.logs.insights.command import Command
from trine.logs.insights.record import Record
from trine.logs.insights.run import Found, TooManyGroups, run
from trine.logs.reading import Place, placed

_log = logging.getLogger(__name__)
RUNNING_MAX_COUNT = 100
"""Quotas: queries of one account at the same time."""
KEPT_MAX_COUNT = 1_000
RESULTS_MAX_BYTES = 64 * 1024 * 1024
"""Results that are kept, of all queries together. Trine's own bound; AWS keeps them for seven days."""


@dataclass(slots=True)
class Query:
    """One query."""

    id: str
    text: str
    groups: Sequence[str]
    created_ms: int
    status: str = "Running"
    found: Found = field(default_factory=lambda: Found([], 0, 0, 0))
    size_bytes: int = 0
    """Of its results."""
    task: asyncio.Task[None] | None = None


class Queries:
    """The queries of one account and region."""

    def __init__(self, clock: Clock, ids: Ids, account_id: str, charge: Charge) -> None:
        self._clock, self._ids, self._account_id, self._charge = clock, ids, account_id, charge
        self._queries: dict[str, Query] = {}

    def start(
        self, groups: Sequence[LogGroup], text: str, commands: Sequence[Command], start_ms: int, end_ms: int, limit: int
    ) -> Query:
        """Begin a query over the events from `start_ms` up to, not including, `end_ms`. LimitExceeded."""
        if sum(query.status == "Running" for query in self._queries.values()) >= RUNNING_MAX_COUNT:
            raise LimitExceeded(f"Account maximum query concurrency limit of [{RUNNING_MAX_COUNT}] reached.")
        names = [group.group for group in groups]
        query = Query(self._ids.uuid(), text, names, int(self._clock.now() * 1000))
        self._queries[query.id] = query
        self._forget()
        query.task = asyncio.ensure_future(self._run(query, groups, commands, start_ms, end_ms, limit))
        return query

    def find(self, query_id: str) -> Query:
        """A query. ResourceNotFound."""
        found = self._queries.get(query_id)
        if found is None:
            raise ResourceNotFound(f"The specified query id {query_id[:100]} does not exist.")
        return found

    def stop(self, query_id: str) -> bool:
        """End a query; False when it had ended. ResourceNotFound."""
        query = self.find(query_id)
        if query.status != "Running" or query.task is None:
            return False
        query.status = "Cancelled"
        query.task.cancel()
        return True

    def all(self) -> list[Query]:
        """Every query that is known, the newest first."""
        return list(reversed(self._queries.values()))

    async def _run(
        self, query: Query, groups: Sequence[LogGroup], commands: Sequence[Command], start: int, end: int, limit: int
    ) -> None:
        breath = Breath(self._clock)
        try:
            read = [(group.group, await group.read(start, end)) for group in groups]
            query.found = await run(commands, records(read, self._account_id), limit, breath)
            query.status = "Complete"
        except asyncio.CancelledError:
            query.status = "Cancelled"
        except TimedOut:
            query.status = "Timeout"
        except TooManyGroups as fault:
            _log.warning("the query %s failed: %s", query.id, fault)
            query.status = "Failed"
        except Exception:
            # The last except of this task: nobody awaits it.
            _log.exception("the query %s failed", query.id)
            query.status = "Failed"
        query.task = None
        query.size_bytes = sum(len(part["value"]) + len(part["field"]) for row in query.found.rows for part in row)
        self._charge("logs", {"requests": 1, "scannedBytes": query.found.bytes_scanned})
        self._forget()

    def _forget(self) -> None:
        held = sum(query.size_bytes for query in self._queries.values())
        for query in list(self._queries.values())[:-1]:  # never the newest
            if len(self._queries) <= KEPT_MAX_COUNT and held <= RESULTS_MAX_BYTES:
                return
            if query.status != "Running":
                held -= query.size_bytes
                del self._queries[query.id]


def records(read: Sequence[tuple[str, Sequence[LogEvent]]], account_id: str) -> Iterator[Record]:
    """The events of groups as records, the newest first."""
    if len(read) == 1:
        ((group, events),) = read
        return _newest_first(group, events, account_id)
    return heapq.merge(
        *[_newest_first(group, events, account_id) for group, events in read],
        key=lambda record: -record.event.timestamp_ms,
    )


def _newest_first(group: str, events: Sequence[LogEvent], account_id: str) -> Iterator[Record]:
    numbered: list[tuple[Place, LogEvent]] = list(placed(events))
    return (Record(event, group, account_id, place[1]) for place, event in reversed(numbered))


def document(query: Query) -> dict[str, Any]:
    """As GetQueryResults answers it."""
    found = query.found
    return {
        "queryLanguage": "CWLI",
        "results": found.rows,
        "statistics": {
            "recordsMatched": float(found.matched),
            "recordsScanned": float(found.scanned),
            "bytesScanned": float(found.bytes_scanned),
            "estimatedRecordsSkipped": 0.0,
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(len(query.groups)),
        },
        "status": query.status,
    }
