"""The door for `trine explain`, `logs`, `invoke` and whoever watches: JSON documents below `/_trine/`.

Enters a request signed for the service `trine`, leaves a document about the running stack. Every view is an action
of its own (`trine:Explain`, …) on the stack's ARN, so that only the owner, or whom the owner allows, sees anything.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from trine.aws.errors import AwsError
from trine.console.bills import BODY, BillViews
from trine.console.log_stream import LogStream, latest_events
from trine.console.scrape import basic_caller, scrape
from trine.http.message import Request, Response
from trine.iam.rights import rights_of
from trine.metering.usage import root_of
from trine.stack.stack import Stack

LOG_LINES_MAX = 10_000
TRACES_MAX = 500
TAKES_BODY = frozenset({"bill", "usage", "projection"})
"""Views that a POST may give a document to; everything else is only read."""
_log = logging.getLogger("trine.console")
Query = Mapping[str, str]


class NoSuchView(AwsError):
    """The path names nothing that can be shown."""

    code = "ResourceNotFoundException"
    status = 404


class BadQuery(AwsError):
    """A query parameter has a value that it cannot have."""

    code = "ValidationException"
    status = 400


class ConsoleDoor:
    """Answers below `/_trine/`."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._views: dict[str, tuple[str, Callable[[str, Query], Any]]] = {
            "explain": ("trine:Explain", self._explain),
            "traces": ("trine:ListTraces", self._traces),
            "description": ("trine:Describe", lambda name, query: self._stack.description()),
            "logs": ("trine:ReadLogs", self._logs),
            "rights": ("trine:ReadRights", self._rights),
            "faults": ("trine:ReadFaults", self._faults),
        }
        self._views["metrics"] = ("trine:ReadMetrics", lambda name, query: scrape(stack))
        bills = BillViews(stack.wings.observing, stack.wings.clock.now)
        self._views.update(bills.views())

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """One document, or an error in AWS's shape."""
        try:
            shown = self._show(request)
        except Exception as fault:
            return _failed(fault, request)
        return self._later(shown, request) if isinstance(shown, Awaitable) else _shown(shown)

    async def _later(self, showing: Awaitable[Any], request: Request) -> Response:
        try:
            return _shown(await showing)
        except Exception as fault:
            return _failed(fault, request)

    def _show(self, request: Request) -> Any:
        view, _, name = request.path.removeprefix(b"/_trine/").decode("latin-1").partition("/")
        posted = request.method == "POST" and view in TAKES_BODY
        if view not in self._views or not (posted or request.method == "GET"):
            raise NoSuchView(f"there is no view {view!r}; there are: {', '.join(self._views)}")
        action, show = self._views[view]
        access = self._stack.wings.access
        caller = basic_caller(request, access) if view == "metrics" else None
        if caller is None:
            caller = access.authenticate(request, "trine")
        access.authorize(caller, action, self._stack.arn)
        query = dict(parse_qsl(request.query.decode("latin-1"), keep_blank_values=True))
        if posted:
            query[BODY] = request.body.decode("utf-8", "replace")
        return show(unquote(name), query)

    def _explain(self, request_id: str, query: Query) -> Any:
        trace = self._stack.wings.traces.find(request_id)
        if trace is None:
            raise NoSuchView(
                f"no request {request_id[:100]!r} is remembered; the latest requests of each service and the latest "
                "refusals are, until the stack ends"
            )
        trace = root_of(trace)
        return {**trace.as_document(), "receipt": self._stack.wings.observing.receipt(trace).as_document()}

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
        count = _number(query, "count", 50, TRACES_MAX)
        return {"traces": [trace.as_document() for trace in self._stack.wings.traces.latest(kind, count)]}

    def _logs(self, name: str, query: Query) -> Any:
        limit = _number(query, "limit", 200, LOG_LINES_MAX)
        wanted, pattern = query.get("function"), query.get("filter", "")
        groups = self._stack.wings.functions.machinery.log_store.groups()
        logs = [log for log in groups if wanted in (None, _function_of(log.group))]
        if query.get("follow"):
            return LogStream(logs, limit, pattern)
        return {"events": latest_events(logs, limit, pattern)}


def _function_of(group: str) -> str:
    return group.rpartition("/")[2]


def _number(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or len(text) > 19 or int(text) > most:
        raise BadQuery(f"{name} must be a whole number of at most {most}, not {text[:40]!r}")
    return int(text)


def _shown(shown: Any) -> Response:
    if isinstance(shown, Response):
        return shown
    if isinstance(shown, LogStream):
        return Response(200, [(b"Content-Type", b"application/x-ndjson")], shown.lines())
    return _answer(200, shown)


def _failed(fault: Exception, request: Request) -> Response:
    if isinstance(fault, AwsError):
        return _answer(fault.status, {"__type": fault.code, "message": fault.message})
    _log.error("the console failed at %r", request.path, exc_info=fault)
    return _answer(500, {"__type": "InternalFailure", "message": "the console failed; the server's log says how"})


def _answer(status: int, document: Any) -> Response:
    body = json.dumps(document, default=str).encode()
    return Response(status, [(b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store")], body)
