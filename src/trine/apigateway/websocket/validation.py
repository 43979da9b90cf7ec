"""Models and required parameters of WebSocket routes, asked before the integration.

Enters a `SocketExchange` with its route; leaves nothing, or a `GatewayError` 400. A route's `ModelSelectionExpression`
names one of its `RequestModels`; what it does not name goes to `$default`, and where there is none the message is
refused (developer guide, "Request validation for WebSocket APIs"). Parameters are the handshake's, so only `$connect`
has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.apigateway.api import Route
from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.errors import BAD_REQUEST_PARAMETERS, GatewayError
from trine.apigateway.parameters import rest_query
from trine.apigateway.validation import ROOM, Model, refused_body
from trine.apigateway.websocket.exchange import SocketExchange
from trine.apigateway.websocket.route_keys import CONNECT, DEFAULT
from trine.apigateway.websocket.selection import parse_selection
from trine.apigateway.websocket.stage import SocketStage

_QUERY, _HEADER = "route.request.querystring.", "route.request.header."


class RouteValidation:
    """The checks of one route."""

    def __init__(self, route: Route, definitions: Mapping[str, Any]) -> None:
        """SchemaRefused or SelectionInvalid when the template's models cannot be used."""
        self._required = route.required_parameters if route.path == CONNECT else ()
        self._select = parse_selection(route.model_selection) if route.model_selection else None
        self._models = {key: Model(schema, definitions) for key, schema in route.models.items()}

    @property
    def needed(self) -> bool:
        """False when there is nothing to check."""
        return self._select is not None or bool(self._required)

    def check(self, exchange: SocketExchange) -> None:
        """GatewayError 400 for a parameter that is missing or a message that does not fit."""
        missing = [name for name in self._required if not _value(name, exchange)]
        if missing:
            names = ", ".join(name.rpartition(".")[2] for name in missing)
            message = f"Missing required request parameters: [{names}]"
            raise GatewayError(BAD_REQUEST_PARAMETERS, message, message=message, room=ROOM)
        if self._select is not None and exchange.path != CONNECT:
            key = self._select(exchange.variable)
            model = self._models.get(key or "") or self._models.get(DEFAULT)
            if model is None:
                raise refused_body(f"the message selects the model {key!r}, which the route does not have")
            model.check(exchange.request.body)
        exchange.trace.step(ROOM)


def validations(stage: SocketStage) -> list[tuple[DeployedRoute, RouteValidation]]:
    """The checks of every route of `stage`, whose models have been found usable when the template was read."""
    return [(route, RouteValidation(route.route, stage.api.definitions)) for route in stage.routes]


def _value(name: str, exchange: SocketExchange) -> str | None:
    if name.startswith(_QUERY):
        query, _ = rest_query(exchange.request.query)
        return (query or {}).get(name[len(_QUERY) :])
    if name.startswith(_HEADER):
        found = exchange.request.headers.get(name[len(_HEADER) :].lower().encode("latin-1", "replace"))
        return found.decode("latin-1") if found is not None else None
    return None
