"""Parameter mapping of HTTP APIs: headers, query and status changed on the way in and out.

Enters a request or response and mappings such as `append:header.x → $request.header.y`; leaves the changed one. Source:
"Transform API requests and responses for HTTP APIs". `overwrite:path` changes the URL of HTTP integrations only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote_plus

import orjson

from trine.apigateway.context import context_variables, lookup
from trine.apigateway.exchange import Exchange
from trine.apigateway.mapping import jsonpath
from trine.apigateway.mapping.values import json_of, text_of
from trine.apigateway.response import HeaderPairs, header_name, header_value
from trine.aws.http_payload import query_pairs
from trine.http.message import Headers, Request, Response

_REFERENCE = re.compile(
    r"\$\{?((?:request|response|context|stageVariables)\.[A-Za-z0-9_.\[\]-]+)\}?|\$\{(request\.path)\}"
)


def map_request(mappings: Mapping[str, str], exchange: Exchange) -> Request:
    """The request with its headers and query changed. GatewayError when a header cannot be sent."""
    request = exchange.request
    pairs: HeaderPairs = list(request.headers.pairs)
    query = [(name, value) for name, value in query_pairs(request.query, rest=False)]
    path = request.path
    query_changed = False
    for target, source in mappings.items():
        action, _, place = target.partition(":")
        value = "" if action == "remove" else resolve_source(source, exchange, None)
        kind, _, name = place.partition(".")
        if kind == "header" and name:
            pairs = _change(pairs, action, name, value)
        elif kind == "querystring" and name:
            query_changed = True
            if action in ("overwrite", "remove"):
                query = [pair for pair in query if pair[0] != name]
            if action != "remove":
                query.append((name, value))
        elif place == "path" and action == "overwrite":
            path = value.encode()
    query_text = request.query
    if query_changed:
        query_text = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in query).encode()
    target_bytes = path + (b"?" + query_text if query_text else b"")
    return Request(
        request.method,
        target_bytes,
        Headers(pairs),
        request.body,
        request.peer_host,
        request.peer_port,
        request.version,
    )


def map_response(mappings: Mapping[str, Mapping[str, str]], exchange: Exchange, response: Response) -> Response:
    """The response changed by the mappings of its status code."""
    chosen = mappings.get(str(response.status))
    if not chosen:
        return response
    before = Response(response.status, response.headers, response.body)
    for target, source in chosen.items():
        action, _, place = target.partition(":")
        value = "" if action == "remove" else resolve_source(source, exchange, before)
        kind, _, name = place.partition(".")
        if kind == "header" and name:
            response.headers = _change(list(response.headers), action, name, value)
        elif place == "statuscode" and action == "overwrite" and value.isdigit() and 100 <= int(value[:4]) <= 599:
            response.status = int(value)
    return response


def _change(pairs: HeaderPairs, action: str, name: str, value: str) -> HeaderPairs:
    raw = header_name(name)
    if action in ("overwrite", "remove"):
        pairs = [pair for pair in pairs if pair[0].lower() != raw.lower()]
    if action != "remove":
        pairs.append((raw, header_value(value, name)))
    return pairs


def resolve_source(source: str, exchange: Exchange, response: Response | None) -> str:
    """`source` with its references filled in; what is missing is empty."""
    return _REFERENCE.sub(lambda found: _value(found[1] or found[2], exchange, response), source)


def _value(path: str, exchange: Exchange, response: Response | None) -> str:
    head, _, rest = path.partition(".")
    if head == "context":
        return text_of(lookup(context_variables(exchange), rest))
    if head == "stageVariables":
        return exchange.deployed.stage.variables.get(rest, "")
    place, _, name = rest.partition(".")
    if head == "response":
        if response is None:
            return ""
        if place == "header":
            return ",".join(
                v.decode("latin-1") for n, v in response.headers if n.decode("latin-1").lower() == name.lower()
            )
        return _from_body(name, response.body) if place == "body" and isinstance(response.body, bytes) else ""
    if place == "header":
        values = exchange.request.headers.all(name.lower().encode("latin-1", "replace"))
        return ",".join(value.decode("latin-1") for value in values)
    if place == "querystring":
        return ",".join(v for n, v in query_pairs(exchange.request.query, rest=False) if n == name)
    if place == "path":
        return (exchange.parameters or {}).get(name, "") if name else exchange.path
    return _from_body(name, exchange.request.body) if place == "body" else ""


def _from_body(path: str, body: bytes) -> str:
    """What `path` names in a JSON body: text as it is, anything else as JSON; the whole body without a path."""
    if not path:
        return body.decode("utf-8", "replace")
    try:
        found = jsonpath.find(path if path.startswith("$") else f"$.{path}", orjson.loads(body))
    except (orjson.JSONDecodeError, jsonpath.PathInvalid):
        return ""
    if found is None or isinstance(found, str):
        return found or ""
    return json_of(found)
