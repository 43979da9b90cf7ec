"""The event of a WebSocket route, field for field as AWS sends it. Pure.

Enters a `SocketExchange`; leaves plain values. `$connect` has the handshake's headers and query, a message its body,
`$disconnect` the close code and reason. Sources: "Working with AWS Lambda proxy integrations for WebSocket APIs" and
"Create a Lambda REQUEST authorizer function" (WebSocket APIs, API Gateway Developer Guide), and events recorded on AWS.
"""

from __future__ import annotations

from typing import Any

from trine.apigateway.event import Forwarded
from trine.apigateway.parameters import rest_headers, rest_query
from trine.apigateway.websocket.exchange import NOT_FORWARDED, SocketExchange, all_headers

_DISCONNECT_HEADERS = ("x-api-key", "X-Forwarded-For", "x-restapi")
"""Headers that a disconnect event has beside Host; they are empty."""


def event(exchange: SocketExchange, forwarded: Forwarded) -> dict[str, Any]:
    """The event of one route."""
    found: dict[str, Any] = {}
    if exchange.event_type == "CONNECT":
        found.update(_handshake(exchange, forwarded))
    elif exchange.event_type == "DISCONNECT":
        headers = {"Host": exchange.domain_name, **dict.fromkeys(_DISCONNECT_HEADERS, "")}
        found["headers"] = headers
        found["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    if exchange.deployed.stage.variables:
        found["stageVariables"] = dict(exchange.deployed.stage.variables)
    found["requestContext"] = exchange.context()
    if exchange.event_type == "MESSAGE":
        found["body"] = exchange.request.body.decode()
    found["isBase64Encoded"] = False
    return found


def _handshake(exchange: SocketExchange, forwarded: Forwarded) -> dict[str, Any]:
    single, multi = rest_headers(exchange.request.headers.pairs)
    for name in [name for name in single if name.lower() in NOT_FORWARDED]:
        del single[name], multi[name]
    for name, value in _added(exchange, forwarded).items():
        single[name], multi[name] = value, [value]
    found: dict[str, Any] = {"headers": single, "multiValueHeaders": multi}
    query, multi_query = rest_query(exchange.request.query)
    if query:
        found["queryStringParameters"] = query
        found["multiValueQueryStringParameters"] = multi_query
    return found


def _added(exchange: SocketExchange, forwarded: Forwarded) -> dict[str, str]:
    return {
        "X-Amzn-Trace-Id": exchange.trace_header,
        "X-Forwarded-For": forwarded.chain(exchange),
        "X-Forwarded-Port": forwarded.port,
        "X-Forwarded-Proto": forwarded.protocol,
    }


def authorizer_event(exchange: SocketExchange, arn: str, forwarded: Forwarded) -> dict[str, Any]:
    """The event of a REQUEST authorizer: every header of the handshake, and empty maps where there is nothing."""
    headers, multi = all_headers(exchange.request)
    for name, value in _added(exchange, forwarded).items():
        headers[name], multi[name] = value, [value]
    query, multi_query = rest_query(exchange.request.query)
    return {
        "type": "REQUEST",
        "methodArn": arn,
        "headers": headers,
        "multiValueHeaders": multi,
        "queryStringParameters": query or {},
        "multiValueQueryStringParameters": multi_query or {},
        "stageVariables": dict(exchange.deployed.stage.variables),
        "requestContext": exchange.context(),
    }
