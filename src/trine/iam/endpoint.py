"""The door of STS and of IAM: query protocol in, XML out.

Enters an `http.Request`, leaves a `Response`, at once or when what it changed is durable. The order of rooms: the
model makes out the operation, the signature tells who asks, the policies whether it may, the operation answers.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from typing import Literal

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol import Operation, ServiceModel
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.api import groups, policies, providers, roles, simulate, tokens, users
from trine.iam.api.operation import ApiOperation, Output, Turn
from trine.iam.caller import Caller
from trine.iam.errors import AccessDenied, UnrecognizedClient
from trine.trace import Trace, TraceBook

_log = logging.getLogger("trine.iam")
Service = Literal["sts", "iam"]
OPERATIONS: Mapping[Service, Mapping[str, ApiOperation]] = {
    "sts": tokens.OPERATIONS,
    "iam": {
        **roles.OPERATIONS,
        **users.OPERATIONS,
        **groups.OPERATIONS,
        **policies.OPERATIONS,
        **simulate.OPERATIONS,
        **providers.OPERATIONS,
    },
}


def _is_session_token(caller: Caller) -> bool:
    """Credentials of GetSessionToken without MFA: IAM takes none of those (STS API reference, GetSessionToken)."""
    return caller.session is not None and caller.principal.kind in {"user", "root"}


class IdentityEndpoint:
    """STS or IAM, by `service`."""

    def __init__(self, service: Service, access: Access, ids: Ids, traces: TraceBook) -> None:
        self.service: Service = service
        self._access, self._ids, self._traces = access, ids, traces
        self._operations = OPERATIONS[service]
        self._loaded: ServiceModel | None = None

    @property
    def _model(self) -> ServiceModel:
        # Read when first needed: a server that nobody asks for STS never pays for it.
        if self._loaded is None:
            self._loaded = ServiceModel(self.service, frozenset(self._operations))
        return self._loaded

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request; never raises."""
        trace = self._traces.open(self.service, self._ids.uuid())
        try:
            response = self._pass(request, trace)
        except AwsError as error:
            return self._refused(error, trace)
        except Exception:
            _log.exception("a request to %s failed", self.service)
            return self._refused(AwsError("We encountered an internal error.", code="InternalFailure"), trace)
        if not isinstance(response, Response):
            return self._later(response, trace)
        if self._access.pending:
            return self._when_durable(response, trace)
        self._traces.close(trace, response.status)
        return response

    def _pass(self, request: Request, trace: Trace) -> Response | Awaitable[Response]:
        operation = self._model.operation_for(request)
        trace.title = f"{self.service}:{operation.name}"
        known = self._operations[operation.name]
        caller = self._access.authenticate(request, self.service, trace) if known.signed else None
        if caller is not None and caller.session is not None and caller.session.trace is not None:
            trace.link_to(caller.session.trace)
        if self.service == "iam" and caller is not None and _is_session_token(caller):
            raise UnrecognizedClient("iam")
        turn = Turn(self._access, caller, self._model.parse(request).input)
        trace.step(f"{self.service}.shape")
        if caller is not None and known.resource is not None:
            action = f"{self.service}:{operation.name}"
            context = known.context(turn) if known.context is not None else None
            self._access.authorize(caller, action, known.resource(turn), context, trace=trace)
        output = known.run(turn)
        if isinstance(output, Mapping):
            trace.step(f"{self.service}.operation")
            return self._model.render(operation, output, trace.request_id)
        return self._rendered(operation, output, trace)

    async def _rendered(self, operation: Operation, output: Awaitable[Output], trace: Trace) -> Response:
        done = await output
        trace.step(f"{self.service}.operation")
        return self._model.render(operation, done, trace.request_id)

    async def _later(self, answering: Awaitable[Response], trace: Trace) -> Response:
        try:
            response = await answering
        except AwsError as error:
            return self._refused(error, trace)
        except Exception:
            _log.exception("a request to %s failed", self.service)
            return self._refused(AwsError("We encountered an internal error.", code="InternalFailure"), trace)
        return await self._when_durable(response, trace)

    async def _when_durable(self, response: Response, trace: Trace) -> Response:
        try:
            await self._access.settled()
        except Exception:
            _log.exception("a change of %s could not be stored", self.service)
            return self._refused(AwsError("The change could not be stored.", code="ServiceFailure"), trace)
        self._traces.close(trace, response.status)
        return response

    def _refused(self, error: AwsError, trace: Trace) -> Response:
        if trace.refusal is None:
            facts = error.facts if isinstance(error, AccessDenied) else {}
            trace.refuse(self.service, error.message, code=error.code, **facts)
        self._traces.close(trace, error.status)
        return self._model.render_error(error, trace.request_id)
