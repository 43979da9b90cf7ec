"""One stage with the rooms that were set up for it when its API was loaded.

Enters a `DeployedStage` and the parts all stages share; leaves a `Served`: what the corridor walks through. Models that
cannot be used and policies that cannot be read are told in `problems`; their routes answer 500.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from trine.apigateway.access_log import AccessLog, Sink
from trine.apigateway.api import Api, IntegrationType
from trine.apigateway.authorizers.guard import Guard, GuardParts
from trine.apigateway.compression import Compression
from trine.apigateway.cors import CorsPolicy
from trine.apigateway.deployment import DeployedRoute, DeployedStage
from trine.apigateway.execution_log import ExecutionLog
from trine.apigateway.gateway_responses import GatewayResponses
from trine.apigateway.integrations.runner import RunnerParts, Runners
from trine.apigateway.response_cache import ResponseCache
from trine.apigateway.throttle import Buckets, StageThrottle, TokenBucket
from trine.apigateway.validation import SchemaRefused, Validation


class Parts(Struct, frozen=True):
    """What every stage shares."""

    guard: GuardParts
    account: TokenBucket
    buckets: Buckets
    runners: RunnerParts
    sink: Sink


class Served:
    """The rooms of one stage."""

    __slots__ = (
        "access_log",
        "cache",
        "compression",
        "cors",
        "deployed",
        "execution_log",
        "guard",
        "problems",
        "responses",
        "throttle",
        "validations",
    )

    def __init__(self, deployed: DeployedStage, parts: Parts) -> None:
        api = deployed.api
        stage = deployed.stage
        clock = parts.guard.clock
        self.deployed = deployed
        self.problems: list[str] = []
        self.cors = CorsPolicy(api.cors) if api.cors is not None and not api.is_rest else None
        minimum = api.minimum_compression_bytes
        self.compression = Compression(minimum) if minimum is not None else None
        self.guard = Guard(deployed, parts.guard)
        if self.guard.problem:
            self.problems.append(f"{api.name}/{stage.name}: {self.guard.problem}")
        self.throttle = StageThrottle(stage, deployed.routes, parts.account, parts.buckets, rest=api.is_rest)
        self.validations = self._validations(api, deployed.routes)
        caching = api.is_rest and any(setting.enabled for setting in stage.cache.values())
        self.cache = ResponseCache(stage, deployed.routes, clock, parts.guard.access) if caching else None
        self.responses = GatewayResponses(api.gateway_responses)
        self.access_log = AccessLog(stage, parts.sink, clock) if stage.access_log_format else None
        self.execution_log = ExecutionLog(deployed, parts.sink) if stage.logs else None
        runners = Runners(deployed, parts.runners)
        for route in deployed.routes:
            route.runner = runners.make(route)
        self.problems.extend(runners.problems)

    def _validations(self, api: Api, routes: list[DeployedRoute]) -> Mapping[DeployedRoute, Validation]:
        found: dict[DeployedRoute, Validation] = {}
        for route in routes:
            if route.route.validator is None:
                continue
            try:
                validation = Validation(route.route, api)
            except SchemaRefused as refused:
                problem = str(refused)
                self.problems.append(f"{route.key}: {problem}")
                route.integration = replace(route.integration, type=IntegrationType.NOT_BUILT, problem=problem)
                continue
            if validation.needed:
                found[route] = validation
        return found
