"""One event of a connection under way (connect, message or disconnect): what the rooms of the front door ask about.

The rooms that WebSocket APIs share with REST APIs (authorizers, mapping templates, integrations, access log) take an
`Exchange`. Here it has the event's request context in place of an HTTP request's, and a stage whose routes have keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.exchange import Exchange, Namer
from trine.apigateway.stage import Located
from trine.apigateway.websocket.route_keys import CONNECT, DISCONNECT
from trine.apigateway.websocket.selection import in_document
from trine.apigateway.websocket.stage import SocketStage
from trine.aws.http_payload import request_time
from trine.http.message import Request
from trine.trace import Trace

if TYPE_CHECKING:
    from trine.apigateway.websocket.connections import Connection

EVENT_TYPES = {CONNECT: "CONNECT", DISCONNECT: "DISCONNECT"}
_SPELLED = {"authorization": "Authorization", "user-agent": "User-Agent", "host": "Host"}
NOT_FORWARDED = frozenset({"connection", "content-length", "upgrade"})
"""Headers of the handshake that an authorizer sees and an integration does not."""


class SocketExchange(Exchange):
    """An event of `connection`."""

    deployed: SocketStage

    def __init__(self, connection: Connection, request: Request, route_key: str, trace: Trace, namer: Namer) -> None:
        stage, domain = connection.stage, connection.domain_name
        place = Located(stage, route_key, stage.prefix, domain, domain.partition(".")[0], route_key)
        names = (trace.request_id, trace.request_id)
        super().__init__(request, place, names, trace, namer)
        self.connection = connection
        self.method = ""
        self.event_type = EVENT_TYPES.get(route_key, "MESSAGE")
        self.message_id: str | None = None
        self.ending: tuple[int, str] | None = None
        """Close code and reason of a disconnect."""
        self.source_ip = connection.source_ip
        self.identity = connection.identity
        self.authorizer = connection.authorizer

    @cached_property
    def document(self) -> Any:
        """The message as JSON; None when it is none."""
        try:
            return orjson.loads(self.request.body)
        except orjson.JSONDecodeError:
            return None

    def own_context(self) -> dict[str, Any]:
        return self.context()

    def context(self) -> dict[str, Any]:
        """`requestContext`, in the order in which AWS writes it; what an event does not have is left out."""
        connection = self.connection
        context: dict[str, Any] = {"routeKey": self.path}
        if self.ending is not None:
            context["disconnectStatusCode"], reason = self.ending
        if self.authorizer is not None:
            context["authorizer"] = self.authorizer
        if self.message_id is not None:
            context["messageId"] = self.message_id
        context.update(
            eventType=self.event_type,
            extendedRequestId=self.extended_id,
            requestTime=request_time(self.now_seconds),
            messageDirection="IN",
        )
        if self.ending is not None:
            context["disconnectReason"] = reason
        agent = {"userAgent": connection.user_agent} if connection.user_agent else {}
        context.update(
            stage=self.deployed.stage.name,
            connectedAt=int(connection.connected_at * 1000),
            requestTimeEpoch=int(self.now_seconds * 1000),
            identity={**(self.identity or {}), **agent, "sourceIp": self.source_ip},
            requestId=self.request_id,
            domainName=self.domain_name,
            connectionId=connection.id,
            apiId=self.deployed.api.id,
        )
        return context

    def variable(self, name: str) -> Any:
        """The value of a variable of a selection expression; None when there is none."""
        name = name.removeprefix("route.")
        if name == "request.body" or name.startswith("request.body."):
            return in_document(name[len("request.body.") :], self.document) if self.document is not None else None
        if name.startswith("context."):
            return in_document(name[len("context.") :], self.context())
        if name.startswith("stageVariables."):
            return self.deployed.stage.variables.get(name[len("stageVariables.") :])
        if name.startswith("request.header."):
            found = self.request.headers.get(name[len("request.header.") :].lower().encode())
            return found.decode("latin-1") if found is not None else None
        return None

    def enter(self, route: DeployedRoute) -> None:
        """Note the route that was found."""
        self.route = route
        self.trace.payer = route.payer
        self.trace.step("apigateway.router", route.trace_detail)
        self.routed_ns = self.trace.reached()

    def made_event(self, detail: Mapping[str, Any]) -> None:
        """The integration's request is made. Events are steps: one connection's may differ in the rooms they pass."""
        super().made_event(detail)
        self.trace.step("apigateway.event", detail)

    def integrated(self) -> None:
        """The integration is done."""
        self.integrated_ns = self.trace.reached()
        self.trace.step("apigateway.integration", {"type": self.route.integration.type})


def all_headers(request: Request) -> tuple[dict[str, str], dict[str, list[str]]]:
    """`headers` and `multiValueHeaders` with every header of the handshake, as an authorizer sees them."""
    multi: dict[str, list[str]] = {}
    for raw, value in request.headers.pairs:
        name = raw.decode("latin-1")
        multi.setdefault(_SPELLED.get(name.lower(), name), []).append(value.decode("latin-1"))
    return {name: values[-1] for name, values in multi.items()}, multi
