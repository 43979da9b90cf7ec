"""Access logs: one line per request in the stage's own format.

Enters a finished `Exchange` and its `Response`; leaves a line for a sink, which the stack gives (a log group, a file).
Unknown `$context` variables are written `-`. Source: "Variables for access logging".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from trine.apigateway.api import Authorization, Stage
from trine.apigateway.context import context_variables, fill_context
from trine.apigateway.exchange import Exchange
from trine.clock import Clock
from trine.http.message import Response

Sink = Callable[[str, str], None]
"""Takes (destination ARN, line)."""

_REFUSED_BY_AUTHORIZERS = frozenset(
    {"ACCESS_DENIED", "UNAUTHORIZED", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "INVALID_SIGNATURE",
     "EXPIRED_TOKEN", "MISSING_AUTHENTICATION_TOKEN"}
)  # fmt: skip
LINE_CHARACTERS = 8_192
_log = logging.getLogger("trine.apigateway.access")


def log_sink(destination: str, line: str) -> None:
    """The sink when the stack gives none: Python's logging."""
    _log.info("%s", line)


def _authorizer(exchange: Exchange, response: Response, known: object) -> dict[str, object]:
    """`$context.authorizer`, and how the authorizer did."""
    refused = exchange.refused is not None and exchange.refused.refusal.type in _REFUSED_BY_AUTHORIZERS
    shown: dict[str, object] = {
        "latency": exchange.authorizer_latency_ms,
        "integrationLatency": exchange.authorizer_latency_ms,
        "status": response.status if refused else 200,
        "error": (exchange.error or {}).get("message") if refused else None,
    }
    if isinstance(known, Mapping):
        shown.update(known)
    if exchange.principal_id is not None:
        shown["principalId"] = exchange.principal_id
    return shown


class AccessLog:
    """Writes the access log of one stage."""

    __slots__ = ("_clock", "_destination", "_format", "_sink")

    def __init__(self, stage: Stage, sink: Sink, clock: Clock) -> None:
        self._format = stage.access_log_format or ""
        self._destination = stage.access_log_destination or ""
        self._sink, self._clock = sink, clock

    def write(self, exchange: Exchange, response: Response) -> int:
        """Write the line of a request that is answered; its length in bytes."""
        variables = context_variables(exchange)
        latency = (self._clock.monotonic_ns() - exchange.trace.started_ns) // 1_000_000
        length = len(response.body) if isinstance(response.body, bytes) else None
        error = exchange.error or {}
        integration_status = exchange.integration_status
        integration_latency = exchange.integration_latency_ms if integration_status is not None else None
        variables.update(
            status=response.status,
            responseLength=length,
            responseLatency=latency,
            integrationLatency=integration_latency,
            integrationStatus=integration_status,
            integrationErrorMessage=exchange.integration_error,
            errorMessage=error.get("message"),
            errorResponseType=error.get("responseType"),
            integration={
                "status": integration_status,
                "integrationStatus": integration_status,
                "latency": integration_latency,
                "error": exchange.integration_error,
                "requestId": exchange.endpoint_request_id,
            },
        )
        if exchange.has_route and exchange.route.route.authorization is not Authorization.NONE:
            variables["authorizer"] = _authorizer(exchange, response, variables.get("authorizer"))
            variables["authorize"] = {
                "latency": exchange.authorizer_latency_ms,
                "status": variables["authorizer"]["status"],
            }
        if not exchange.rest:
            variables["dataProcessed"] = len(exchange.request.body) + (length or 0)
        line = fill_context(self._format, variables).replace("\r", " ").replace("\n", " ")
        line = line[:LINE_CHARACTERS]
        self._sink(self._destination, line)
        return len(line.encode("utf-8", "replace"))
