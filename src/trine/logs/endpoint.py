"""The CloudWatch Logs API on the AWS port: json by botocore's model, every call authenticated and authorized.

Corridor: signature → operation → policy → input → store → answer. Enters `http.Request`, leaves `http.Response`; it
never raises.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol import ServiceModel
from trine.clock import Clock
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.logs.operations import Operations, group_name
from trine.logs.store import LogStore
from trine.trace import Trace, TraceBook

_LOGGER = logging.getLogger(__name__)
_OF_STREAMS = frozenset({"PutLogEvents", "GetLogEvents", "CreateLogStream", "DeleteLogStream"})
"""Operations whose resource is a stream (service authorization reference); the others' is a group."""


class LogsEndpoint:
    """The door of the Logs API."""

    def __init__(
        self, store: LogStore, access: Access, place: Place, clock: Clock, ids: Ids, traces: TraceBook
    ) -> None:
        self._access = access
        self._place = place
        self._ids = ids
        self._traces = traces
        self._operations = Operations(store, place, clock).operations()
        self._model = ServiceModel("logs", frozenset(self._operations))

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        request_id = self._ids.uuid()
        trace = self._traces.open("logs", request_id)
        try:
            response = await self._answer(request, request_id, trace)
        except AwsError as error:
            if trace.refusal is None:
                trace.refuse("logs.endpoint", error.message, code=error.code)
            response = self._model.render_error(error, request_id)
        except Exception:
            _LOGGER.exception("request %s failed unexpectedly", request_id)
            internal = AwsError("The service cannot complete the request.", code="ServiceUnavailableException")
            response = self._model.render_error(internal, request_id)
        self._traces.close(trace, response.status)
        return response

    async def _answer(self, request: Request, request_id: str, trace: Trace) -> Response:
        caller = self._access.authenticate(request, "logs", trace)
        operation, given = self._model.parse(request)
        name = group_name(given)
        trace.title = f"logs:{operation.name} {name or ''}".rstrip()
        self._access.authorize(
            caller, f"logs:{operation.name}", self._resource(operation.name, name, given), trace=trace
        )
        output = await self._operations[operation.name](given)
        trace.step("logs.endpoint")
        return self._model.render(operation, output, request_id)

    def _resource(self, operation: str, group: str | None, given: Mapping[str, Any]) -> str:
        if group is None:
            return "*" if operation == "TestMetricFilter" else self._place.arn("logs", "log-group:*")
        stream = given.get("logStreamName")
        if operation in _OF_STREAMS and stream is not None:
            return self._place.arn("logs", f"log-group:{group}:log-stream:{stream}")
        return self._place.arn("logs", f"log-group:{group}:*")  # with the star, as policies name groups
