"""rest-json: an input spread over path, query, headers and body, and an output put together the same way.

Enters an `http.Request` with its operation and labels, leaves a dict of input members; the other way, members become
status, headers and body bytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

import orjson

from trine.aws.protocol_errors import Serialization
from trine.aws.protocol_json import parse_body, read_timestamp, read_value, write_timestamp, write_value
from trine.aws.protocol_model import Model, Operation, Raw
from trine.http.message import Request

QUERY_PAIRS_MAX = 1_000
"""Query parameters read at most. Trine's own bound."""

Wire = tuple[int, list[tuple[bytes, bytes]], bytes | AsyncIterable[bytes]]


def read_input(model: Model, operation: Operation, request: Request, labels: Mapping[str, str]) -> dict[str, Any]:
    """The members of an operation's input. Raises `Serialization`."""
    if operation.input_shape is None:
        return {}
    shape = model.shape(operation.input_shape)
    query = read_query(request.query)
    read: dict[str, Any] = {}
    payload = shape.get("payload")
    in_body = {}
    for name, member in shape.get("members", {}).items():
        location, key = member.get("location"), member.get("locationName", name)
        value: Any = None
        if location == "uri":
            value = _scalar(model, member, labels.get(key))
        elif location == "querystring":
            value = _from_query(model, member, query, key)
        elif location == "header":
            raw = request.headers.get(key.lower().encode())
            value = _scalar(model, member, raw.decode("utf-8", "replace") if raw is not None else None)
        elif location == "headers":
            value = _prefixed(request, key)
        elif name == payload:
            value = _payload(model, member, request.body)
        else:
            in_body[name] = member
        if value is not None:
            read[name] = value
    if in_body and payload is None:
        body = parse_body(request.body)
        if not isinstance(body, dict):
            raise Serialization("START_OBJECT cannot be read from the request body")
        for name, member in in_body.items():
            raw_value = body.get(member.get("locationName", name))
            if raw_value is not None:
                read[name] = read_value(model, member["shape"], raw_value)
    return read


def read_query(query: bytes) -> dict[str, list[str]]:
    """Query parameters, decoded, every value of a name in order."""
    found: dict[str, list[str]] = {}
    if query:
        for pair in query.split(b"&", QUERY_PAIRS_MAX)[:QUERY_PAIRS_MAX]:
            name, _, value = pair.decode("utf-8", "replace").partition("=")
            found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return found


def _scalar(model: Model, member: Raw, text: str | None) -> Any:
    """A value from path, query or header text."""
    if text is None:
        return None
    kind = model.shape(member["shape"])["type"]
    try:
        if kind in {"integer", "long"}:
            return int(text)
        if kind in {"float", "double"}:
            return float(text)
    except ValueError:
        raise Serialization(
            f"STRING_VALUE can not be converted to {'an Integer' if kind == 'integer' else 'a number'}"
        ) from None
    if kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise Serialization("STRING_VALUE can not be converted to a Boolean")
        return text.lower() == "true"
    if kind == "timestamp":
        return read_timestamp(text)
    if kind == "blob":
        return text.encode()
    return text


def _from_query(model: Model, member: Raw, query: Mapping[str, list[str]], key: str) -> Any:
    shape = model.shape(member["shape"])
    if shape["type"] == "map":
        return {name: values[0] for name, values in query.items()} or None
    values = query.get(key)
    if values is None:
        return None
    if shape["type"] == "list":
        return [_scalar(model, shape["member"], value) for value in values]
    return _scalar(model, member, values[0])


def _prefixed(request: Request, prefix: str) -> dict[str, str] | None:
    start = prefix.lower().encode()
    found = {
        name[len(start) :].decode("latin-1"): value.decode("utf-8", "replace")
        for name, value in request.headers
        if name.lower().startswith(start)
    }
    return found or None


def _payload(model: Model, member: Raw, body: bytes) -> Any:
    kind = model.shape(member["shape"])["type"]
    if kind == "blob":
        return body
    if kind == "string":
        return body.decode("utf-8", "replace")
    return read_value(model, member["shape"], parse_body(body)) if body else None


def write_output(model: Model, operation: Operation, output: Mapping[str, Any]) -> Wire:
    """Status, headers and body of an answer. A streaming or blob payload goes out as it is."""
    status = operation.status
    headers: list[tuple[bytes, bytes]] = []
    shape = model.shape(operation.output_shape) if operation.output_shape is not None else {}
    for name, member in shape.get("members", {}).items():
        value = output.get(name)
        if value is None:
            continue
        location, key = member.get("location"), member.get("locationName", name)
        if location == "statusCode":
            status = int(value)
        elif location == "header":
            headers.append((key.encode(), _header_text(model, member, value).encode()))
        elif location == "headers":
            headers.extend(((key + name).encode(), str(text).encode()) for name, text in value.items())
    payload = shape.get("payload")
    if payload is not None:
        value = output.get(payload)
        kind = model.shape(shape["members"][payload]["shape"])["type"]
        if value is None:
            return status, headers, b""
        if isinstance(value, AsyncIterable):  # an event stream, encoded by whoever makes it
            return status, headers, value
        if kind in {"blob", "string"}:
            return status, headers, value.encode() if isinstance(value, str) else value
        return status, headers, orjson.dumps(write_value(model, shape["members"][payload]["shape"], value))
    if status == 204:
        return status, headers, b""
    body = write_value(model, operation.output_shape, output) if operation.output_shape is not None else None
    headers.insert(0, (b"Content-Type", b"application/json"))
    return status, headers, orjson.dumps(body) if body is not None else b""


def _header_text(model: Model, member: Raw, value: Any) -> str:
    kind = model.shape(member["shape"])["type"]
    if kind == "timestamp":
        return str(write_timestamp(value, "rfc822"))
    if kind == "boolean":
        return "true" if value else "false"
    return str(value)
