"""The corridor of WebSocket APIs: the rooms that a connect, a message and a disconnect pass, and nothing else.

    connect:     directory → handshake → limits → authorizer → API key → throttle → validation → integration → 101
    message:     route selection → throttle → validation → integration → route response
    disconnect:  integration, whatever becomes of it

Enters an `http.Request` that a `Directory` has found to be for a WebSocket API, later the messages of its connection;
leaves HTTP answers and messages. Each event opens one trace.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from trine.apigateway.access_log import AccessLog
from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.errors import FORBIDDEN, INTERNAL_ERROR, URI_TOO_LONG, GatewayError
from trine.apigateway.exchange import Namer
from trine.apigateway.limits import check_limits
from trine.apigateway.served import Parts
from trine.apigateway.throttle import StageThrottle, TokenBucket
from trine.apigateway.usage_plans import UsagePlans
from trine.apigateway.websocket.answers import error_text, refusal, refused_handshake
from trine.apigateway.websocket.connections import Connection, Connections
from trine.apigateway.websocket.directory import Directory, Target
from trine.apigateway.websocket.exchange import SocketExchange
from trine.apigateway.websocket.guard import ConnectGuard
from trine.apigateway.websocket.integration import run_integration
from trine.apigateway.websocket.limits import NEW_CONNECTIONS_PER_SECOND, URL_CHARACTERS
from trine.apigateway.websocket.route_keys import CONNECT, DEFAULT, DISCONNECT
from trine.apigateway.websocket.stage import SocketStage
from trine.apigateway.websocket.validation import RouteValidation, validations
from trine.apigateway.websocket.wire import Wire
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.http.errors import RequestRefused
from trine.http.handshake import Handshake, open_handshake
from trine.http.message import Headers, Request, Response, Switch
from trine.http.websocket import QueueFull, SocketClosed, WebSocket, WebSocketLimits
from trine.metering.tally import metered_messages
from trine.trace import TraceBook

_log = logging.getLogger("trine.apigateway.websocket")
KIND = "websocket"
"""The kind of the traces. Their usage is `metering.usage.SocketUse`: messages either way, and connection minutes."""
PREDEFINED = frozenset({CONNECT, DISCONNECT})


class SocketParts(NamedTuple):
    """What the WebSocket APIs share with the rest of the front door."""

    shared: Parts
    usage: UsagePlans


class _Served(NamedTuple):
    """The rooms of one stage."""

    guard: ConnectGuard | None
    throttle: StageThrottle
    access_log: AccessLog | None
    validations: Mapping[DeployedRoute, RouteValidation]


class Sockets:
    """All WebSocket APIs of a stack."""

    def __init__(
        self,
        directory: Directory,
        parts: SocketParts,
        clock: Clock,
        ids: Ids,
        traces: TraceBook,
        limits: WebSocketLimits | None = None,
    ) -> None:
        self.connections = Connections(ids)
        self._parts, self._clock, self._traces = parts, clock, traces
        self._namer = Namer(ids)
        self._limits = limits or WebSocketLimits()
        self._arrivals = TokenBucket(
            "new connections of the account", NEW_CONNECTIONS_PER_SECOND, NEW_CONNECTIONS_PER_SECOND, clock
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._served = {stage: self._serve(stage) for stage in directory.stages.values()}

    def _serve(self, stage: SocketStage) -> _Served:
        parts, clock = self._parts.shared, self._clock
        connect = stage.by_key.get(CONNECT)
        forwarded = parts.runners.forwarded
        return _Served(
            ConnectGuard(connect, stage, parts.guard, forwarded) if connect is not None else None,
            StageThrottle(stage.stage, stage.routes, parts.account, parts.buckets, rest=False),
            AccessLog(stage.stage, parts.sink, clock) if stage.stage.access_log_format else None,
            {route: made for route, made in validations(stage) if made.needed},
        )

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock.now()

    async def close(self) -> None:
        """Wait for what is still under way: goodbyes to functions. The server has closed the connections before."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    # -- connect ---------------------------------------------------------------------------------------------------

    async def connect(self, request: Request, target: Target) -> Response:
        """Answer a handshake: 101 with a `WebSocket`, or a refusal. Never raises."""
        request_id = self._namer.names(rest=False)[0]
        trace = self._traces.open(KIND, request_id)
        trace.title = f"CONNECT /{target.stage_name}"
        stage = target.stage
        try:
            handshake = open_handshake(request)
        except RequestRefused as refused:
            trace.refuse("apigateway.handshake", f"{refused.reason}: no WebSocket handshake", status=refused.status)
            self._traces.close(trace, refused.status)
            body = b'{"message": "%b"}' % refused.reason.encode()
            response = refusal(refused.status, body, request_id)
            if refused.status == 426:
                response.headers += [(b"Sec-WebSocket-Version", b"13")]
            return response
        if stage is None or target.rest:
            reason = (
                "there is no such stage" if stage is None else f"a WebSocket's path ends with the stage: {target.rest}"
            )
            trace.refuse("apigateway.stage", reason, api=target.api.id, stage=target.stage_name)
            self._traces.close(trace, 403)
            return refused_handshake(GatewayError(FORBIDDEN, reason), "", request_id)
        agent = request.headers.get(b"user-agent")
        connection = Connection(
            self.connections.new_id(),
            stage,
            trace.started_at,
            target.domain_name,
            request.peer_host,
            agent.decode("latin-1") if agent else None,
        )
        exchange = SocketExchange(connection, request, CONNECT, trace, self._namer)
        try:
            head = await self._accepted(exchange, handshake)
        except GatewayError as error:
            self._refuse(exchange, error)
            response = refused_handshake(error, connection.id, request_id)
        except Exception:
            response = refused_handshake(self._fault(exchange), connection.id, request_id)
        else:
            if isinstance(head, bytes):
                connection.identity, connection.authorizer = exchange.identity, exchange.authorizer
                connection.websocket = WebSocket(Wire(self, connection), self._limits)
                response = Switch(connection.websocket, head)
            else:
                response = head
        self._finish(exchange, response)
        return response

    async def _accepted(self, exchange: SocketExchange, handshake: Handshake) -> bytes | Response:
        """The header lines of the 101, or the integration's own refusal. GatewayError when a guard refuses."""
        served = self._served[exchange.deployed]
        if len(exchange.request.target) > URL_CHARACTERS:
            raise GatewayError(
                URI_TOO_LONG, f"the target has {len(exchange.request.target)} bytes", room="apigateway.limits"
            )
        check_limits(exchange.request)
        if not self._arrivals.take():
            raise self._arrivals.refusal()
        route = exchange.deployed.by_key.get(CONNECT)
        if route is None or served.guard is None:  # an API needs no $connect route
            return handshake.head
        exchange.enter(route)
        pending = served.guard.check(exchange)
        if pending is not None:
            await pending
        if route.route.api_key_required:
            self._parts.usage.admit(exchange)
        served.throttle.take(route)
        if route in served.validations:
            served.validations[route].check(exchange)
        answer = await run_integration(exchange, self._clock)
        if not 200 <= answer.status <= 299:
            reason = f"the integration of $connect answered {answer.status}"
            exchange.trace.refuse("apigateway.integration", reason, status=answer.status)
            body = answer.body if isinstance(answer.body, bytes) else b""
            return refusal(answer.status, body, exchange.request_id)
        return handshake.head + _subprotocol(answer, handshake)

    # -- messages --------------------------------------------------------------------------------------------------

    def receive(self, connection: Connection, text: str, done: Callable[[], None]) -> None:
        """A message of `connection`; `done` is called when it has been worked on."""
        task = self._start(self._message(connection, text))
        task.add_done_callback(lambda _: done())

    async def _message(self, connection: Connection, text: str) -> None:
        names = self._namer.names(rest=False)
        trace = self._traces.open(KIND, names[0])
        body = text.encode()
        trace.usage = (metered_messages(len(body)), 0.0)
        trace.payer = connection.stage.payer(DEFAULT)
        request = Request("POST", b"/", Headers(), body, connection.source_ip)
        stage = connection.stage
        exchange = SocketExchange(connection, request, DEFAULT, trace, self._namer)
        exchange.message_id = self._namer.names(rest=False)[0]
        status = 200
        try:
            route = _select(stage, exchange)
            trace.title = f"MESSAGE {exchange.path}"
            trace.step("apigateway.event", {"connectionId": connection.id, "bytes": len(body)})
            if route is None:
                raise GatewayError(
                    FORBIDDEN, "no route has this key, and there is no $default", room="apigateway.router"
                )
            exchange.enter(route)
            served = self._served[stage]
            served.throttle.take(route)
            if route in served.validations:
                served.validations[route].check(exchange)
            answer = await run_integration(exchange, self._clock)
            status = answer.status
            if route.route.responds and isinstance(answer.body, bytes) and answer.body:
                self._reply(exchange, answer.body)
        except GatewayError as error:
            status = error.refusal.status
            self._refuse(exchange, error)
            self._reply(exchange, error_text(error, connection.id, names[0]))
        except Exception:
            status = 500
            self._reply(exchange, error_text(self._fault(exchange), connection.id, names[0]))
        self._finish(exchange, Response(status))

    def _reply(self, exchange: SocketExchange, body: bytes) -> None:
        """Send to the client that wrote; a client that is gone or reads nothing misses its answer, as on AWS."""
        websocket = exchange.connection.websocket
        assert websocket is not None
        try:
            if len(body) > self._limits.message_bytes:
                raise QueueFull
            websocket.send(body.decode("utf-8", "replace").encode())
            exchange.trace.step("apigateway.response", {"bytes": len(body)})
            received, minutes = exchange.trace.usage
            exchange.trace.usage = (received + metered_messages(len(body)), minutes)
        except SocketClosed:
            exchange.trace.step("apigateway.response", {"dropped": "the client has gone"})
        except QueueFull:
            exchange.trace.step("apigateway.response", {"dropped": "too much waits for the client", "bytes": len(body)})

    # -- disconnect ------------------------------------------------------------------------------------------------

    def ended(self, connection: Connection, code: int, reason: str) -> None:
        """`connection` is over; its `$disconnect` route is told."""
        self.connections.remove(connection)
        self._start(self._disconnect(connection, code, reason))

    async def _disconnect(self, connection: Connection, code: int, reason: str) -> None:
        trace = self._traces.open(KIND, self._namer.names(rest=False)[0])
        trace.title = f"DISCONNECT /{connection.stage.stage.name}"
        trace.usage = (0, max(0.0, trace.started_at - connection.connected_at) / 60)
        trace.payer = connection.stage.payer(DISCONNECT)
        request = Request("POST", b"/", Headers(), b"", connection.source_ip)
        exchange = SocketExchange(connection, request, DISCONNECT, trace, self._namer)
        exchange.ending = (code, reason)
        trace.step("apigateway.event", {"connectionId": connection.id, "closeCode": code, "closeReason": reason})
        route = connection.stage.by_key.get(DISCONNECT)
        status = 200
        if route is not None:
            exchange.enter(route)
            try:
                status = (await run_integration(exchange, self._clock)).status
            except GatewayError as error:  # best effort: nobody is left to be told
                self._refuse(exchange, error)
                status = error.refusal.status
            except Exception:
                self._fault(exchange)
                status = 500
        self._finish(exchange, Response(status))

    # -- the way out -----------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _refuse(self, exchange: SocketExchange, error: GatewayError) -> None:
        error.__traceback__ = None  # its frames hold the exchange, which will hold the error
        if exchange.trace.refusal is None:  # the identity wing has already told why it refused
            exchange.trace.refuse(error.room or "apigateway.response", error.reason, **error.facts)
        exchange.refused = error

    def _fault(self, exchange: SocketExchange) -> GatewayError:
        _log.exception("the gateway failed at %s", exchange.trace.title)
        error = GatewayError(INTERNAL_ERROR, "a fault of the gateway itself; see the log")
        self._refuse(exchange, error)
        return error

    def _finish(self, exchange: SocketExchange, response: Response) -> None:
        log = self._served[exchange.deployed].access_log
        if log is not None:
            messages, minutes = exchange.trace.usage or (0, 0.0)
            exchange.trace.usage = (messages, minutes, log.write(exchange, response))
        exchange.trace.step("apigateway.response", {"status": response.status, "connectionId": exchange.connection.id})
        self._traces.close(exchange.trace, response.status)


def _select(stage: SocketStage, exchange: SocketExchange) -> DeployedRoute | None:
    """The route of a message; its key becomes the exchange's path. `$connect` cannot be asked for by name."""
    key = stage.selection(exchange.variable)
    route = stage.by_key.get(key) if key is not None and key not in PREDEFINED else None
    if route is None:
        key, route = DEFAULT, stage.by_key.get(DEFAULT)
    exchange.path = key or DEFAULT
    return route


def _subprotocol(answer: Response, handshake: Handshake) -> bytes:
    """The subprotocol that the integration of `$connect` chose; one that the client did not offer is left out."""
    for name, value in answer.headers:
        if name.lower() == b"sec-websocket-protocol" and value.decode("latin-1") in handshake.subprotocols:
            return b"sec-websocket-protocol: " + value + b"\r\n"
    return b""
