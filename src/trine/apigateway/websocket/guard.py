"""Who may connect: the authorizer of `$connect`, a Lambda function (REQUEST) or IAM. The only route that has one.

Enters the `SocketExchange` of a connect; leaves a future or nothing when it may pass, or a `GatewayError` 401, 403 or
500.
"""

from __future__ import annotations

from asyncio import Future
from typing import Any

from trine.apigateway.api import Authorization, Authorizer
from trine.apigateway.authorizers.guard import GuardParts
from trine.apigateway.authorizers.iam_authorizer import IamAuthorizer
from trine.apigateway.authorizers.lambda_authorizer import LambdaAuthorizer, LambdaParts, request_arn
from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.errors import AUTHORIZER_CONFIGURATION_ERROR, UNAUTHORIZED, GatewayError
from trine.apigateway.event import Forwarded
from trine.apigateway.exchange import Exchange
from trine.apigateway.websocket.event import authorizer_event
from trine.apigateway.websocket.exchange import SocketExchange
from trine.apigateway.websocket.stage import SocketStage

ROOM = "apigateway.authorizer"


class SocketAuthorizer(LambdaAuthorizer):
    """A REQUEST authorizer of a WebSocket API: every identity source must be there, nothing is cached."""

    def __init__(self, authorizer: Authorizer, deployed: SocketStage, parts: LambdaParts, forwarded: Forwarded) -> None:
        super().__init__(authorizer, deployed, parts)
        self._forwarded = forwarded

    def _require(self, values: list[str | None]) -> None:
        for source, value in zip(self._authorizer.identity_sources, values, strict=True):
            if value is None:
                raise GatewayError(UNAUTHORIZED, f"the identity source {source} is missing", source=source)

    def _event(self, exchange: Exchange, values: list[str | None]) -> dict[str, Any]:
        assert isinstance(exchange, SocketExchange)
        return authorizer_event(exchange, request_arn(exchange), self._forwarded)


class ConnectGuard:
    """The check of one stage's `$connect` route."""

    def __init__(
        self,
        route: DeployedRoute,
        stage: SocketStage,
        parts: GuardParts,
        forwarded: Forwarded,
    ) -> None:
        self._route = route.route
        self._iam = IamAuthorizer(parts.access, None)
        authorizer = stage.api.authorizers.get(route.route.authorizer or "")
        shared = LambdaParts(parts.invoker, parts.clock, parts.cache, parts.roles)
        self._lambda = SocketAuthorizer(authorizer, stage, shared, forwarded) if authorizer is not None else None

    def check(self, exchange: SocketExchange) -> Future[None] | None:
        """None: may pass. A future: wait. GatewayError: refused."""
        try:
            if self._route.authorization is Authorization.AWS_IAM:
                return self._iam.check(exchange)
            if self._route.authorization is Authorization.NONE:
                return None
            if self._lambda is None:
                name = self._route.authorizer or "(none)"
                reason = f"$connect names the authorizer {name}, which the API does not have"
                raise GatewayError(AUTHORIZER_CONFIGURATION_ERROR, reason)
            return self._lambda.check(exchange)
        except GatewayError as error:
            error.room = error.room or ROOM
            raise
