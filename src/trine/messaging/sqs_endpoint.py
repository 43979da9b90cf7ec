"""The door of SQS: both protocols, every call authenticated and authorized.

Corridor: operation → signature → policy (identity and the queue's own) → input → queues → answer. Enters
`http.Request`, leaves `http.Response`; it never raises.
"""

from __future__ import annotations

import logging

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.errors import AccessDenied
from trine.messaging.queues import Queues
from trine.messaging.sqs_messages import ACTIONS, MESSAGE_OPERATIONS
from trine.messaging.sqs_operations import QUEUE_OPERATIONS, Turn
from trine.messaging.sqs_wire import SqsWire
from trine.trace import Trace, TraceBook

_LOGGER = logging.getLogger("trine.messaging")


class SqsEndpoint:
    """SQS on the AWS port."""

    def __init__(self, queues: Queues, access: Access, ids: Ids, traces: TraceBook) -> None:
        self._queues, self._access, self._ids, self._traces = queues, access, ids, traces
        self._operations = {**QUEUE_OPERATIONS, **MESSAGE_OPERATIONS}
        self._wire = SqsWire(frozenset(self._operations))

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        trace = self._traces.open("sqs", self._ids.uuid())
        try:
            response = await self._answer(request, trace)
        except AwsError as error:
            if trace.refusal is None:
                facts = error.facts if isinstance(error, AccessDenied) else {}
                trace.refuse("messaging.sqs_endpoint", error.message, code=error.code, **facts)
            response = self._wire.render_error(request, error, trace.request_id)
        except Exception:
            _LOGGER.exception("a request to sqs failed")
            internal = AwsError("We encountered an internal error. Please try again.", code="InternalError")
            response = self._wire.render_error(request, internal, trace.request_id)
        self._traces.close(trace, response.status)
        return response

    async def _answer(self, request: Request, trace: Trace) -> Response:
        name = self._wire.operation_for(request).name
        trace.title = f"sqs:{name}"
        caller = self._access.authenticate(request, "sqs", trace)
        if caller.session is not None and caller.session.trace is not None:
            trace.link_to(caller.session.trace)
        operation, given = self._wire.parse(request)
        turn = Turn(self._queues, given, caller, _base_url(request))
        self._permit(turn, name, trace)
        output = await self._operations[name](turn)
        trace.step("messaging.sqs")
        return self._wire.render(request, operation, output, trace.request_id)

    def _permit(self, turn: Turn, name: str, trace: Trace) -> None:
        action = f"sqs:{ACTIONS.get(name, name)}"
        if name == "ListQueues":
            self._access.authorize(turn.caller, action, self._queues.arn("*"), trace=trace)
            return
        arn = self._queues.arn(turn.name)
        trace.title = f"{action} {turn.name}"
        live = self._queues.find_arn(arn)
        policy = None if live is None else live.queue.settings.policy
        self._access.authorize(turn.caller, action, arn, None, policy, trace)


def _base_url(request: Request) -> str:
    host = request.headers.get(b"host")
    return f"http://{host.decode('latin-1') if host is not None else 'localhost'}"
