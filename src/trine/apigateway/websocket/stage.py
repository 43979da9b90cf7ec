"""A deployed stage of a WebSocket API: its routes are found by key, and their ARNs say the key.

Enters an `Api` and one of its stages, leaves what the corridor looks a message's route up in.
"""

from __future__ import annotations

from trine.apigateway.api import Api, Stage
from trine.apigateway.deployment import APIGATEWAY, DeployedRoute, DeployedStage
from trine.apigateway.websocket.selection import Selection, parse_selection
from trine.aws.arn import Place
from trine.aws.invoke import ServiceCaller
from trine.metering.usage import Payer, RouteName


class SocketRoute(DeployedRoute):
    """A route whose key stands in ARNs in place of method and path."""

    __slots__ = ()

    def caller(self, method: str) -> ServiceCaller:
        """The gateway with this route's ARN: `…:api/stage/$connect`."""
        found = self._callers.get("")
        if found is None:
            arn = self.place.execute_api(self.api.id, f"{self.stage.name}/{self.resource_path}")
            found = self._callers[""] = ServiceCaller(APIGATEWAY, arn, self.place.account_id)
        return found


class SocketStage(DeployedStage):
    """A stage of a WebSocket API."""

    __slots__ = ("_spare_payers", "by_key", "selection")

    def __init__(self, api: Api, stage: Stage, place: Place) -> None:
        super().__init__(api, stage, place)
        self.rest = True  # headers, parameters and words are those of payload format 1.0
        self.selection: Selection = parse_selection(api.route_selection)
        self.routes: list[DeployedRoute] = [SocketRoute(api, stage, route, place) for route in api.routes]
        self.by_key = {route.key: route for route in self.routes}
        self._spare_payers: dict[str, Payer] = {}

    def payer(self, key: str) -> Payer:
        """Who pays for events of a route, whether the API has it or not."""
        route = self.by_key.get(key)
        if route is not None:
            return route.payer
        payer = self._spare_payers.get(key)
        if payer is None:
            name = RouteName(self.api.id, self.api.name, self.stage.name, "", key, rest=False)
            payer = self._spare_payers[key] = Payer(name)
        return payer

    def execute_api_arn(self, method: str, path: str) -> str:
        """The ARN of a route; `path` is its key."""
        return self.place.execute_api(self.api.id, f"{self.stage.name}/{path}")
