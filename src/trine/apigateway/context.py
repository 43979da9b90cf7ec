"""`$context`: what mapping templates, gateway responses and access logs may ask about a request.

Enters an `Exchange`; leaves nested plain values. Source: "Variables for data transformations" and "Variables for access
logging", for both API kinds.
"""

from __future__ import annotations

import re
from typing import Any

from trine.apigateway.event import identity, rest_context
from trine.apigateway.exchange import Exchange
from trine.aws.http_payload import decode_path, request_time

_VARIABLE = re.compile(r"\$(?:\{context\.([A-Za-z0-9_.-]+)\}|context\.([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*))")


def context_variables(exchange: Exchange) -> dict[str, Any]:
    """`$context` of the request as it stands."""
    agent = exchange.request.headers.get(b"user-agent")
    user_agent = agent.decode("latin-1") if agent else None
    deployed = exchange.deployed
    own = exchange.own_context()
    if own is not None:
        found = own
    elif exchange.has_route:
        found = rest_context(exchange, user_agent)
        if not exchange.rest:
            found["routeKey"] = exchange.route.key
    else:
        found = {
            "extendedRequestId": exchange.extended_id,
            "httpMethod": exchange.method,
            "requestTime": request_time(exchange.now_seconds),
            "requestTimeEpoch": int(exchange.now_seconds * 1000),
            "path": exchange.full_path,
            "accountId": deployed.place.account_id,
            "protocol": "HTTP/" + exchange.request.version,
            "stage": deployed.stage.name,
            "domainName": exchange.domain_name,
            "domainPrefix": exchange.domain_prefix,
            "requestId": exchange.request_id,
            "identity": identity(exchange, user_agent),
            "apiId": deployed.api.id,
        }
    if not exchange.rest:
        found["path"] = decode_path(exchange.full_path)
    found["awsEndpointRequestId"] = exchange.endpoint_request_id
    found["xrayTraceId"] = exchange.trace_header
    if (error := exchange.error) is not None:
        found["error"] = error
    found["requestOverride"] = {"header": {}, "querystring": {}, "path": {}}
    found["responseOverride"] = {"header": {}}
    return found


def lookup(variables: Any, path: str) -> Any:
    """The value at the dotted `path` below `$context`, or None."""
    value = variables
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def fill_context(text: str, variables: dict[str, Any], missing: str = "-") -> str:
    """`text` with each `$context.name` replaced; what is unknown becomes `missing` (`-` in access logs)."""

    def fill(match: re.Match[str]) -> str:
        value = lookup(variables, match[1] or match[2])
        if value is None:
            return missing
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    return _VARIABLE.sub(fill, text)
