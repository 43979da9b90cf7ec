"""Who may call: picks, for each route, the rooms that decide, and asks them in AWS's order.

Enters an `Exchange` with its route; leaves None (may pass) or a future that resolves when it may. A refusal is a
`GatewayError`, raised or set on the future. REST: resource policy, then the method's authorizer.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from trine.apigateway.api import Authorization, Route
from trine.apigateway.authorizers.iam_authorizer import IamAuthorizer
from trine.apigateway.authorizers.jwks import KeySets
from trine.apigateway.authorizers.jwt_authorizer import JwtAuthorizer
from trine.apigateway.authorizers.lambda_authorizer import LambdaAuthorizer, LambdaParts, request_arn
from trine.apigateway.authorizers.resource_policy import ResourcePolicy
from trine.apigateway.authorizers.verdict import VerdictCache
from trine.apigateway.deployment import DeployedRoute, DeployedStage
from trine.apigateway.errors import AUTHORIZER_CONFIGURATION_ERROR, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.roles import Roles
from trine.aws.invoke import Invoker
from trine.clock import Clock
from trine.iam.access import Access

ROOM = "apigateway.authorizer"
_NOWHERE = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "execute-api:Invoke",
    "Resource": "arn:aws:execute-api:::none",
}
NO_POLICY = {"Version": "2012-10-17", "Statement": [_NOWHERE]}
"""What a private API without a resource policy has: nobody may call it."""


class _Check(Protocol):
    def check(self, exchange: Exchange) -> Future[None] | None:
        """None or a future: may pass."""


class _Unknown:
    """Stands for an authorizer that a route names and the template does not have."""

    def __init__(self, route: Route) -> None:
        self._name = route.authorizer or "(none)"

    def check(self, exchange: Exchange) -> Future[None] | None:
        reason = f"the route names the authorizer {self._name}, which the API does not have"
        raise GatewayError(AUTHORIZER_CONFIGURATION_ERROR, reason, room=ROOM)


class GuardParts(Struct, frozen=True):
    """What all guards of a gateway share."""

    invoker: Invoker
    clock: Clock
    access: Access | None
    keys: KeySets
    cache: VerdictCache
    roles: Roles


class Guard:
    """The checks of one stage."""

    def __init__(self, deployed: DeployedStage, parts: GuardParts) -> None:
        api = deployed.api
        policy = api.policy if api.is_rest else None
        if api.private and policy is None:
            policy = NO_POLICY
        self._endpoint = deployed.endpoint
        self._policy = ResourcePolicy(policy, api.id, deployed.place) if policy is not None else None
        self._checks: Mapping[DeployedRoute, _Check | None] = _checks(deployed, parts, self._policy)

    @property
    def problem(self) -> str:
        """Why the resource policy cannot be used; empty when it can."""
        return self._policy.problem if self._policy is not None else ""

    def check(self, exchange: Exchange) -> Future[None] | None:
        """None: may pass. A future: wait. GatewayError: refused."""
        check = self._checks[exchange.route]
        if self._endpoint is not None:
            exchange.identity = {"vpcId": self._endpoint.vpc_id or None, "vpceId": self._endpoint.id}
        if self._policy is not None and exchange.route.route.authorization is not Authorization.AWS_IAM:
            self._policy.check_anonymous(exchange, request_arn(exchange))
        return None if check is None else check.check(exchange)


def _checks(
    deployed: DeployedStage, parts: GuardParts, policy: ResourcePolicy | None
) -> dict[DeployedRoute, _Check | None]:
    api = deployed.api
    made: dict[str, _Check] = {}
    lambdas = LambdaParts(parts.invoker, parts.clock, parts.cache, parts.roles)
    for name, authorizer in api.authorizers.items():
        if authorizer.kind in ("TOKEN", "REQUEST"):
            made[name] = LambdaAuthorizer(authorizer, deployed, lambdas)
        elif authorizer.kind in ("JWT", "COGNITO"):
            made[name] = JwtAuthorizer(authorizer, deployed.place, parts.keys, parts.clock, rest=api.is_rest)
    iam = IamAuthorizer(parts.access, policy)
    checks: dict[DeployedRoute, _Check | None] = {}
    for route in deployed.routes:
        authorization = route.route.authorization
        if authorization is Authorization.NONE:
            checks[route] = None
        elif authorization is Authorization.AWS_IAM:
            checks[route] = iam
        else:
            checks[route] = made.get(route.route.authorizer or "") or _Unknown(route.route)
    return checks
