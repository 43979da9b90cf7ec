"""Routes made ready for one stage: everything about a route that no request changes, worked out at load.

Enters an `Api` and one of its `Stage`s; leaves a `DeployedStage` with a router of `DeployedRoute`s, whose JSON
fragments, function ARN (stage variables filled in) and source ARNs the rooms only pick up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from msgspec.structs import replace

from trine.apigateway.api import Api, Integration, Route, Stage
from trine.apigateway.router import RouteMatch, Router
from trine.apigateway.settings import VpcEndpoint
from trine.aws.arn import Place
from trine.aws.invoke import ServiceCaller
from trine.metering.usage import Payer, RouteName

APIGATEWAY = "apigateway.amazonaws.com"
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


def fill_stage_variables(text: str, variables: Mapping[str, str]) -> str:
    """`text` with `${stageVariables.name}` replaced; an unknown variable becomes empty, as on AWS."""
    if "${stageVariables." not in text:
        return text
    return _STAGE_VARIABLE.sub(lambda found: variables.get(found[1], ""), text)


class DeployedRoute:
    """One route in one stage."""

    __slots__ = ("_callers", "api", "function", "integration", "integration_detail", "key", "payer", "place",
                 "resource_path", "role", "route", "runner", "stage", "trace_detail")  # fmt: skip

    def __init__(self, api: Api, stage: Stage, route: Route, place: Place) -> None:
        self.api = api
        self.stage = stage
        self.route = route
        self.place = place
        self.key = route.key
        self.resource_path = route.path
        self.integration: Integration = route.integration
        function = route.integration.function
        self.function = fill_stage_variables(function, stage.variables) if function else ""
        """ARN to invoke; empty when the integration is no function."""
        credentials = route.integration.credentials
        self.role = fill_stage_variables(credentials, stage.variables) if credentials else None
        """The role to invoke with; None: by the function's own resource policy."""
        self.runner: Any = None
        """The integration's room, put here by the corridor when it is set up."""
        self.trace_detail = {"route": self.key, "stage": stage.name}
        self.integration_detail = {"type": self.integration.type}
        name = RouteName(api.id, api.name, stage.name, route.method, route.path, rest=api.is_rest)
        self.payer = Payer(name)
        """Who pays for requests without API key and caller."""
        self._callers: dict[str, ServiceCaller] = {}

    def caller(self, method: str) -> ServiceCaller:
        """Who invokes, for the function's resource policy: the gateway with this route's `execute-api` ARN."""
        caller = self._callers.get(method)
        if caller is None:
            suffix = "/$default" if self.resource_path == "$default" else f"/{method}{self.resource_path}"
            arn = self.place.execute_api(self.api.id, self.stage.name + suffix)
            caller = self._callers[method] = ServiceCaller(APIGATEWAY, arn, self.place.account_id)
            if len(self._callers) > 16:  # method names are the client's to invent
                self._callers.clear()
        return caller


class DeployedStage:
    """A stage of an API with its routes ready to be matched."""

    __slots__ = ("_arn_prefix", "_share", "api", "canary", "endpoint", "is_canary", "place", "prefix", "rest",
                 "router", "routes", "stage", "variables_json")  # fmt: skip

    def __init__(self, api: Api, stage: Stage, place: Place) -> None:
        self.api = api
        self.stage = stage
        self.place = place
        self.rest = api.is_rest
        self._arn_prefix = place.execute_api(api.id, f"{stage.name}/")
        self.prefix = "" if stage.is_default else f"/{stage.name}"
        """What stands before the route's path in full paths: `/Prod`, or nothing for `$default`."""
        self.routes = [DeployedRoute(api, stage, route, place) for route in api.routes]
        self.router: Router[DeployedRoute] = Router(
            [(deployed.route.method, deployed.route.path, deployed) for deployed in self.routes], rest=api.is_rest
        )
        self.variables_json = orjson.Fragment(orjson.dumps(dict(stage.variables) if stage.variables else None))
        """The stage variables as JSON, `null` when there are none."""
        self.endpoint: VpcEndpoint | None = None
        """What the requests of a private API come through."""
        self._share = 0.0
        self.canary: DeployedStage | None = None
        """The stage as the canary's share of the requests sees it."""
        self.is_canary: bool | None = None
        """`isCanaryRequest`; None where there is no canary."""
        if stage.canary is not None:
            variables = {**stage.variables, **stage.canary.variables}
            self.canary = DeployedStage(api, replace(stage, variables=variables, canary=None), place)
            self.is_canary, self.canary.is_canary = False, True

    def choose(self) -> DeployedStage:
        """This stage, or its canary for so many of a hundred requests. The share is exact rather than drawn by lot."""
        canary = self.canary
        if canary is None or self.stage.canary is None:
            return self
        self._share += self.stage.canary.percent / 100.0
        if self._share < 1.0:
            return self
        self._share -= 1.0
        return canary

    def match(self, method: str, path: str) -> RouteMatch[DeployedRoute] | None:
        """The route for `method` and the raw `path` without stage."""
        return self.router.match(method, path)

    def execute_api_arn(self, method: str, path: str) -> str:
        """The ARN of one request, as policies and authorizers see it: `…:api/stage/METHOD/path`."""
        return f"{self._arn_prefix}{method}/{path.lstrip('/')}"
