"""What can be looked at in a running stack: one method for each view, a document each.

Enters the rest of the path and the query; leaves JSON values, a stream of log lines, or a whole response. Every view is
an action of its own (`trine:Explain`, …), so that the owner may let others see just one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trine.console.bills import BillViews
from trine.console.calls import BadCall, Calls
from trine.console.live import live
from trine.console.log_stream import LogStream, latest_events
from trine.console.pulse import Pulse
from trine.console.query import ACCEPT, BODY, NoSuchView, Query, number
from trine.console.requests import COUNT_MAX, summaries
from trine.console.scrape import scrape
from trine.console.sessions import Sessions
from trine.iam.rights import rights_of
from trine.logs.group import LogGroup
from trine.metering.usage import root_of
from trine.stack.stack import Stack

LOG_LINES_MAX = 10_000
SINCE_MAX_MS = 1 << 52
TRACES_MAX = 500
View = Callable[[str, Query], Any]
TAKES_BODY = frozenset({"bill", "usage", "projection", "call", "invoke", "try"})
"""Views that a POST may give a document to."""
CHANGES = frozenset({"call", "invoke", "try", "link", "logout"})
"""Views that do something: only a POST reaches them."""


class Views:
    """Everything the console shows of one stack, by name: the action it needs, and the view."""

    def __init__(self, stack: Stack, sessions: Sessions) -> None:
        self._stack, self._sessions = stack, sessions
        self._pulse = Pulse(stack.wings.clock)
        stack.wings.observing.collector.on_groups.append(self._pulse.take)
        calls = Calls(stack)
        self.by_name: Mapping[str, tuple[str, View]] = {
            "explain": ("trine:Explain", self._explain),
            "traces": ("trine:ListTraces", self._traces),
            "requests": ("trine:ListTraces", self._requests),
            "description": ("trine:Describe", lambda name, query: self._stack.description()),
            "logs": ("trine:ReadLogs", self._logs),
            "rights": ("trine:ReadRights", self._rights),
            "faults": ("trine:ReadFaults", self._faults),
            "pulse": ("trine:ReadMetrics", lambda name, query: self._look()),
            "environments": ("trine:Describe", self._environments),
            "live": ("trine:Describe", lambda name, query: live(stack)),
            "metrics": ("trine:ReadMetrics", lambda name, query: scrape(stack, query.get(ACCEPT, ""))),
            "call": ("trine:Call", lambda name, query: calls.call(_document(query))),
            "invoke": ("trine:Call", lambda name, query: calls.invoke(_document(query))),
            "try": ("trine:Call", lambda name, query: calls.try_route(_document(query))),
            "link": ("trine:OpenConsole", lambda name, query: {"url": self.new_link()}),
            **BillViews(stack.wings.observing, stack.wings.clock.now).views(),
        }

    def new_link(self) -> str:
        """The address that opens the console once."""
        return f"{self._stack.aws_url}/_trine/login?token={self._sessions.new_link()}"

    def _explain(self, request_id: str, query: Query) -> Any:
        trace = self._stack.wings.traces.find(request_id)
        if trace is None:
            raise NoSuchView(
                f"no request {request_id[:100]!r} is remembered; the latest requests of each service and the latest "
                "refusals are, until the stack ends: the console's page Requests lists them"
            )
        trace = root_of(trace)
        return {**trace.as_document(), "receipt": self._stack.wings.observing.receipt_document(trace)}

    def _rights(self, name: str, query: Query) -> Any:
        wings = self._stack.wings
        wings.access.keep_ledger()
        # What functions write to their logs goes another way than the Logs API: that right cannot be seen in use.
        observable = sorted({"execute-api", *wings.endpoints} - {"logs"})
        roles = [role.as_document() for role in rights_of(wings.access, observable)]
        return {"observable": observable, "roles": roles, "dropped": wings.access.ledger.dropped}

    def _faults(self, name: str, query: Query) -> Any:
        observing = self._stack.wings.observing
        observing.collector.drain()
        seen = observing.seen_faults
        return {"faults": [fault.as_document() for fault in seen.all()], "dropped": seen.dropped}

    def _traces(self, kind: str, query: Query) -> Any:
        count = number(query, "count", 50, TRACES_MAX)
        return {"traces": [trace.as_document() for trace in self._stack.wings.traces.latest(kind, count)]}

    def _requests(self, name: str, query: Query) -> Any:
        count = number(query, "count", 100, COUNT_MAX)
        return {"requests": summaries(self._stack.wings.traces, query, count)}

    def _look(self) -> Any:
        """The last minute of every part, with what stands behind it now."""
        wings = self._stack.wings
        wings.observing.collector.drain()
        levels = [
            {"table": table, "index": index, "storedBytes": stored, "readUnits": reads, "writeUnits": writes}
            for table, index, stored, reads, writes, _ in wings.dynamodb.regions.levels()
        ]
        environments = {
            entry.function.name: wings.functions.registry.describe_environments(entry.function.name)
            for entry in wings.functions.registry
        }
        alarms = [
            {"name": kept.alarm.name, "state": kept.state, "since": kept.transitioned_at, "reason": kept.reason}
            for kept in wings.cloudwatch.alarms.all()
        ]
        return {**self._pulse.look(), "levels": levels, "environments": environments, "alarms": alarms}

    def _environments(self, name: str, query: Query) -> Any:
        return {"environments": self._stack.wings.functions.registry.describe_environments(name)}

    def _logs(self, name: str, query: Query) -> Any:
        limit = number(query, "limit", 200, LOG_LINES_MAX)
        wanted, pattern = query.get("function"), query.get("filter", "")
        groups = self._stack.wings.logs.groups()
        logs = [log for log in groups if wanted in (None, log.group.rpartition("/")[2])]
        since_ms = number(query, "since", 0, SINCE_MAX_MS)
        if query.get("follow"):
            return LogStream(logs, limit, pattern, since_ms)
        return _events(logs, limit, pattern, since_ms)


async def _events(logs: Sequence[LogGroup], limit: int, pattern: str, since_ms: int) -> dict[str, Any]:
    return {"events": await latest_events(logs, limit, pattern, since_ms)}


def _document(query: Query) -> Mapping[str, Any]:
    """The JSON object in the body of a POST. BadCall when there is none."""
    try:
        document = json.loads(query.get(BODY) or "null")
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadCall("the body must be a JSON object")
    return document
