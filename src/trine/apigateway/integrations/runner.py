"""Which room runs a route's integration: picked once, when the API is set up.

A room has `start`, which answers at once or gives a future to wait for, and `complete`, which turns that future,
settled, into the response. Both may raise `GatewayError`.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct, field

from trine.apigateway.api import Integration, IntegrationType
from trine.apigateway.body import BinaryTypes
from trine.apigateway.deployment import DeployedRoute, DeployedStage, fill_stage_variables
from trine.apigateway.errors import API_CONFIGURATION_ERROR, GatewayError
from trine.apigateway.event import Forwarded
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.http_endpoint import HttpEndpoint
from trine.apigateway.integrations.lambda_custom import LambdaCustom
from trine.apigateway.integrations.lambda_proxy import LambdaProxy
from trine.apigateway.integrations.lambda_streaming import LambdaStreaming, as_stream_invoker
from trine.apigateway.integrations.mock import Mock
from trine.apigateway.integrations.own_apis import Caller
from trine.apigateway.integrations.parameter_mapping import map_request, map_response
from trine.apigateway.integrations.service_action import ServiceAction, service_target
from trine.apigateway.integrations.service_subtype import ServiceSubtype, subtype_of
from trine.apigateway.integrations.transformation import Transformation
from trine.apigateway.roles import Roles
from trine.aws.invoke import Invoker
from trine.clock import Clock
from trine.http.message import Handler, Response


class Runner(Protocol):
    """Runs one kind of integration."""

    def start(self, exchange: Exchange) -> Response | Future[Any]:
        """Begin. Never blocks."""

    def complete(self, exchange: Exchange, settled: Future[Any]) -> Response:
        """The response, when what `start` gave is done."""


class NotBuilt:
    """Stands for an integration that cannot be served: every request is a configuration error that says why."""

    __slots__ = ("_problem",)

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def start(self, exchange: Exchange) -> Response:
        """Refuse."""
        raise GatewayError(API_CONFIGURATION_ERROR, self._problem, room="apigateway.integration")

    def complete(self, exchange: Exchange, settled: Future[Any]) -> Response:
        """Refuse."""
        return self.start(exchange)


class RunnerParts(Struct, frozen=True):
    """What the integrations of all stages share."""

    invoker: Invoker
    clock: Clock
    roles: Roles
    services: Mapping[str, Handler]
    """Endpoints of the stack by the names services sign with, for AWS integrations."""
    client: Caller
    forwarded: Forwarded
    links: Mapping[str, str] = field(default_factory=dict)
    """Id of a VPC link → the URL it leads to."""


class Mapped:
    """An HTTP API's integration with parameter mappings around it."""

    __slots__ = ("_inner", "_integration")

    def __init__(self, inner: Runner, integration: Integration) -> None:
        self._inner, self._integration = inner, integration

    def start(self, exchange: Exchange) -> Response | Future[Any]:
        """Change the request, then begin."""
        if self._integration.request_parameters and not self._integration.subtype:
            exchange.request = map_request(self._integration.request_parameters, exchange)
        return self._inner.start(exchange)

    def complete(self, exchange: Exchange, settled: Future[Any]) -> Response:
        """Change the answer."""
        response = self._inner.complete(exchange, settled)
        return map_response(self._integration.response_parameters, exchange, response)


class Runners:
    """Makes the rooms of one stage's integrations."""

    def __init__(self, deployed: DeployedStage, parts: RunnerParts) -> None:
        self._deployed, self._parts = deployed, parts
        self.problems: list[str] = []
        """What integrations ask for that this stack does not have."""
        self._binary = BinaryTypes(deployed.api.binary_media_types)
        self._proxy: Runner = LambdaProxy(parts.invoker, self._binary, parts.forwarded, parts.roles)

    def make(self, route: DeployedRoute) -> Runner:
        """The room of `route`."""
        integration: Integration = route.integration
        runner = self._make(route, integration)
        changes = integration.response_parameters or (integration.request_parameters and not integration.subtype)
        if not self._deployed.api.is_rest and changes:
            return Mapped(runner, integration)
        return runner

    def _make(self, route: DeployedRoute, integration: Integration) -> Runner:
        parts = self._parts
        kind = integration.type
        if kind is IntegrationType.AWS_PROXY:
            if integration.subtype:
                return self._subtype(route, integration)
            return self._streaming(route) if integration.streams else self._proxy
        if kind is IntegrationType.MOCK:
            return self._mock(integration)
        if kind is IntegrationType.AWS and route.function:
            return LambdaCustom(self._transformation(integration), parts.invoker, parts.roles)
        if kind is IntegrationType.AWS:
            return self._service(route, integration)
        if kind in (IntegrationType.HTTP, IntegrationType.HTTP_PROXY):
            return self._http(route, integration)
        return NotBuilt(integration.problem or f"{integration.type} integrations are not built")

    def _http(self, route: DeployedRoute, integration: Integration) -> Runner:
        parts, link = self._parts, None
        if integration.connection:
            name = fill_stage_variables(integration.connection, self._deployed.stage.variables)
            link = parts.links.get(name)
            if link is None:
                hint = f"say where it leads: --vpc-link {name}=http://127.0.0.1:PORT"
                return self._not_offered(route, f"the VPC link {name} leads nowhere here; {hint}")
        made = self._transformation(integration)
        return HttpEndpoint(made, self._deployed, parts.client, parts.forwarded, parts.clock, link)

    def _transformation(self, integration: Integration) -> Transformation:
        """What maps requests and answers; WebSocket APIs have their own."""
        return Transformation(integration, self._binary)

    def _mock(self, integration: Integration) -> Runner:
        return Mock(self._transformation(integration))

    def _service(self, route: DeployedRoute, integration: Integration) -> Runner:
        deployed, parts = self._deployed, self._parts
        uri = fill_stage_variables(integration.uri, deployed.stage.variables)
        target = service_target(uri, deployed.place.region)
        if target is None:
            return self._not_offered(route, f"an AWS integration's URI names a service, not {uri or '(nothing)'}")
        endpoint = parts.services.get(target.service)
        if endpoint is None:
            return self._not_offered(route, f"Trine does not offer the AWS service {target.service!r}")
        return ServiceAction(self._transformation(integration), target, deployed, endpoint, parts.roles, parts.clock)

    def _streaming(self, route: DeployedRoute) -> Runner:
        parts = self._parts
        invoker = as_stream_invoker(parts.invoker)
        if invoker is None:
            return self._not_offered(route, "functions cannot stream their answers here")
        return LambdaStreaming(invoker, parts.clock, self._binary, parts.forwarded, parts.roles)

    def _subtype(self, route: DeployedRoute, integration: Integration) -> Runner:
        parts = self._parts
        subtype = subtype_of(integration.subtype)
        if subtype is None:
            return self._not_offered(route, f"there is no service integration {integration.subtype}")
        endpoint = parts.services.get(subtype.service)
        if endpoint is None:
            return self._not_offered(route, f"Trine does not offer the AWS service {subtype.service!r}")
        return ServiceSubtype(subtype, integration, self._deployed, endpoint, parts.roles, parts.clock)

    def _not_offered(self, route: DeployedRoute, problem: str) -> Runner:
        self.problems.append(f"{route.key}: {problem}")
        return NotBuilt(problem)
