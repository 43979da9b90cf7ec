"""The doors of EventBridge (JSON) and of its Scheduler (rest-json): every call authenticated and authorized.

Corridor: signature → operation and input → policy → rules or schedules → answer. Enters `http.Request`, leaves
`http.Response`; it never raises.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol import ServiceModel
from trine.events import events_operations, scheduler_operations
from trine.events.eventbridge import EventBridge
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.caller import Caller
from trine.iam.errors import AccessDenied
from trine.trace import Trace, TraceBook

_LOGGER = logging.getLogger("trine.events")
Service = Literal["events", "scheduler"]
Given = Mapping[str, Any]


class _Api(NamedTuple):
    """One of the two APIs, as data."""

    run: Mapping[str, Callable[[EventBridge, Given], Awaitable[dict[str, Any]]]]
    resources: Callable[[EventBridge, str, Given], list[str]]


def _api(service: Service) -> _Api:
    if service == "events":
        turn: Any = events_operations.Turn
        operations: Mapping[str, Any] = events_operations.OPERATIONS
        resources = events_operations.resources_of
    else:
        turn, operations = scheduler_operations.Turn, scheduler_operations.OPERATIONS
        resources = scheduler_operations.resources_of

    def runner(run: Any) -> Callable[[EventBridge, Given], Awaitable[dict[str, Any]]]:
        return lambda wing, given: run(turn(wing, given))

    return _Api({name: runner(run) for name, run in operations.items()}, resources)


class EventEndpoint:
    """EventBridge or Scheduler, by `service`."""

    def __init__(self, service: Service, wing: EventBridge, access: Access, ids: Ids, traces: TraceBook) -> None:
        self.service: Service = service
        self._wing, self._access, self._ids, self._traces = wing, access, ids, traces
        self._api = _api(service)
        self._model = ServiceModel(service, frozenset(self._api.run))

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        trace = self._traces.open(self.service, self._ids.uuid())
        try:
            response = await self._answer(request, trace)
        except AwsError as error:
            if trace.refusal is None:
                facts = error.facts if isinstance(error, AccessDenied) else {}
                trace.refuse(f"events.{self.service}", error.message, code=error.code, **facts)
            response = self._model.render_error(error, trace.request_id)
        except Exception:
            _LOGGER.exception("a request to %s failed", self.service)
            internal = AwsError("An internal error occurred.", code="InternalException")
            response = self._model.render_error(internal, trace.request_id)
        self._traces.close(trace, response.status)
        return response

    async def _answer(self, request: Request, trace: Trace) -> Response:
        caller = self._access.authenticate(request, self.service, trace)
        if caller.session is not None and caller.session.trace is not None:
            trace.link_to(caller.session.trace)
        operation, given = self._model.parse(request)
        trace.title = f"{self.service}:{operation.name}"
        self._permit(caller, operation.name, given, trace)
        output = await self._api.run[operation.name](self._wing, given)
        trace.step(f"events.{self.service}")
        return self._model.render(operation, output, trace.request_id)

    def _permit(self, caller: Caller, name: str, given: Given, trace: Trace) -> None:
        for arn in self._api.resources(self._wing, name, given):
            self._access.authorize(caller, f"{self.service}:{name}", arn, trace=trace)
        role = scheduler_operations.passed_role(name, given) if self.service == "scheduler" else None
        if role is not None:
            self._access.authorize_pass_role(caller, role, "scheduler.amazonaws.com", self.service, trace)
