"""The corridor of the front door: the order of the rooms a request passes, and nothing else.

    stage → limits → router → cors → authorizers → usage plan → throttle → validation → cache → integration
    → response

Enters an `http.Request`; leaves a `Response`, or a future of one while a function runs. No task is made per request:
what waits, waits in callbacks. Every request opens one trace; every room that decides adds one step.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from trine.apigateway.access_log import Sink, log_sink
from trine.apigateway.api import Api, ApiKind
from trine.apigateway.authorizers.guard import ROOM as AUTHORIZER_ROOM
from trine.apigateway.authorizers.guard import GuardParts
from trine.apigateway.authorizers.jwks import KeySets
from trine.apigateway.authorizers.verdict import VerdictCache
from trine.apigateway.errors import (
    FORBIDDEN,
    INTEGRATION_TIMEOUT,
    INTERNAL_ERROR,
    MISSING_AUTHENTICATION_TOKEN,
    GatewayError,
    door_response,
    error_response,
)
from trine.apigateway.event import Forwarded
from trine.apigateway.exchange import Exchange, Namer
from trine.apigateway.integrations.own_apis import OwnApis
from trine.apigateway.integrations.runner import Runner, RunnerParts
from trine.apigateway.limits import check_limits
from trine.apigateway.listing import RouteListing, list_routes
from trine.apigateway.metered import payer_of, request_use
from trine.apigateway.patience import Patience
from trine.apigateway.quota import QuotaLedger
from trine.apigateway.roles import Roles
from trine.apigateway.served import Parts, Served
from trine.apigateway.settings import GatewaySettings, unreachable
from trine.apigateway.stage import Directory
from trine.apigateway.throttle import Buckets
from trine.apigateway.usage_plans import UsagePlans
from trine.aws.arn import Place
from trine.aws.ids import Ids
from trine.aws.invoke import Invoker
from trine.clock import Clock
from trine.http.answer import Answer, when_settled
from trine.http.client import Client
from trine.http.message import Handler, Request, Response
from trine.iam.access import Access
from trine.metering.usage import Payers
from trine.trace import TraceBook

_log = logging.getLogger("trine.apigateway")
CLIENT_GONE = 499
"""Status on the trace of a request whose client went away before the answer."""


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
        *,
        access: Access | None = None,
        usage: UsagePlans | None = None,
        buckets: Buckets | None = None,
        access_log: Sink = log_sink,
        services: Mapping[str, Handler] | None = None,
    ) -> None:
        self.apis: Sequence[Api] = tuple(apis)
        settings = settings or GatewaySettings()
        self._clock, self._traces = clock, traces
        self._namer = Namer(ids)
        self.payers = Payers()
        self._receipt = settings.receipt
        self._patience: dict[float, Patience[Exchange]] = {}
        served_here = (api for api in self.apis if api.kind is not ApiKind.WEBSOCKET)
        self._directory = Directory(served_here, place, settings.endpoint)
        buckets = buckets or Buckets(clock)
        self.usage = usage or UsagePlans((), (), QuotaLedger(clock), buckets)
        self.verdicts = VerdictCache(clock)
        keys = self.keys = KeySets(clock, settings.issuer_urls)
        forwarded = Forwarded(settings.forwarded_port, settings.forwarded_protocol)
        roles = Roles(access, clock)
        caller = OwnApis(Client(clock), [api.id for api in self.apis], self.handle)
        parts = Parts(
            GuardParts(invoker, clock, access, keys, self.verdicts, roles),
            buckets.bucket(
                f"{place.account_id}/{place.region}",
                "the account",
                settings.account_rate_per_second,
                settings.account_burst,
            ),
            buckets,
            RunnerParts(invoker, clock, roles, services or {}, caller, forwarded, settings.links),
            access_log,
        )
        self.parts = parts
        """What every stage shares; `front` gives it to the WebSocket APIs."""
        self._served = {
            deployed: Served(deployed, parts) for deployed in (*self._directory.stages, *self._directory.canaries)
        }
        for deployed in self._directory.stages:
            if deployed.canary is not None:  # a share of the stage's requests, not a second allowance
                self._served[deployed.canary].throttle = self._served[deployed].throttle
        self.problems = tuple(
            dict.fromkeys(
                [
                    *(p for api in self.apis for p in api.problems),
                    *unreachable(self.apis, settings.endpoint),
                    *(p for s in self._served.values() for p in s.problems),
                ]
            )
        )
        """What the templates ask for and cannot have, in words for people."""

    # -- the way in ------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response | Future[Response]:
        """Answer one request. Never raises; faults of our own are logged and answered as a 500."""
        try:
            located, match, title = self._directory.place(request)
        except GatewayError as error:
            return self._refuse_unplaced(request, error)
        names = self._namer.names(rest=located.deployed.rest)
        trace = self._traces.open("apigateway", names[0])
        trace.title = title
        if self._traces.keeps_origin:
            trace.origin = request.headers.get(b"traceparent"), request.headers.get(b"x-amzn-trace-id")
        exchange = Exchange(request, located, names, trace, self._namer)
        served = self._served[located.deployed]
        try:
            check_limits(request)
            if served.compression is not None:
                exchange.request = served.compression.unpack(request)
            if request.method == "OPTIONS" and served.cors is not None:
                preflight = served.cors.preflight(request.headers)
                if preflight is not None:
                    trace.step("apigateway.cors", {"preflight": True})
                    return self._finish(exchange, preflight, preflight=True)
            if match is None:
                raise _no_route(exchange)
            exchange.route, exchange.parameters = match
            exchange.routed_ns = trace.reached()
            pending = served.guard.check(exchange)
        except GatewayError as error:
            if exchange.has_route:
                error.room = error.room or AUTHORIZER_ROOM
            return self._refuse(exchange, error)
        except Exception:
            return self._fault(exchange)
        if pending is None:
            return self._admitted(exchange, served)
        answer: Future[Response] = asyncio.get_running_loop().create_future()
        pending.add_done_callback(partial(self._authorized, exchange, served, answer))
        return answer

    def _authorized(self, exchange: Exchange, served: Served, answer: Future[Response], settled: Future[None]) -> None:
        error = None if settled.cancelled() else settled.exception()
        if answer.done():
            self._close_gone(exchange)
            return
        if isinstance(error, GatewayError):
            error.room = error.room or AUTHORIZER_ROOM
            answer.set_result(self._refuse(exchange, error))
            return
        if error is not None or settled.cancelled():
            _log.error("the authorizer failed", exc_info=error)
            reason = "a fault of the gateway itself; see the log"
            answer.set_result(self._refuse(exchange, GatewayError(INTERNAL_ERROR, reason)))
            return
        outcome = self._admitted(exchange, served)
        if isinstance(outcome, Response):
            answer.set_result(outcome)
        else:
            outcome.add_done_callback(partial(_hand_on, answer))

    def _admitted(self, exchange: Exchange, served: Served) -> Response | Future[Response]:
        """The caller may pass: count, check, and run the integration."""
        route = exchange.route
        try:
            if route.route.api_key_required:
                self.usage.admit(exchange)
            served.throttle.take(route)
            validation = served.validations.get(route)
            if validation is not None:
                validation.check(exchange)
            if served.cache is not None and (kept := served.cache.find(exchange)) is not None:
                return self._finish(exchange, kept)
            return self._integrate(exchange)
        except GatewayError as error:
            return self._refuse(exchange, error)
        except Exception:
            return self._fault(exchange)

    # -- the integration -------------------------------------------------------------------------------------------

    def _integrate(self, exchange: Exchange) -> Response | Future[Response]:
        exchange.trace.payer = payer_of(exchange, self.payers)
        route = exchange.route
        runner: Runner = route.runner
        pending = runner.start(exchange)
        if isinstance(pending, Response):
            exchange.integrated_ns = exchange.trace.reached()
            return self._finish(exchange, pending)
        if pending.done():
            return self._completed(exchange, runner, pending)
        answer: Answer[Response] = Answer(loop=pending.get_loop())
        seconds = route.integration.timeout_seconds
        patience = self._patience.get(seconds)
        if patience is None:
            patience = self._patience[seconds] = Patience(seconds, self._clock, self._timed_out)
        patience.begin(answer, exchange)
        when_settled(pending, partial(self._integrated, exchange, runner, answer, patience))
        return answer

    def _integrated(
        self,
        exchange: Exchange,
        runner: Runner,
        answer: Future[Response],
        patience: Patience[Exchange],
        pending: Future[Any],
    ) -> None:
        patience.end(answer)
        if answer.done():  # timed out before, or the client is gone; the function's end is of no use to anyone
            if not pending.cancelled() and pending.exception() is None:
                abandon = getattr(pending.result(), "abandon", None)
                if abandon is not None:  # an answer that has begun is still being made
                    abandon()
            if answer.cancelled():
                self._close_gone(exchange)
            return
        answer.set_result(self._completed(exchange, runner, pending))

    def _completed(self, exchange: Exchange, runner: Runner, pending: Future[Any]) -> Response:
        exchange.integrated_ns = exchange.trace.reached()
        try:
            response = runner.complete(exchange, pending)
            cache = self._served[exchange.deployed].cache
            if cache is not None:
                cache.keep(exchange, response)
            return self._finish(exchange, response)
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

    # -- the way out -----------------------------------------------------------------------------------------------

    def _finish(self, exchange: Exchange, response: Response, *, preflight: bool = False) -> Response:
        served = self._served[exchange.deployed]
        if served.compression is not None:
            served.compression.pack(exchange.request.headers.get(b"accept-encoding"), response)
        headers = response.headers
        if exchange.rest:
            headers.append((b"x-amzn-RequestId", exchange.request_id.encode()))
            headers.append((b"x-amz-apigw-id", exchange.extended_id.encode()))
            if exchange.integration_status is not None and exchange.refused is None:
                headers.append((b"X-Amzn-Trace-Id", exchange.trace_header.encode("latin-1")))
        else:
            headers.append((b"Apigw-Requestid", exchange.request_id.encode()))
            if served.cors is not None and not preflight:
                served.cors.apply(response, exchange.request.headers.get(b"origin"))
        log_bytes = 0
        if served.access_log is not None:
            log_bytes += served.access_log.write(exchange, response)
        if served.execution_log is not None:
            log_bytes += served.execution_log.write(exchange, response)
        trace = exchange.trace
        trace.usage = request_use(exchange, response, log_bytes)
        if exchange.has_route:
            trace.way = exchange.way()
            if trace.payer is None:
                trace.payer = exchange.route.payer
        self._traces.close(trace, response.status, "apigateway.response")
        if self._receipt is not None:
            headers.append((b"X-Trine-Receipt", self._receipt(trace)))
        return response

    def _refuse(self, exchange: Exchange, error: GatewayError) -> Response:
        error.__traceback__ = None  # its frames hold the exchange, which will hold the error: no work for the collector
        trace = exchange.trace
        if trace.refusal is None:  # the identity wing has already told why it refused
            trace.refuse_as(error.explanation)
        exchange.refused = error
        return self._finish(exchange, self._served[exchange.deployed].responses.render(error, exchange))

    def _fault(self, exchange: Exchange) -> Response:
        _log.exception("the gateway failed at %s %s", exchange.method, exchange.full_path)
        error = GatewayError(INTERNAL_ERROR, "a fault of the gateway itself; see the log")
        return self._refuse(exchange, error)

    def _close_gone(self, exchange: Exchange) -> None:
        if not exchange.trace.ended_ns:
            exchange.trace.way = exchange.way()
            exchange.trace.step("apigateway.response", {"client": "gone"})
            self._traces.close(exchange.trace, CLIENT_GONE)

    def _refuse_unplaced(self, request: Request, error: GatewayError) -> Response:
        """A refusal before any API was found: the words are REST's only for an unknown stage of a REST API."""
        rest = error.refusal is FORBIDDEN
        title = f"{request.method} {request.path.decode('utf-8', 'replace')[:200]}"
        response = error_response(error, rest=rest)
        return self._unplaced(response, title, "apigateway.stage", error.reason, error.facts, rest=rest)

    def refuse_unread(self, status: int, reason: str) -> Response:
        """The answer to what the HTTP server could not take for a request: its `error_response`. In the words of the
        template's first API, with an id and a trace like any other refusal."""
        rest = bool(self.apis) and self.apis[0].is_rest
        response = door_response(status, reason, rest=rest)
        return self._unplaced(response, "(no request)", "http.protocol", reason, {"status": status}, rest=rest)

    def _unplaced(
        self, response: Response, title: str, room: str, reason: str, facts: Mapping[str, Any], *, rest: bool
    ) -> Response:
        """Put ids on a refusal that no stage made, and tell it on a trace of its own."""
        request_id, extended_id = self._namer.names(rest=rest)
        trace = self._traces.open("apigateway", request_id)
        trace.title = title
        trace.refuse(room, reason, **facts)
        if rest:
            response.headers.append((b"x-amzn-RequestId", request_id.encode()))
            response.headers.append((b"x-amz-apigw-id", extended_id.encode()))
        else:
            response.headers.append((b"Apigw-Requestid", request_id.encode()))
        self._traces.close(trace, response.status)
        return response

    # -- for people ------------------------------------------------------------------------------------------------

    def flush_cache(self, api_id: str, stage: str) -> None:
        """Forget the cached answers of a stage."""
        for deployed, served in self._served.items():
            if deployed.api.id == api_id and deployed.stage.name == stage and served.cache is not None:
                served.cache.clear()

    def routes(self) -> list[RouteListing]:
        """Every route of every stage, in template order."""
        return list_routes(self._directory)


def _no_route(exchange: Exchange) -> GatewayError:
    """The refusal of a request that fits no route."""
    deployed = exchange.deployed
    reason = f"no route of {deployed.api.name!r} matches {exchange.method} {exchange.path}"
    stage = deployed.stage.name
    return GatewayError(MISSING_AUTHENTICATION_TOKEN, reason, room="apigateway.router", stage=stage)


def _hand_on(answer: Future[Response], settled: Future[Response]) -> None:
    """The integration's answer becomes the answer of the request whose authorizer had to be waited for."""
    if not answer.done():
        answer.set_result(settled.result())
