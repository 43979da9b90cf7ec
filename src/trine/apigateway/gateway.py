"""The corridor of the front door: the order of the rooms a request passes, and nothing else.

    stage → limits → router → cors → authorizers → usage plan, throttle → validation → integration → response

Enters an `http.Request`; leaves a `Response`, or a future of one while a function runs. No task is made per request:
what waits, waits in callbacks. Every request opens one trace; every room that decides adds one step.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from trine.apigateway.api import Api
from trine.apigateway.body import BinaryTypes
from trine.apigateway.cors import CorsPolicy
from trine.apigateway.deployment import DeployedStage
from trine.apigateway.errors import (
    FORBIDDEN,
    HEADERS_TOO_LARGE,
    INTEGRATION_TIMEOUT,
    INTERNAL_ERROR,
    MISSING_AUTHENTICATION_TOKEN,
    REQUEST_TOO_LARGE,
    URI_TOO_LONG,
    GatewayError,
    error_response,
)
from trine.apigateway.event import Forwarded
from trine.apigateway.exchange import Exchange, make_ids, make_trace_header
from trine.apigateway.integrations.runner import Runner, Runners
from trine.apigateway.limits import HEADERS_BYTES, PAYLOAD_BYTES, REQUEST_LINE_BYTES
from trine.apigateway.listing import RouteListing, list_routes
from trine.apigateway.stage import Directory, target_path
from trine.aws.arn import Place
from trine.aws.ids import Ids
from trine.aws.invoke import Invoker
from trine.clock import Clock, Timer
from trine.http.message import Request, Response
from trine.trace import TraceBook

_log = logging.getLogger("trine.apigateway")
CLIENT_GONE = 499
"""Status on the trace of a request whose client went away before the answer."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """How the front door presents itself in `X-Forwarded-*`."""

    forwarded_port: str = "3000"
    forwarded_protocol: str = "http"


class _Served:
    """One stage with the rooms that were set up for it."""

    __slots__ = ("cors", "deployed")

    def __init__(self, deployed: DeployedStage, invoker: Invoker, forwarded: Forwarded) -> None:
        self.deployed = deployed
        api = deployed.api
        self.cors = CorsPolicy(api.cors) if api.cors is not None and not api.is_rest else None
        runners = Runners(invoker, BinaryTypes(api.binary_media_types), forwarded)
        for route in deployed.routes:
            route.runner = runners.make(route)


class Gateway:
    """The front door over every API of a stack. `handle` is its `http.Handler`."""

    def __init__(
        self,
        apis: Iterable[Api],
        invoker: Invoker,
        clock: Clock,
        ids: Ids,
        place: Place,
        traces: TraceBook,
        settings: GatewaySettings | None = None,
    ) -> None:
        self.apis: Sequence[Api] = tuple(apis)
        settings = settings or GatewaySettings()
        self._clock, self._ids, self._traces = clock, ids, traces
        self._directory = Directory(self.apis, place)
        forwarded = Forwarded(settings.forwarded_port, settings.forwarded_protocol)
        self._served = {deployed: _Served(deployed, invoker, forwarded) for deployed in self._directory.stages}

    # -- the way in ----------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response | Future[Response]:
        """Answer one request. Never raises; faults of our own are logged and answered as a 500."""
        now_seconds = self._clock.now()
        try:
            host = request.headers.get(b"host")
            located = self._directory.locate(host.decode("latin-1") if host else "", target_path(request.target))
        except GatewayError as error:
            return self._refuse_unplaced(request, error)
        rest = located.deployed.api.is_rest
        request_id, extended_id = make_ids(self._ids, rest=rest)
        exchange = Exchange(request, located, request_id, extended_id, now_seconds)
        trace = exchange.trace = self._traces.open("apigateway", request_id)
        trace.title = f"{request.method} {exchange.full_path}"
        exchange.trace_header = make_trace_header(request.headers.get(b"x-amzn-trace-id"), self._ids, now_seconds)
        try:
            check_limits(request)
            served = self._served[located.deployed]
            if request.method == "OPTIONS" and served.cors is not None:
                preflight = served.cors.preflight(request.headers)
                if preflight is not None:
                    trace.step("apigateway.cors", {"preflight": True})
                    return self._finish(exchange, preflight)
            self._route(exchange)
            return self._integrate(exchange)
        except GatewayError as error:
            return self._refuse(exchange, error)
        except Exception:
            return self._fault(exchange)

    def _route(self, exchange: Exchange) -> None:
        deployed = exchange.deployed
        match = deployed.match(exchange.method, exchange.path)
        if match is None:
            raise GatewayError(
                MISSING_AUTHENTICATION_TOKEN,
                f"no route of {deployed.api.name!r} matches {exchange.method} {exchange.path}",
                room="apigateway.router",
                stage=deployed.stage.name,
            )
        exchange.route, exchange.parameters = match
        assert exchange.trace is not None
        exchange.trace.step("apigateway.router", {"route": exchange.route.key, "stage": deployed.stage.name})

    # -- the integration -----------------------------------------------------------------------------------------

    def _integrate(self, exchange: Exchange) -> Response | Future[Response]:
        runner: Runner = exchange.route.runner
        pending = runner.start(exchange)
        if isinstance(pending, Response):
            assert exchange.trace is not None
            exchange.trace.step("apigateway.integration", {"type": exchange.route.integration.type})
            return self._finish(exchange, pending)
        if pending.done():
            return self._completed(exchange, runner, pending)
        answer: Future[Response] = asyncio.get_running_loop().create_future()
        timer = self._clock.call_later(exchange.route.integration.timeout_seconds, self._timed_out, exchange, answer)
        pending.add_done_callback(partial(self._integrated, exchange, runner, answer, timer))
        return answer

    def _integrated(
        self, exchange: Exchange, runner: Runner, answer: Future[Response], timer: Timer, pending: Future[Any]
    ) -> None:
        timer.cancel()
        if answer.done():  # timed out before, or the client is gone; the function's end is of no use to anyone
            if not pending.cancelled():
                pending.exception()
            if answer.cancelled():
                self._close_gone(exchange)
            return
        answer.set_result(self._completed(exchange, runner, pending))

    def _completed(self, exchange: Exchange, runner: Runner, pending: Future[Any]) -> Response:
        assert exchange.trace is not None
        exchange.trace.step("apigateway.integration", {"type": exchange.route.integration.type})
        try:
            return self._finish(exchange, runner.complete(exchange, pending))
        except GatewayError as error:
            return self._refuse(exchange, error)
        except Exception:
            return self._fault(exchange)

    def _timed_out(self, exchange: Exchange, answer: Future[Response]) -> None:
        if answer.done():
            self._close_gone(exchange)
            return
        seconds = exchange.route.integration.timeout_seconds
        reason = f"the integration did not answer within {seconds:g} s; it goes on without a listener"
        error = GatewayError(INTEGRATION_TIMEOUT, reason, room="apigateway.integration", timeoutSeconds=seconds)
        answer.set_result(self._refuse(exchange, error))

    # -- the way out ---------------------------------------------------------------------------------------------

    def _finish(self, exchange: Exchange, response: Response) -> Response:
        headers = response.headers
        if exchange.rest:
            headers.append((b"x-amzn-RequestId", exchange.request_id.encode()))
            headers.append((b"x-amz-apigw-id", exchange.extended_id.encode()))
            if exchange.integration_status is not None and exchange.error is None:
                headers.append((b"X-Amzn-Trace-Id", exchange.trace_header.encode("latin-1")))
        else:
            headers.append((b"Apigw-Requestid", exchange.request_id.encode()))
            cors = self._served[exchange.deployed].cors
            if cors is not None and response.status != 204:
                cors.apply(response, exchange.request.headers.get(b"origin"))
        trace = exchange.trace
        assert trace is not None
        trace.step("apigateway.response", {"status": response.status})
        self._traces.close(trace, response.status)
        return response

    def _refuse(self, exchange: Exchange, error: GatewayError) -> Response:
        assert exchange.trace is not None
        room = error.facts.pop("room", "apigateway.response")
        exchange.trace.refuse(room, error.reason, **error.facts)
        exchange.error = {"responseType": error.refusal.type, "message": error.message}
        return self._finish(exchange, error_response(error, rest=exchange.rest))

    def _fault(self, exchange: Exchange) -> Response:
        _log.exception("the gateway failed at %s %s", exchange.method, exchange.full_path)
        return self._refuse(exchange, GatewayError(INTERNAL_ERROR, "a fault of the gateway itself; see the log"))

    def _close_gone(self, exchange: Exchange) -> None:
        assert exchange.trace is not None
        if not exchange.trace.ended_ns:
            exchange.trace.step("apigateway.response", {"client": "gone"})
            self._traces.close(exchange.trace, CLIENT_GONE)

    def _refuse_unplaced(self, request: Request, error: GatewayError) -> Response:
        """A refusal before any API was found: the words are REST's only for an unknown stage of a REST API."""
        rest = error.refusal is FORBIDDEN
        request_id, extended_id = make_ids(self._ids, rest=rest)
        trace = self._traces.open("apigateway", request_id)
        trace.title = f"{request.method} {request.path.decode('utf-8', 'replace')[:200]}"
        trace.refuse("apigateway.stage", error.reason, **error.facts)
        response = error_response(error, rest=rest)
        if rest:
            response.headers.append((b"x-amzn-RequestId", request_id.encode()))
            response.headers.append((b"x-amz-apigw-id", extended_id.encode()))
        else:
            response.headers.append((b"Apigw-Requestid", request_id.encode()))
        self._traces.close(trace, response.status)
        return response

    # -- for people ----------------------------------------------------------------------------------------------

    def routes(self) -> list[RouteListing]:
        """Every route of every stage, in template order."""
        return list_routes(self._directory)


def check_limits(request: Request) -> None:
    """GatewayError when the request is larger than API Gateway takes: 413, 414 or 431."""
    if len(request.body) > PAYLOAD_BYTES:
        raise GatewayError(
            REQUEST_TOO_LARGE,
            f"the body has {len(request.body)} bytes, more than {PAYLOAD_BYTES}",
            room="apigateway.limits",
        )
    size = len(request.target)
    if size > REQUEST_LINE_BYTES:
        raise GatewayError(URI_TOO_LONG, f"the target has {size} bytes", room="apigateway.limits")
    for name, value in request.headers.pairs:
        size += len(name) + len(value)
    if size > HEADERS_BYTES:
        raise GatewayError(
            HEADERS_TOO_LARGE,
            f"request line and headers have {size} bytes, more than {HEADERS_BYTES}",
            room="apigateway.limits",
        )
