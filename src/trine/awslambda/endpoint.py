"""The Lambda API on the AWS port: rest-json by botocore's model, every call authenticated and authorized.

Corridor: signature → operation → policy → input → service → answer. Enters `http.Request`, leaves `http.Response`; it
never raises.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol import Operation, ServiceModel
from trine.awslambda.admission import trace_header_of
from trine.awslambda.api.events import EventConfigOperations
from trine.awslambda.api.functions import Describer, FunctionOperations, Given
from trine.awslambda.api.invoke import InvokeOperations
from trine.awslambda.api.layers import LayerOperations
from trine.awslambda.api.policy import PolicyOperations
from trine.awslambda.api.sources import SourceOperations
from trine.awslambda.api.tags import TagOperations
from trine.awslambda.api.urls import UrlOperations
from trine.awslambda.api.versions import VersionOperations
from trine.awslambda.errors import ResourceNotFound
from trine.awslambda.function import split_name
from trine.awslambda.layers import layer_name
from trine.awslambda.service import Service
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.policy import CompiledPolicy
from trine.trace import Trace, TraceBook

_LOGGER = logging.getLogger(__name__)
_ACTIONS = dict.fromkeys(("Invoke", "InvokeAsync", "InvokeWithResponseStream"), "lambda:InvokeFunction")
"""Operations whose action has another name than theirs."""


class Endpoint:
    """The door of the Lambda API."""

    def __init__(self, service: Service, access: Access, ids: Ids, traces: TraceBook) -> None:
        self._service = service
        self._access = access
        self._ids = ids
        self._traces = traces
        describer = Describer()
        self._operations = InvokeOperations(service).operations()
        self._plain: dict[str, Callable[[Given], Awaitable[dict[str, Any]]]] = {
            **FunctionOperations(service, describer).operations(),
            **VersionOperations(service, describer).operations(),
            **PolicyOperations(service).operations(),
            **UrlOperations(service, ids).operations(),
            **EventConfigOperations(service).operations(),
            **LayerOperations(service).operations(),
            **TagOperations(service).operations(),
            **SourceOperations(service).operations(),
        }
        self._model: ServiceModel | None = None

    @property
    def model(self) -> ServiceModel:
        """The API's model; read on the first call (it costs some 20 ms)."""
        if self._model is None:
            self._model = ServiceModel("lambda", frozenset({*self._operations, *self._plain}))
        return self._model

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        request_id = self._ids.uuid()
        trace = self._traces.open("lambda-api", request_id)
        try:
            response = await self._answer(request, request_id, trace)
        except AwsError as error:
            if trace.refusal is None:
                trace.refuse("awslambda.endpoint", error.message, code=error.code)
            response = self.model.render_error(error, request_id)
        except Exception:
            _LOGGER.exception("request %s failed unexpectedly", request_id)
            internal = AwsError("Service encountered an internal failure.", code="ServiceException")
            response = self.model.render_error(internal, request_id)
        self._traces.close(trace, response.status)
        return response

    async def _answer(self, request: Request, request_id: str, trace: Trace) -> Response:
        caller = self._access.authenticate(request, "lambda", trace)
        operation, given = self.model.parse(request)
        trace.title = f"lambda:{operation.name} {given.get('FunctionName', '')}".rstrip()
        resource, policy = self._resource(operation, given)
        action = _ACTIONS.get(operation.name, f"lambda:{operation.name}")
        self._access.authorize(caller, action, resource, None, policy, trace)
        role = given.get("Role")
        if role is not None:
            self._access.authorize_pass_role(caller, role, "lambda.amazonaws.com", "lambda", trace)
        invocation_id: str | None = None
        if operation.name in self._plain:
            output = await self._plain[operation.name](given)
        else:
            header = trace_header_of(request.headers.get(b"x-amzn-trace-id"))
            output, invocation_id = await self._operations[operation.name](given, trace, header)
        trace.step("awslambda.endpoint")
        return self.model.render(operation, output, invocation_id or request_id)

    def _resource(self, operation: Operation, given: Mapping[str, Any]) -> tuple[str, CompiledPolicy | None]:
        """The ARN that the caller must be allowed to use, and the resource policy that may allow it (service
        authorization reference, "Actions, resources, and condition keys for AWS Lambda")."""
        place = self._service.place
        if "EventSourceMapping" in operation.name:
            uuid = given.get("UUID")
            return ("*" if uuid is None else place.arn("lambda", f"event-source-mapping:{uuid}")), None
        if "Resource" in given:
            return given["Resource"], None
        if operation.name == "GetLayerVersionByArn":
            return given["Arn"], None
        if "LayerName" in given:
            name, version = layer_name(given["LayerName"], place), given.get("VersionNumber")
            arn = place.arn("lambda", f"layer:{name}" if version is None else f"layer:{name}:{version}")
            return arn, None if version is None else self._service.deployment.layers.policy(arn)
        named = given.get("FunctionName")
        if named is None:
            return "*", None
        try:
            name, qualifier = split_name(named, place)
        except ValueError:
            raise ResourceNotFound(f"Function not found: {named}") from None
        qualifier = given.get("Qualifier") or qualifier
        arn, entry = place.function(name), self._service.registry.get(name)
        return (f"{arn}:{qualifier}" if qualifier else arn), None if entry is None else entry.policy(qualifier)
