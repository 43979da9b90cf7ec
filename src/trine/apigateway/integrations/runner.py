"""Which room runs a route's integration: picked once, when the API is set up.

A room has `start`, which answers at once or gives a future to wait for, and `complete`, which turns that future,
settled, into the response. Both may raise `GatewayError`.
"""

from __future__ import annotations

from asyncio import Future
from typing import Any, Protocol

from trine.apigateway.api import Integration, IntegrationType
from trine.apigateway.body import BinaryTypes
from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.errors import API_CONFIGURATION_ERROR, GatewayError
from trine.apigateway.event import Forwarded
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.lambda_proxy import LambdaProxy
from trine.apigateway.integrations.mock import Mock
from trine.apigateway.integrations.transformation import Transformation
from trine.aws.invoke import Invoker
from trine.http.message import Response


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


class Runners:
    """Makes the rooms of one stage's integrations."""

    def __init__(self, invoker: Invoker, binary: BinaryTypes, forwarded: Forwarded) -> None:
        self._proxy = LambdaProxy(invoker, binary, forwarded)

    def make(self, route: DeployedRoute) -> Runner:
        """The room of `route`."""
        integration: Integration = route.integration
        if integration.type is IntegrationType.AWS_PROXY:
            return self._proxy
        if integration.type is IntegrationType.MOCK:
            return Mock(Transformation(integration))
        return NotBuilt(integration.problem or f"{integration.type} integrations are not built")
