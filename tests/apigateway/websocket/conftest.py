"""A WebSocket API on a real socket, with an Invoker that records; clients are the `websockets` package's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.apigateway.conftest import START_SECONDS, URI, RecordingInvoker, TemplateResource
from tests.waiting import until
from trine.apigateway.api import Api
from trine.apigateway.build import build_apis
from trine.apigateway.gateway import Gateway
from trine.apigateway.websocket.door import SocketDoor
from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.loop import run
from trine.http.message import Handler
from trine.http.server import serve
from trine.iam.access import Access
from trine.trace import Trace, TraceBook

LAMBDA = {"IntegrationType": "AWS_PROXY", "IntegrationUri": URI}


def template(
    routes: Mapping[str, Mapping[str, Any]],
    *,
    responding: tuple[str, ...] = (),
    responses: Mapping[str, list[Mapping[str, Any]]] | None = None,
    stage: Mapping[str, Any] | None = None,
    extra: list[TemplateResource] | None = None,
    **properties: Any,
) -> list[TemplateResource]:
    """An API `sock01` with a stage `prod`. `routes`: key → its integration's properties, `Route` for its own ones."""
    kind = "AWS::ApiGatewayV2::"
    given = {"ProtocolType": "WEBSOCKET", "Name": "chat", "RouteSelectionExpression": "$request.body.action"}
    resources = [TemplateResource("Sockets", kind + "Api", "sock01", {**given, **properties})]
    for number, (key, integration) in enumerate(routes.items()):
        own = dict(integration)
        route = own.pop("Route", {})
        resources.append(
            TemplateResource(f"I{number}", kind + "Integration", f"int{number}", {"ApiId": "sock01", **own})
        )
        target = {"ApiId": "sock01", "RouteKey": key, "Target": f"integrations/int{number}", **route}
        resources.append(TemplateResource(f"R{number}", kind + "Route", f"route{number}", target))
        if key in responding:
            answer = {"ApiId": "sock01", "RouteId": f"route{number}", "RouteResponseKey": "$default"}
            resources.append(TemplateResource(f"RR{number}", kind + "RouteResponse", f"rr{number}", answer))
        for index, response in enumerate((responses or {}).get(key, [])):
            named = {"ApiId": "sock01", "IntegrationId": f"int{number}", **response}
            resources.append(TemplateResource(f"IR{number}{index}", kind + "IntegrationResponse", f"ir{index}", named))
    resources.append(
        TemplateResource("St", kind + "Stage", "prod", {"ApiId": "sock01", "StageName": "prod", **(stage or {})})
    )
    return [*resources, *(extra or [])]


class Chat:
    """The running API and everything around it that a test looks at."""

    def __init__(self, resources: list[TemplateResource], services: Mapping[str, Handler], **options: Any) -> None:
        self.clock = ManualClock(START_SECONDS)
        self.invoker = RecordingInvoker()
        self.traces = TraceBook(self.clock)
        ids, place = SeededIds(7), Place()
        self.access = Access(self.clock, ids)
        self.lines: list[str] = []
        self.apis: list[Api] = build_apis(resources)
        self.gateway = Gateway(
            self.apis, self.invoker, self.clock, ids, place, self.traces, access=self.access, services=services,
            access_log=lambda _, line: self.lines.append(line), **options,
        )  # fmt: skip
        self.front = SocketDoor(self.gateway, self.apis, self.access, self.clock, ids, place, self.traces)
        self.port = 0
        self.problems = [*self.gateway.problems, *self.front.problems]

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/_apis/sock01/prod"

    def connect(self, query: str = "", **options: Any) -> connect:
        return connect(self.url + query, user_agent_header="tests", proxy=None, **options)

    async def refused(self, query: str = "", **options: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of a handshake that is refused."""
        with pytest.raises(InvalidStatus) as refused:
            await self.connect(query, **options)
        return refused.value.response.status_code, json.loads(refused.value.response.body)

    async def raw_status(self, query: str = "") -> int:
        """The status of a handshake that is refused, whatever its body."""
        with pytest.raises(InvalidStatus) as refused:
            await self.connect(query)
        return refused.value.response.status_code

    async def ask(self, client: ClientConnection, message: object) -> Any:
        """Send one message, read one."""
        await client.send(message if isinstance(message, str) else json.dumps(message))
        answer = await asyncio.wait_for(client.recv(), 10)
        try:
            return json.loads(answer)
        except ValueError:
            return answer

    def events(self) -> list[dict[str, Any]]:
        """The events of all invocations so far."""
        return [json.loads(request.payload) for request in self.invoker.requests]

    def trace(self) -> Trace:
        """The latest trace."""
        return next(self.traces.latest("websocket"))

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the loop turn until `condition` holds."""
        await until(condition)


@asynccontextmanager
async def open_chat(
    resources: list[TemplateResource], services: Mapping[str, Handler] | None = None, **options: Any
) -> AsyncIterator[Chat]:
    chat = Chat(resources, services or {}, **options)
    server = await serve(chat.front.handle, clock=chat.clock)
    chat.port = server.port
    try:
        yield chat
    finally:
        await server.close()
        await chat.front.close()


def running(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an asynchronous test."""
    run(main())
