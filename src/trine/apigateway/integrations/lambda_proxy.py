"""AWS_PROXY: the whole request goes to a Lambda function as an event, its answer comes back as the response.

Enters an `Exchange`; leaves the future of an `InvokeResponse`, and later, with that settled, a `Response`. A function
that failed, or was not run, is a `GatewayError` whose trace says why.
"""

from __future__ import annotations

import logging
from asyncio import Future
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from trine.apigateway.body import BinaryTypes
from trine.apigateway.errors import (
    API_CONFIGURATION_ERROR,
    INTEGRATION_REFUSED,
    INTEGRATION_THROTTLED,
    INTERNAL_ERROR,
    MALFORMED_RESPONSE,
    REQUEST_TOO_LARGE,
    GatewayError,
)
from trine.apigateway.event import Forwarded, http_event_v1, rest_event
from trine.apigateway.event_skeleton import EventsV2
from trine.apigateway.exchange import Exchange
from trine.apigateway.response import http_response_v1, http_response_v2, rest_response
from trine.apigateway.roles import Roles
from trine.aws.errors import AwsError
from trine.aws.invoke import Invoker, InvokeRequest, InvokeResponse
from trine.http.message import Response

_log = logging.getLogger("trine.apigateway")


class LambdaProxy:
    """Runs the AWS_PROXY integrations of one stage."""

    __slots__ = ("_binary", "_events", "_forwarded", "_invoker", "_roles")

    def __init__(self, invoker: Invoker, binary: BinaryTypes, forwarded: Forwarded, roles: Roles) -> None:
        self._invoker = invoker
        self._binary = binary
        self._forwarded = forwarded
        self._events = EventsV2(forwarded)
        self._roles = roles

    def start(self, exchange: Exchange) -> Future[InvokeResponse]:
        """Build the event and invoke the function."""
        return self._invoker.invoke(self.request(exchange))

    def request(self, exchange: Exchange) -> InvokeRequest:
        """The invocation with the request as its event. GatewayError when the integration's role may not invoke."""
        route = exchange.route
        if exchange.rest:
            if route.integration.http_method != "POST":
                method = route.integration.http_method
                raise GatewayError(API_CONFIGURATION_ERROR, f"a Lambda integration's httpMethod is POST, not {method}")
            payload = rest_event(exchange, self._binary, self._forwarded)
        elif route.integration.payload_version == "2.0":
            payload = self._events.event(exchange)
        else:
            payload = http_event_v1(exchange, self._forwarded)
        trace = exchange.trace
        role = route.role
        if role is not None:
            self._roles.allow_invoke(role, route.function, exchange)
        exchange.made_event(event_detail(route.function, len(payload)))
        exchange.sent = route.function, payload
        return InvokeRequest(
            route.function,
            payload,
            caller=route.caller(exchange.method) if role is None else None,
            trace=trace,
            trace_header=exchange.trace_header,
        )

    def complete(self, exchange: Exchange, settled: Future[InvokeResponse]) -> Response:
        """The function's answer as a response. GatewayError when it failed or its answer is malformed."""
        answer = invocation_result(exchange, settled)
        exchange.integration_status = answer.status
        exchange.endpoint_request_id = answer.request_id
        if answer.function_error is not None:
            raise function_failed(answer)
        if exchange.rest:
            binary = self._binary
            wanted = not binary.none and binary.match(exchange.request.headers.get(b"accept"))
            return rest_response(answer.payload, binary_wanted=wanted)
        if exchange.route.integration.payload_version == "2.0":
            return http_response_v2(answer.payload)
        return http_response_v1(answer.payload)


@lru_cache(1024)
def event_detail(function: str, size_bytes: int) -> Mapping[str, Any]:
    """What the trace keeps of an event; requests with events of one size share it."""
    return {"bytes": size_bytes, "function": function}


def invocation_result(exchange: Exchange, settled: Future[InvokeResponse]) -> InvokeResponse:
    """The invocation's result, or the GatewayError that a refused invocation becomes."""
    if settled.cancelled():
        raise GatewayError(INTERNAL_ERROR, "the invocation was cancelled")
    error = settled.exception()
    if error is None:
        answer = settled.result()
        exchange.received = answer.payload
        return answer
    raise refused_invocation(exchange, error)


def refused_invocation(exchange: Exchange, error: BaseException) -> GatewayError:
    """What it means for the client that the function was not run."""
    function = exchange.route.function
    if not isinstance(error, AwsError):
        _log.error("invoking %s failed", function, exc_info=error)
        return GatewayError(INTERNAL_ERROR, f"invoking {function} failed: {type(error).__name__}")
    refusal = INTEGRATION_REFUSED
    if error.code == "TooManyRequestsException":
        refusal = INTEGRATION_THROTTLED
    elif error.status == 413:
        refusal = REQUEST_TOO_LARGE
    exchange.integration_status = error.status
    exchange.integration_error = error.message
    return GatewayError(
        refusal, f"Lambda refused the invocation: {error.code}: {error.message}", function=function, code=error.code
    )


def function_failed(answer: InvokeResponse) -> GatewayError:
    """The error of a function that raised, timed out or crashed; the trace names its error type and message."""
    kind, message = "", ""
    try:
        document = orjson.loads(answer.payload)
        kind, message = str(document.get("errorType", "")), str(document.get("errorMessage", ""))
    except (orjson.JSONDecodeError, AttributeError):
        message = "(no error document)"
    reason = f"the function failed: {kind}: {message}"[:1_000]
    return GatewayError(MALFORMED_RESPONSE, reason, functionError=answer.function_error, invocation=answer.request_id)
