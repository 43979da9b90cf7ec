"""What stands behind a WebSocket route: the shared integrations, with the events and answers of WebSocket APIs.

Enters a `SocketExchange` with its route; leaves a `Response` whose status decides whether a connection is accepted and
whose body is the message for the client. Faults are `GatewayError`s. A room has `start` and `complete`, as in
`integrations.runner`.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable
from typing import Any

import orjson

from trine.apigateway.api import Integration
from trine.apigateway.errors import INTEGRATION_TIMEOUT, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.lambda_proxy import function_failed, invocation_result
from trine.apigateway.integrations.mock import status_code
from trine.apigateway.integrations.runner import Runner, RunnerParts, Runners
from trine.apigateway.response import rest_response
from trine.apigateway.websocket.event import event
from trine.apigateway.websocket.exchange import SocketExchange
from trine.apigateway.websocket.stage import SocketStage
from trine.apigateway.websocket.transformation import SocketTransformation
from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.clock import Clock
from trine.http.message import Response


class SocketProxy:
    """AWS_PROXY: the event goes to a function, `body` of its answer comes back."""

    def __init__(self, parts: RunnerParts) -> None:
        self._parts = parts

    def start(self, exchange: Exchange) -> Future[InvokeResponse]:
        """Build the event and invoke the function."""
        assert isinstance(exchange, SocketExchange)
        route, parts = exchange.route, self._parts
        payload = orjson.dumps(event(exchange, parts.forwarded))
        if route.role is not None:
            parts.roles.allow_invoke(route.role, route.function, exchange)
        exchange.made_event({"bytes": len(payload), "function": route.function})
        return parts.invoker.invoke(
            InvokeRequest(
                route.function,
                payload,
                caller=route.caller("") if route.role is None else None,
                trace=exchange.trace,
                trace_header=exchange.trace_header,
            )
        )

    def complete(self, exchange: Exchange, settled: Future[InvokeResponse]) -> Response:
        """The function's answer. GatewayError when it failed or its answer is malformed."""
        answer = invocation_result(exchange, settled)
        exchange.integration_status = answer.status
        if answer.function_error is not None:
            raise function_failed(answer)
        return rest_response(answer.payload, binary_wanted=True)


class SocketMock:
    """MOCK: the gateway answers by itself, with the `statusCode` that the request template gives."""

    def __init__(self, transformation: SocketTransformation) -> None:
        self._transformation = transformation

    def start(self, exchange: Exchange) -> Response:
        """The whole answer, at once."""
        status = status_code(self._transformation.request_body(exchange))
        exchange.integration_status = int(status)
        return self._transformation.respond(exchange, self._transformation.choose(status), b"", {})

    def complete(self, exchange: Exchange, settled: Future[Any]) -> Response:
        """Never called: nothing is waited for."""
        raise AssertionError("a MOCK integration does not wait")


class SocketRunners(Runners):
    """Makes the rooms of one stage's integrations."""

    def __init__(self, stage: SocketStage, parts: RunnerParts) -> None:
        super().__init__(stage, parts)
        self._proxy = SocketProxy(parts)

    def _transformation(self, integration: Integration) -> SocketTransformation:
        return SocketTransformation(integration)

    def _mock(self, integration: Integration) -> Runner:
        return SocketMock(SocketTransformation(integration))


def prepare(stage: SocketStage, parts: RunnerParts) -> list[str]:
    """Give each route of `stage` its room; what integrations ask for and cannot have, in words."""
    runners = SocketRunners(stage, parts)
    for route in stage.routes:
        route.runner = runners.make(route)
    return runners.problems


async def run_integration(exchange: SocketExchange, clock: Clock) -> Response:
    """Run the integration of the exchange's route within its time. GatewayError when it fails."""
    runner: Runner = exchange.route.runner
    pending = runner.start(exchange)
    if not isinstance(pending, Response):
        await settled_within(pending, exchange.route.integration.timeout_seconds, clock)
        exchange.integrated()
        return runner.complete(exchange, pending)
    exchange.integrated()
    return pending


async def settled_within(pending: Future[Any], seconds: float, clock: Clock) -> None:
    """Wait until `pending` is settled, whatever its result. GatewayError 504 after `seconds`; it goes on unheard."""
    if pending.done():
        return
    waiter: Future[None] = asyncio.get_running_loop().create_future()
    timer = clock.call_later(seconds, _set, waiter)
    pending.add_done_callback(_setter(waiter))
    try:
        await waiter
    finally:
        timer.cancel()
    if not pending.done():
        pending.add_done_callback(_heard)
        reason = f"the integration did not answer within {seconds:g} s; it goes on without a listener"
        raise GatewayError(INTEGRATION_TIMEOUT, reason, room="apigateway.integration", timeoutSeconds=seconds)


def _set(waiter: Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _setter(waiter: Future[None]) -> Callable[[Future[Any]], None]:
    return lambda _: _set(waiter)


def _heard(late: Future[Any]) -> None:
    """Take note of a late failure, so that nobody warns of one that was never looked at."""
    if not late.cancelled():
        late.exception()
