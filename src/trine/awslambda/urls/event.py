"""A request to a function URL as its function sees it: payload format 2.0, field for field as AWS sends it.

Source: developer guide, "Invoking Lambda function URLs", request payload. What a request does not have is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from trine.aws.http_payload import decode_path, http_body, http_headers, http_query, request_time
from trine.http.message import Request
from trine.iam.caller import Caller, iam_context

ROUTE = "$default"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request on its way: which URL it means and what the door knows about it."""

    request: Request
    url_id: str
    path: bytes
    """Below the URL's root, percent-encoding untouched."""
    domain: str
    """`{url-id}.lambda-url.{region}…`, as the client called it."""
    request_id: str
    trace_header: str
    now: float
    """Seconds since the epoch."""
    forwarded_port: str


def url_event(visit: Visit, caller: Caller | None) -> bytes:
    """The event as JSON. `caller` is who signed the request (AWS_IAM), None for a URL that is open."""
    request = visit.request
    headers, cookies = http_headers(request.headers.pairs)
    claimed = headers.get("x-forwarded-for")
    headers["x-amzn-trace-id"] = visit.trace_header
    headers["x-forwarded-for"] = f"{claimed}, {request.peer_host}" if claimed else request.peer_host
    headers["x-forwarded-port"] = visit.forwarded_port
    headers["x-forwarded-proto"] = "http"
    path = decode_path(visit.path.decode("latin-1"))
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": ROUTE,
        "rawPath": path,
        "rawQueryString": request.query.decode("latin-1"),
    }
    if cookies is not None:
        event["cookies"] = cookies
    event["headers"] = headers
    if request.query and (parameters := http_query(request.query)) is not None:
        event["queryStringParameters"] = parameters
    event["requestContext"] = _context(visit, path, headers.get("user-agent"), caller)
    body, encoded = http_body(request.body, request.headers)
    if body is not None:
        event["body"] = body
    event["isBase64Encoded"] = encoded
    return orjson.dumps(event)


def _context(visit: Visit, path: str, user_agent: str | None, caller: Caller | None) -> dict[str, Any]:
    http: dict[str, Any] = {
        "method": visit.request.method,
        "path": path,
        "protocol": f"HTTP/{visit.request.version}",
        "sourceIp": visit.request.peer_host,
    }
    if user_agent is not None:
        http["userAgent"] = user_agent
    context: dict[str, Any] = {
        "accountId": "anonymous" if caller is None else caller.account_id,
        "apiId": visit.url_id,
        "domainName": visit.domain,
        "domainPrefix": visit.url_id,
        "http": http,
        "requestId": visit.request_id,
        "routeKey": ROUTE,
        "stage": ROUTE,
        "time": request_time(visit.now),
        "timeEpoch": int(visit.now * 1000),
    }
    if caller is not None:
        context["authorizer"] = {"iam": iam_context(caller)}
    return context
