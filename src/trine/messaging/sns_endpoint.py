"""The door of SNS: query protocol in, XML out, every call authenticated and authorized.

Corridor: operation → signature → input → policy (identity and the topic's own) → topics → answer. Enters
`http.Request`, leaves `http.Response`; it never raises.
"""

from __future__ import annotations

import logging

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol import ServiceModel
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.errors import AccessDenied
from trine.messaging.sns_operations import ACTIONS, OPERATIONS, Turn
from trine.messaging.topics import Topics
from trine.trace import Trace, TraceBook

_LOGGER = logging.getLogger("trine.messaging")
_AUTHORIZATION_ERROR = "AuthorizationError"
"""What SNS calls a refusal (API reference, errors of every operation)."""


class SnsEndpoint:
    """SNS on the AWS port."""

    def __init__(self, topics: Topics, access: Access, ids: Ids, traces: TraceBook) -> None:
        self._topics, self._access, self._ids, self._traces = topics, access, ids, traces
        self._model = ServiceModel("sns", frozenset(OPERATIONS))

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        trace = self._traces.open("sns", self._ids.uuid())
        try:
            response = await self._answer(request, trace)
        except AwsError as error:
            if trace.refusal is None:
                facts = error.facts if isinstance(error, AccessDenied) else {}
                trace.refuse("messaging.sns_endpoint", error.message, code=error.code, **facts)
            denied = isinstance(error, AccessDenied)
            shown = AwsError(error.message, code=_AUTHORIZATION_ERROR, status=403) if denied else error
            response = self._model.render_error(shown, trace.request_id)
        except Exception:
            _LOGGER.exception("a request to sns failed")
            internal = AwsError("We encountered an internal error. Please try again.", code="InternalError")
            response = self._model.render_error(internal, trace.request_id)
        self._traces.close(trace, response.status)
        return response

    async def _answer(self, request: Request, trace: Trace) -> Response:
        name = self._model.operation_for(request).name
        trace.title = f"sns:{name}"
        caller = self._access.authenticate(request, "sns", trace)
        if caller.session is not None and caller.session.trace is not None:
            trace.link_to(caller.session.trace)
        operation, given = self._model.parse(request)
        arn = self._resource(name, given)
        action = f"sns:{ACTIONS.get(name, name)}"
        trace.title = f"{action} {arn.rpartition(':')[2]}"
        topic = self._topics.get(arn)
        self._access.authorize(caller, action, arn, None, None if topic is None else topic.policy, trace)
        output = await OPERATIONS[name](Turn(self._topics, self._ids, given))
        trace.step("messaging.sns")
        return self._model.render(operation, output, trace.request_id)

    def _resource(self, name: str, given: dict[str, object]) -> str:
        """The ARN that the operation is about: the topic's; a subscription's is its topic's with an id."""
        if "Name" in given:
            return self._topics.arn(str(given["Name"]))
        if "SubscriptionArn" in given:
            return str(given["SubscriptionArn"]).rpartition(":")[0]
        return str(given.get("TopicArn") or given.get("TargetArn") or "*")
