"""The operations of Logs Insights: queries begun, looked at, ended, and single events found again.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trine.aws.charges import Charge
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.logs.errors import InvalidParameter, ResourceNotFound
from trine.logs.group import LogGroup
from trine.logs.insights.parser import LIMIT_MAX_COUNT, parse_query
from trine.logs.insights.pointer import read_pointer
from trine.logs.insights.queries import Queries, Query, document, records
from trine.logs.store import LogStore

Given = Mapping[str, Any]
Output = dict[str, Any]
GROUPS_MAX_COUNT = 50
"""API reference, StartQuery: up to 50 log groups."""
PAGE = 1_000
"""API reference, DescribeQueries: maxResults."""


class QueryOperations:
    """The operations over one store. `named` finds the name of a group in a name or ARN."""

    def __init__(
        self, store: LogStore, account_id: str, clock: Clock, ids: Ids, charge: Charge, named: Callable[[str], str]
    ) -> None:
        self._store, self._account_id, self._clock, self._named = store, account_id, clock, named
        self._queries = Queries(clock, ids, account_id, charge)

    def operations(self) -> dict[str, Callable[[Given], Awaitable[Output]]]:
        """The operations by name."""
        return {
            "StartQuery": self._start,
            "GetQueryResults": self._results,
            "StopQuery": self._stop,
            "DescribeQueries": self._describe,
            "GetLogRecord": self._record,
        }

    def groups_of(self, given: Given) -> list[str]:
        """The names of the groups that a query is about. InvalidParameter unless they are given in one way."""
        ways = [given.get("logGroupName"), given.get("logGroupNames"), given.get("logGroupIdentifiers")]
        chosen = [way for way in ways if way]
        if len(chosen) != 1:
            raise InvalidParameter(
                "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be given with a query."
            )
        names = [chosen[0]] if isinstance(chosen[0], str) else list(chosen[0])
        if len(names) > GROUPS_MAX_COUNT:
            raise InvalidParameter(f"A query has at most {GROUPS_MAX_COUNT} log groups.")
        return list(dict.fromkeys(map(self._named, names)))

    async def _start(self, given: Given) -> Output:
        language = given.get("queryLanguage") or "CWLI"
        if language != "CWLI":
            raise InvalidParameter(f"The query language {language} is not built here; write the query in CWLI.")
        groups: list[LogGroup] = [self._store.find(name) for name in self.groups_of(given)]
        start, end = int(given["startTime"]), int(given["endTime"])
        if start > end:
            raise InvalidParameter("The start time of a query is not behind its end time.")
        query = given["queryString"]
        commands = parse_query(query, int(self._clock.now() * 1000))
        limit = int(given.get("limit") or LIMIT_MAX_COUNT)
        if not 1 <= limit <= LIMIT_MAX_COUNT:
            raise InvalidParameter(f"A query has a limit between 1 and {LIMIT_MAX_COUNT}.")
        # Both ends belong to the range ("The range is inclusive"), in seconds.
        return {"queryId": self._queries.start(groups, query, commands, start * 1000, (end + 1) * 1000, limit).id}

    async def _results(self, given: Given) -> Output:
        return document(self._queries.find(given["queryId"]))

    async def _stop(self, given: Given) -> Output:
        return {"success": self._queries.stop(given["queryId"])}

    async def _describe(self, given: Given) -> Output:
        group = given.get("logGroupName")
        wanted = None if group is None else self._named(group)
        found = [
            query
            for query in self._queries.all()
            if (wanted is None or wanted in query.groups) and given.get("status") in (None, query.status)
        ]
        token = str(given.get("nextToken") or "0")
        if not token.isdecimal() or len(token) > 6:
            raise InvalidParameter("The specified nextToken is invalid.")
        first, count = int(token), min(given.get("maxResults") or PAGE, PAGE)
        shown: Output = {"queries": [_shown(query) for query in found[first : first + count]]}
        return shown if first + count >= len(found) else {**shown, "nextToken": str(first + count)}

    async def _record(self, given: Given) -> Output:
        place = read_pointer(given["logRecordPointer"])
        group = self._store.find(place.group)
        events = await group.read(place.timestamp_ms, place.timestamp_ms + 1)
        for record in records([(place.group, events)], self._account_id):
            if record.number == place.number:
                fixed = {
                    "@message": record.message,
                    "@timestamp": str(record.event.timestamp_ms),
                    "@ingestionTime": str(record.event.ingested_ms or record.event.timestamp_ms),
                    "@logStream": record.event.stream,
                    "@log": f"{self._account_id}:{place.group}",
                }
                return {"logRecord": {**{name: str(value) for name, value in record.discovered().items()}, **fixed}}
        raise ResourceNotFound("The specified log record does not exist.")


def _shown(query: Query) -> Output:
    return {
        "queryLanguage": "CWLI",
        "queryId": query.id,
        "queryString": query.text,
        "status": query.status,
        "createTime": query.created_ms,
        "logGroupName": query.groups[0],
    }
