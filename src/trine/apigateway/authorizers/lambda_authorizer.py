"""Lambda authorizers: TOKEN and REQUEST of REST APIs, REQUEST (1.0 and 2.0) of HTTP APIs.

Enters an `Exchange` with its route; leaves nothing when a cached verdict allows it, or a future that does the same when
the function has answered. A refusal is a `GatewayError`: 401 before any call when an identity source is missing, 403
when the verdict says no, 500 when the function fails or talks nonsense.
"""

from __future__ import annotations

import asyncio
import re
from asyncio import Future
from functools import partial
from typing import Any, NamedTuple

import orjson

from trine.apigateway.api import Authorizer, function_of
from trine.apigateway.authorizers.identity import identity_reader
from trine.apigateway.authorizers.resource_policy import condition_values
from trine.apigateway.authorizers.verdict import Verdict, VerdictCache, read_verdict
from trine.apigateway.deployment import APIGATEWAY, DeployedStage, fill_stage_variables
from trine.apigateway.errors import AUTHORIZER_CONFIGURATION_ERROR, UNAUTHORIZED, GatewayError
from trine.apigateway.event import http_context, rest_context
from trine.apigateway.exchange import Exchange
from trine.apigateway.limits import LAMBDA_AUTHORIZER_TIMEOUT_SECONDS
from trine.apigateway.parameters import (
    decode_parameters,
    http_v1_headers,
    rest_headers,
    rest_query,
)
from trine.apigateway.roles import Roles
from trine.aws.errors import AwsError
from trine.aws.http_payload import decode_path, http_headers, http_query
from trine.aws.invoke import Invoker, InvokeRequest, InvokeResponse, ServiceCaller
from trine.aws.patterns import PatternRefused, compile_pattern
from trine.clock import Clock, Timer

ROOM = "apigateway.authorizer"

_ENCODED_PLAIN = re.compile("%(2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")


class LambdaParts(NamedTuple):
    """What all Lambda authorizers share."""

    invoker: Invoker
    clock: Clock
    cache: VerdictCache
    roles: Roles


class LambdaAuthorizer:
    """One Lambda authorizer in one stage."""

    def __init__(self, authorizer: Authorizer, deployed: DeployedStage, parts: LambdaParts) -> None:
        self._authorizer = authorizer
        self._rest = deployed.rest
        self._invoker, self._clock, self._cache, self._roles = parts
        uri = fill_stage_variables(authorizer.uri, deployed.stage.variables)
        self._function = function_of(uri) or ""
        place = deployed.place
        source = place.execute_api(deployed.api.id, f"authorizers/{authorizer.name}")
        self._caller = ServiceCaller(APIGATEWAY, source, place.account_id)
        self._scope = (deployed.api.id, deployed.stage.name, authorizer.name)
        self._readers = [identity_reader(source) for source in authorizer.identity_sources]
        self._cached_detail = {"authorizer": authorizer.name, "cached": True}
        self._needed = authorizer.kind == "TOKEN" or not self._rest or authorizer.ttl_seconds > 0
        self._simple = not self._rest and authorizer.simple_responses and authorizer.payload_version == "2.0"

    def check(self, exchange: Exchange) -> Future[None] | None:
        """None: allowed by a cached verdict. Else a future that resolves when allowed, or fails with GatewayError."""
        authorizer = self._authorizer
        values = [read(exchange) for read in self._readers]
        self._require(values)
        key = (*self._scope, *values)
        cached = self._cache.get(key) if authorizer.ttl_seconds and values else None
        if cached is not None:
            exchange.trace.step(ROOM, self._cached_detail)
            self._apply(exchange, cached)
            return None
        if not self._function:
            reason = f"the authorizer's URI {authorizer.uri!r} names no function"
            raise GatewayError(AUTHORIZER_CONFIGURATION_ERROR, reason)
        if authorizer.credentials:
            self._roles.allow_invoke(authorizer.credentials, self._function, exchange)
        pending = self._invoker.invoke(
            InvokeRequest(
                self._function,
                orjson.dumps(self._event(exchange, values)),
                caller=None if authorizer.credentials else self._caller,
                trace=exchange.trace,
                trace_header=exchange.trace_header,
            )
        )
        answer: Future[None] = asyncio.get_running_loop().create_future()
        timer = self._clock.call_later(LAMBDA_AUTHORIZER_TIMEOUT_SECONDS, self._timed_out, answer)
        pending.add_done_callback(partial(self._answered, exchange, key, bool(values), answer, timer))
        return answer

    def _require(self, values: list[str | None]) -> None:
        authorizer = self._authorizer
        if self._needed and None in values:
            for source, value in zip(authorizer.identity_sources, values, strict=True):
                if value is None:
                    raise GatewayError(UNAUTHORIZED, f"the identity source {source} is missing", source=source)
        if authorizer.identity_validation and values and values[0] is not None:
            try:
                valid = compile_pattern(authorizer.identity_validation).matches(values[0])
            except PatternRefused as error:
                raise GatewayError(AUTHORIZER_CONFIGURATION_ERROR, str(error)) from None
            if not valid:
                raise GatewayError(UNAUTHORIZED, "the token does not match identityValidationExpression")

    # -- the call --------------------------------------------------------------------------------------------------

    def _event(self, exchange: Exchange, values: list[str | None]) -> dict[str, Any]:
        arn = request_arn(exchange)
        if self._authorizer.kind == "TOKEN":
            return {"type": "TOKEN", "authorizationToken": values[0], "methodArn": arn}
        if self._rest:
            return {"type": "REQUEST", "methodArn": arn, **_rest_request(exchange)}
        if self._authorizer.payload_version == "2.0":
            return {"version": "2.0", "type": "REQUEST", "routeArn": arn, **_http_request(exchange, values)}
        joined = ",".join(value or "" for value in values)
        event = _rest_request(exchange)
        event["path"] = decode_path(exchange.full_path)
        event["headers"], _ = http_v1_headers(exchange.request.headers.pairs)
        for name in ("multiValueHeaders", "multiValueQueryStringParameters"):
            del event[name]
        first = {"version": "1.0", "type": "REQUEST", "methodArn": arn, "identitySource": joined}
        return {**first, "authorizationToken": joined, **event}

    def _timed_out(self, answer: Future[None]) -> None:
        if not answer.done():
            reason = f"the authorizer did not answer within {LAMBDA_AUTHORIZER_TIMEOUT_SECONDS:g} s"
            answer.set_exception(GatewayError(AUTHORIZER_CONFIGURATION_ERROR, reason))

    def _answered(
        self,
        exchange: Exchange,
        key: tuple[str | None, ...],
        identified: bool,
        answer: Future[None],
        timer: Timer,
        settled: Future[InvokeResponse],
    ) -> None:
        timer.cancel()
        if answer.done():
            if not settled.cancelled():
                settled.exception()
            return
        try:
            verdict = self._verdict(settled)
            if self._authorizer.ttl_seconds and identified:
                self._cache.put(key, verdict, self._authorizer.ttl_seconds)
            exchange.trace.step(ROOM, {"authorizer": self._authorizer.name, "cached": False})
            self._apply(exchange, verdict)
        except GatewayError as error:
            answer.set_exception(error)
        else:
            answer.set_result(None)

    def _verdict(self, settled: Future[InvokeResponse]) -> Verdict:
        error = None if settled.cancelled() else settled.exception()
        if error is not None:
            why = f"{error.code}: {error.message}" if isinstance(error, AwsError) else type(error).__name__
            raise GatewayError(AUTHORIZER_CONFIGURATION_ERROR, f"the authorizer could not be invoked: {why}")
        if settled.cancelled():
            raise GatewayError(AUTHORIZER_CONFIGURATION_ERROR, "the authorizer's invocation was cancelled")
        result = settled.result()
        if result.function_error is not None:
            message = _error_message(result.payload)
            if self._rest and message == "Unauthorized":
                raise GatewayError(UNAUTHORIZED, "the authorizer raised Unauthorized")
            raise GatewayError(AUTHORIZER_CONFIGURATION_ERROR, f"the authorizer failed: {message}"[:1_000])
        return read_verdict(result.payload, rest=self._rest, simple=self._simple)

    def _apply(self, exchange: Exchange, verdict: Verdict) -> None:
        verdict.check(request_arn(exchange), partial(condition_values, exchange))
        exchange.principal_id = verdict.principal_id
        exchange.usage_key = verdict.usage_key
        if self._rest:
            exchange.authorizer = {"principalId": verdict.principal_id, "integrationLatency": 0, **verdict.context}
        elif exchange.route.integration.payload_version == "2.0":
            exchange.authorizer = {"lambda": verdict.context or None}
        else:
            principal = {"principalId": verdict.principal_id} if verdict.principal_id is not None else {}
            exchange.authorizer = {**principal, **verdict.context}


def request_arn(exchange: Exchange) -> str:
    """`methodArn`: the ARN of this very request."""
    path = plain_path(exchange.path) if exchange.rest else decode_path(exchange.path)
    return exchange.deployed.execute_api_arn(exchange.method, path)


def plain_path(path: str) -> str:
    """The path as it was sent, but for letters, digits and `-._~`, which mean the same encoded (RFC 3986, 6.2.2.2).

    Otherwise a policy that denies `/admin` would let pass `/%61dmin`, which a greedy route and its function decode.
    """
    return _ENCODED_PLAIN.sub(lambda found: chr(int(found[1], 16)), path) if "%" in path else path


def _rest_request(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    single, multi = rest_headers(request.headers.pairs)
    query, multi_query = rest_query(request.query)
    return {
        "resource": exchange.route.resource_path,
        "path": exchange.shown_path,
        "httpMethod": exchange.method,
        "headers": single,
        "multiValueHeaders": multi,
        "queryStringParameters": query or {},
        "multiValueQueryStringParameters": multi_query or {},
        "pathParameters": exchange.parameters or {},
        "stageVariables": dict(exchange.deployed.stage.variables),
        "requestContext": rest_context(exchange, single.get("User-Agent")),
    }


def _http_request(exchange: Exchange, values: list[str | None]) -> dict[str, Any]:
    request = exchange.request
    headers, cookies = http_headers(request.headers.pairs)
    path = decode_path(exchange.full_path)
    event: dict[str, Any] = {
        "identitySource": values or None,
        "routeKey": exchange.route.key,
        "rawPath": path,
        "rawQueryString": request.query.decode("latin-1"),
        "headers": headers,
        "requestContext": http_context(exchange, path, headers.get("user-agent", "")),
    }
    if cookies is not None:
        event["cookies"] = cookies
    if (query := http_query(request.query)) is not None:
        event["queryStringParameters"] = query
    if exchange.parameters is not None:
        event["pathParameters"] = decode_parameters(exchange.parameters)
    if exchange.deployed.stage.variables:
        event["stageVariables"] = dict(exchange.deployed.stage.variables)
    return event


def _error_message(payload: bytes) -> str:
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return ""
    return str(document.get("errorMessage", "")) if isinstance(document, dict) else ""
