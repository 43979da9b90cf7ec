"""The event a function receives: payload formats 1.0 and 2.0, field for field as AWS sends them.

Enters an `Exchange` that has its route and authorizer context; leaves the event as JSON bytes. Sources: "Input format
of a Lambda function for proxy integration" (REST) and "AWS Lambda integrations for HTTP APIs"; details were checked
against events recorded on AWS.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from trine.apigateway.body import BinaryTypes, rest_body
from trine.apigateway.exchange import Exchange
from trine.apigateway.parameters import decode_parameters, http_v1_headers, rest_headers, rest_query
from trine.aws.http_payload import decode_path, http_body, http_headers, http_query, request_time


class Forwarded:
    """What the front door says of itself in `X-Forwarded-Port` and `-Proto`."""

    __slots__ = ("port", "protocol")

    def __init__(self, port: str = "443", protocol: str = "https") -> None:
        self.port, self.protocol = port, protocol

    def chain(self, exchange: Exchange) -> str:
        """`X-Forwarded-For`: the client's own claim, then the address it came from."""
        claimed = exchange.request.headers.get(b"x-forwarded-for")
        return f"{claimed.decode('latin-1')}, {exchange.source_ip}" if claimed else exchange.source_ip


_NOBODY: dict[str, Any] = {
    "cognitoIdentityPoolId": None,
    "accountId": None,
    "cognitoIdentityId": None,
    "caller": None,
    "sourceIp": None,
    "principalOrgId": None,
    "accessKey": None,
    "cognitoAuthenticationType": None,
    "cognitoAuthenticationProvider": None,
    "userArn": None,
    "userAgent": None,
    "user": None,
}


def identity(exchange: Exchange, user_agent: str | None) -> dict[str, Any]:
    """`requestContext.identity` of format 1.0: nulls, but for what is known."""
    found = {**_NOBODY, "sourceIp": exchange.source_ip, "userAgent": user_agent}
    if exchange.identity is not None:
        found.update(exchange.identity)
    return found


@lru_cache(maxsize=1_024)
def _anonymous(source_ip: str, user_agent: str | None) -> orjson.Fragment:
    """The identity of a caller of whom nothing else is known, as JSON."""
    return orjson.Fragment(orjson.dumps({**_NOBODY, "sourceIp": source_ip, "userAgent": user_agent}))


def rest_context(exchange: Exchange, user_agent: str | None, *, rendered: bool = False) -> dict[str, Any]:
    """`requestContext` of a REST event; authorizers of type REQUEST receive it too. `rendered`: only to be written as
    JSON, so that the identity may be a piece of JSON that is ready."""
    route = exchange.route
    stage = exchange.deployed.stage
    place = exchange.deployed.place
    context: dict[str, Any] = {
        "resourceId": route.route.resource_id,
        "resourcePath": route.resource_path,
        "httpMethod": exchange.method,
        "extendedRequestId": exchange.extended_id,
        "requestTime": request_time(exchange.now_seconds),
        "path": exchange.full_path,
        "accountId": place.account_id,
        "protocol": "HTTP/" + exchange.request.version,
        "stage": stage.name,
        "domainPrefix": exchange.domain_prefix,
        "requestTimeEpoch": int(exchange.now_seconds * 1000),
        "requestId": exchange.request_id,
        "identity": (
            _anonymous(exchange.source_ip, user_agent)
            if rendered and exchange.identity is None
            else identity(exchange, user_agent)
        ),
        "domainName": exchange.domain_name,
        "deploymentId": stage.deployment_id,
        "apiId": exchange.deployed.api.id,
    }
    if exchange.deployed.is_canary is not None:
        context["isCanaryRequest"] = exchange.deployed.is_canary
    if exchange.authorizer is not None:
        context["authorizer"] = exchange.authorizer
    return context


def _forward(exchange: Exchange, forwarded: Forwarded, single: dict[str, str], multi: dict[str, list[str]]) -> None:
    for name, value in (
        ("X-Amzn-Trace-Id", exchange.trace_header),
        ("X-Forwarded-For", forwarded.chain(exchange)),
        ("X-Forwarded-Port", forwarded.port),
        ("X-Forwarded-Proto", forwarded.protocol),
    ):
        single[name] = value
        multi[name] = [value]


def rest_event(exchange: Exchange, binary: BinaryTypes, forwarded: Forwarded) -> bytes:
    """The event of a REST API's Lambda proxy integration."""
    request = exchange.request
    single, multi = rest_headers(request.headers.pairs)
    _forward(exchange, forwarded, single, multi)
    query, multi_query = rest_query(request.query)
    body, encoded = rest_body(request.body, request.headers, binary)
    return orjson.dumps(
        {
            "resource": exchange.route.resource_path,
            "path": exchange.shown_path,
            "httpMethod": exchange.method,
            "headers": single,
            "multiValueHeaders": multi,
            "queryStringParameters": query,
            "multiValueQueryStringParameters": multi_query,
            "pathParameters": exchange.parameters,
            "stageVariables": exchange.deployed.variables_json,
            "requestContext": rest_context(exchange, single.get("User-Agent"), rendered=True),
            "body": body,
            "isBase64Encoded": encoded,
        }
    )


def http_event_v1(exchange: Exchange, forwarded: Forwarded) -> bytes:
    """The event of an HTTP API with format 1.0: a REST event with `version`, decoded paths, no resource id."""
    request = exchange.request
    single, multi = http_v1_headers(request.headers.pairs)
    _forward(exchange, forwarded, single, multi)
    query, multi_query = rest_query(request.query)
    body, encoded = http_body(request.body, request.headers)
    path = decode_path(exchange.full_path)
    context = rest_context(exchange, single.get("User-Agent"), rendered=True)
    context.update(resourceId=None, path=path)
    del context["deploymentId"]
    if exchange.authorizer is None:
        context["authorizer"] = {"claims": None, "scopes": None}
    return orjson.dumps(
        {
            "version": "1.0",
            "resource": exchange.route.resource_path,
            "path": path,
            "httpMethod": exchange.method,
            "headers": single,
            "multiValueHeaders": multi,
            "queryStringParameters": query,
            "multiValueQueryStringParameters": multi_query,
            "requestContext": context,
            "pathParameters": decode_parameters(exchange.parameters),
            "stageVariables": exchange.deployed.variables_json,
            "body": body,
            "isBase64Encoded": encoded,
        }
    )


def http_context(exchange: Exchange, path: str, user_agent: str) -> dict[str, Any]:
    """`requestContext` of format 2.0; authorizers receive it too."""
    place = exchange.deployed.place
    context: dict[str, Any] = {
        "accountId": place.account_id,
        "apiId": exchange.deployed.api.id,
        "domainName": exchange.domain_name,
        "domainPrefix": exchange.domain_prefix,
        "http": {
            "method": exchange.method,
            "path": path,
            "protocol": "HTTP/" + exchange.request.version,
            "sourceIp": exchange.source_ip,
            "userAgent": user_agent,
        },
        "requestId": exchange.request_id,
        "routeKey": exchange.route.key,
        "stage": exchange.deployed.stage.name,
        "time": request_time(exchange.now_seconds),
        "timeEpoch": int(exchange.now_seconds * 1000),
    }
    if exchange.authorizer is not None:
        context["authorizer"] = exchange.authorizer
    return context


def http_document_v2(exchange: Exchange, forwarded: Forwarded) -> dict[str, Any]:
    """The event of payload format 2.0, to be written as JSON; what a request does not have is left out, not null."""
    request = exchange.request
    headers, cookies = http_headers(request.headers.pairs)
    headers["x-amzn-trace-id"] = exchange.trace_header
    headers["x-forwarded-for"] = forwarded.chain(exchange)
    headers["x-forwarded-port"] = forwarded.port
    headers["x-forwarded-proto"] = forwarded.protocol
    path = decode_path(exchange.full_path)
    query = request.query
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": exchange.route.key,
        "rawPath": path,
        "rawQueryString": query.decode("latin-1"),
    }
    if cookies is not None:
        event["cookies"] = cookies
    event["headers"] = headers
    if query and (parameters := http_query(query)) is not None:
        event["queryStringParameters"] = parameters
    event["requestContext"] = http_context(exchange, path, headers.get("user-agent", ""))
    body, encoded = http_body(request.body, request.headers)
    if body is not None:
        event["body"] = body
    if exchange.parameters is not None:
        event["pathParameters"] = decode_parameters(exchange.parameters)
    event["isBase64Encoded"] = encoded
    if exchange.deployed.stage.variables:
        event["stageVariables"] = exchange.deployed.variables_json
    return event
