"""Access logs: one line per request in the stage's own format.

Enters a finished `Exchange` and its `Response`; leaves a line for a sink, which the stack gives (a log group, a file).
Unknown `$context` variables are written `-`. Source: "Variables for access logging".
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from trine.apigateway.api import Stage
from trine.apigateway.context import context_variables, fill_context
from trine.apigateway.exchange import Exchange
from trine.clock import Clock
from trine.http.message import Response

Sink = Callable[[str, str], None]
"""Takes (destination ARN, line)."""

LINE_CHARACTERS = 8_192
_log = logging.getLogger("trine.apigateway.access")


def log_sink(destination: str, line: str) -> None:
    """The sink when the stack gives none: Python's logging."""
    _log.info("%s", line)


class AccessLog:
    """Writes the access log of one stage."""

    __slots__ = ("_clock", "_destination", "_format", "_sink")

    def __init__(self, stage: Stage, sink: Sink, clock: Clock) -> None:
        self._format = stage.access_log_format or ""
        self._destination = stage.access_log_destination or ""
        self._sink, self._clock = sink, clock

    def write(self, exchange: Exchange, response: Response) -> None:
        """Write the line of a request that is answered."""
        variables = context_variables(exchange)
        latency = (self._clock.monotonic_ns() - exchange.trace.started_ns) // 1_000_000
        length = len(response.body) if isinstance(response.body, bytes) else None
        error = exchange.error or {}
        integration_status = exchange.integration_status
        variables.update(
            status=response.status,
            responseLength=length,
            responseLatency=latency,
            integrationLatency=latency,
            integrationStatus=integration_status,
            integrationErrorMessage=exchange.integration_error,
            errorMessage=error.get("message"),
            errorResponseType=error.get("responseType"),
            integration={
                "status": integration_status,
                "latency": latency,
                "error": exchange.integration_error,
                "requestId": exchange.endpoint_request_id,
            },
        )
        authorizer = variables.get("authorizer")
        if exchange.principal_id is not None and isinstance(authorizer, dict):
            variables["authorizer"] = {**authorizer, "principalId": exchange.principal_id}
        line = fill_context(self._format, variables).replace("\r", " ").replace("\n", " ")
        self._sink(self._destination, line[:LINE_CHARACTERS])
