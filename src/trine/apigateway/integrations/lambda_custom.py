"""AWS with a Lambda function behind it: the event and the answer are made by mapping templates.

Enters an `Exchange`; leaves the future of an `InvokeResponse`, and later the response that the selection patterns
choose by the function's `errorMessage`. A success takes the default integration response.
"""

from __future__ import annotations

from asyncio import Future

import orjson

from trine.apigateway.errors import BAD_REQUEST, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.lambda_proxy import event_detail, invocation_result
from trine.apigateway.integrations.transformation import Transformation, resolve_request_parameter
from trine.apigateway.roles import Roles
from trine.aws.invoke import Invoker, InvokeRequest, InvokeResponse
from trine.http.message import Response

_ASYNC_HEADER = "integration.request.header.x-amz-invocation-type"


class LambdaCustom:
    """Runs one Lambda integration that is no proxy."""

    __slots__ = ("_invocation_type", "_invoker", "_roles", "_transformation")

    def __init__(self, transformation: Transformation, invoker: Invoker, roles: Roles) -> None:
        self._transformation = transformation
        self._invoker = invoker
        self._roles = roles
        mappings = transformation.integration.request_parameters
        self._invocation_type = next((str(v) for k, v in mappings.items() if k.lower() == _ASYNC_HEADER), "")

    def start(self, exchange: Exchange) -> Future[InvokeResponse]:
        """Render the event and invoke. GatewayError 400 when what comes out is not JSON."""
        body = self._transformation.request_body(exchange) or b"{}"
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            message = f"Could not parse request body into json: {error}"
            raise GatewayError(BAD_REQUEST, message, message=message, room="apigateway.mapping") from None
        wanted = resolve_request_parameter(self._invocation_type, exchange, body) if self._invocation_type else None
        route = exchange.route
        trace = exchange.trace
        role = route.role
        if role is not None:
            self._roles.allow_invoke(role, route.function, exchange)
        exchange.made_event(event_detail(route.function, len(body)))
        exchange.sent = route.function, body
        return self._invoker.invoke(
            InvokeRequest(
                route.function,
                body,
                invocation_type="Event" if wanted == "Event" else "RequestResponse",
                caller=route.caller(exchange.method) if role is None else None,
                trace=trace,
                trace_header=exchange.trace_header,
            )
        )

    def complete(self, exchange: Exchange, settled: Future[InvokeResponse]) -> Response:
        """The chosen integration response."""
        answer = invocation_result(exchange, settled)
        exchange.integration_status = answer.status
        exchange.endpoint_request_id = answer.request_id
        transformation = self._transformation
        message = _error_message(answer) if answer.function_error is not None else None
        index = transformation.choose(message) if message is not None else transformation.default()
        headers = {"X-Amz-Executed-Version": answer.executed_version, "x-amzn-RequestId": answer.request_id}
        if message is not None:
            exchange.trace.step("apigateway.mapping", {"functionError": message[:200], "chosen": index})
        return transformation.respond(exchange, index, answer.payload, headers)


def _error_message(answer: InvokeResponse) -> str:
    try:
        document = orjson.loads(answer.payload)
    except orjson.JSONDecodeError:
        return ""
    return str(document.get("errorMessage", "")) if isinstance(document, dict) else ""
