"""Execution logs of REST stages: how each request went, in the words of API Gateway's own log.

Enters a finished `Exchange` and its `Response`; leaves lines for the log group
`API-Gateway-Execution-Logs_{api}/{stage}`. At level ERROR only requests that ended in an error of the gateway or its
integration are told, at INFO all; with `DataTraceEnabled` headers and bodies too, cut at 1,024 bytes as on AWS. Source:
"Set up CloudWatch logging for REST APIs".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trine.apigateway.access_log import Sink
from trine.apigateway.api import LogSetting, method_setting
from trine.apigateway.deployment import DeployedRoute, DeployedStage
from trine.apigateway.exchange import Exchange
from trine.apigateway.parameters import rest_query
from trine.http.message import Response

BODY_BYTES = 1_024
"""Bodies and headers are cut here: "API Gateway limits … truncates" payloads in its logs at this size."""
_HIDDEN = frozenset({"authorization", "x-api-key", "x-amz-security-token"})
"""Headers of which only the last characters are shown."""


def group_name(deployed: DeployedStage) -> str:
    """The log group of a stage."""
    return f"API-Gateway-Execution-Logs_{deployed.api.id}/{deployed.stage.name}"


class ExecutionLog:
    """Writes the execution log of one stage."""

    __slots__ = ("_group", "_settings", "_sink", "_stage_setting")

    def __init__(self, deployed: DeployedStage, sink: Sink) -> None:
        logs = deployed.stage.logs
        self._group, self._sink = group_name(deployed), sink
        self._settings: dict[DeployedRoute, LogSetting | None] = {
            route: method_setting(logs, route.route.method, route.route.path) for route in deployed.routes
        }
        self._stage_setting = logs.get("* /*")

    def write(self, exchange: Exchange, response: Response) -> int:
        """Tell of a request that is answered; the length of its lines in bytes."""
        setting = self._settings[exchange.route] if exchange.has_route else self._stage_setting
        if setting is None or setting.level == "OFF" or (setting.level == "ERROR" and exchange.refused is None):
            return 0
        whole = setting.level == "INFO"
        prefix = f"({exchange.request_id}) "
        size_bytes = 0
        for told in _lines(exchange, response, data=setting.data_trace and whole, whole=whole):
            line = prefix + told.replace("\r", " ").replace("\n", " ")
            self._sink(self._group, line)
            size_bytes += len(line.encode("utf-8", "replace"))
        return size_bytes


def _lines(exchange: Exchange, response: Response, *, data: bool, whole: bool) -> Iterator[str]:
    yield f"Extended Request Id: {exchange.extended_id}"
    if whole and exchange.has_route:
        yield from _request_lines(exchange, data=data)
        yield from _integration_lines(exchange, data=data)
    if exchange.refused is not None:
        kind = exchange.refused.refusal.type
        yield f"Execution failed due to {_CAUSES.get(kind, 'an error')}: {exchange.refused.reason}"
        yield f"Gateway response type: {kind} with status code: {response.status}"
    if data:
        yield f"Method response body after transformations: {_shown(response.body)}"
        yield f"Method response headers: {_headers(response.headers)}"
    if whole and exchange.refused is None:
        yield "Successfully completed execution"
    yield f"Method completed with status: {response.status}"


_CAUSES = {
    "API_CONFIGURATION_ERROR": "configuration error",
    "AUTHORIZER_CONFIGURATION_ERROR": "authorizer error",
    "AUTHORIZER_FAILURE": "authorizer error",
    "INTEGRATION_FAILURE": "an integration failure",
    "INTEGRATION_TIMEOUT": "a timeout error",
    "BAD_REQUEST_BODY": "a validation error",
    "BAD_REQUEST_PARAMETERS": "a validation error",
    "THROTTLED": "throttling",
    "QUOTA_EXCEEDED": "an exceeded quota",
}


def _request_lines(exchange: Exchange, *, data: bool) -> Iterator[str]:
    route, request = exchange.route, exchange.request
    query, _ = rest_query(request.query)
    stage = f"{exchange.deployed.api.id}/{exchange.deployed.stage.name}"
    key_id = (exchange.identity or {}).get("apiKeyId") or ""
    if route.route.api_key_required:
        yield f"Verifying Usage Plan for request: {exchange.request_id}. API Key: {key_id} API Stage: {stage}"
        if key_id:
            yield f"Usage Plan check succeeded for API Key {key_id} and API Stage {stage}"
    else:
        yield (
            f"API Key authorized because method '{route.key}' does not require API Key. "
            "Request will not contribute to throttle or quota limits"
        )
    yield f"Starting execution for request: {exchange.request_id}"
    yield f"HTTP Method: {exchange.method}, Resource Path: {exchange.path}"
    yield f"Method request path: {_map((exchange.parameters or {}).items())}"
    yield f"Method request query string: {_map((query or {}).items())}"
    if data:
        yield f"Method request headers: {_headers(request.headers.pairs)}"
        yield f"Method request body before transformations: {_shown(request.body)}"


def _integration_lines(exchange: Exchange, *, data: bool) -> Iterator[str]:
    if exchange.sent is not None:
        uri, body = exchange.sent
        if data:
            yield f"Endpoint request URI: {uri}"
            yield f"Endpoint request body after transformations: {_shown(body)}"
        yield f"Sending request to {uri}"
    if exchange.integration_status is not None:
        latency_ms = exchange.integration_latency_ms
        yield f"Received response. Status: {exchange.integration_status}, Integration latency: {latency_ms} ms"
        if data and exchange.received is not None:
            yield f"Endpoint response body before transformations: {_shown(exchange.received)}"


def _map(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in pairs) + "}"


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> str:
    shown = []
    for raw, value in pairs:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        if name.lower() in _HIDDEN:
            text = "*" * max(0, len(text) - 6) + text[-6:] if len(text) > 12 else "*" * len(text)
        shown.append((name, text))
    return _map(shown)[:BODY_BYTES]


def _shown(body: object) -> str:
    if not isinstance(body, bytes):
        return "[streamed]"
    text = body[:BODY_BYTES].decode("utf-8", "replace")
    return text + " [TRUNCATED]" if len(body) > BODY_BYTES else text
