"""JSON values by shape, both ways: what rest-json bodies and the json protocol share.

Enters parsed JSON and a shape, leaves plain Python values (timestamps as seconds since the epoch, blobs as bytes), or
raises `Serialization` in AWS's words. The other way, values become what AWS's JSON would hold.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from trine.aws.protocol_errors import Serialization
from trine.aws.protocol_model import Model, Raw

JSON_DEPTH_MAX = 64
"""Nesting of input. Trine's own bound; no AWS control-plane shape nests nearly as deep."""


def parse_body(body: bytes) -> Any:
    """The JSON value of a body; an empty body is an empty object."""
    if not body:
        return {}
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Serialization("Could not parse request body into json: the JSON does not parse") from None


def read_value(model: Model, shape_name: str, raw: Any, depth: int = 0) -> Any:
    """A parsed JSON value as the shape wants it; unknown members are dropped, as AWS does."""
    if depth > JSON_DEPTH_MAX:
        raise Serialization("The request is nested too deeply")
    shape = model.shape(shape_name)
    kind = shape["type"]
    if kind == "structure":
        return _read_structure(model, shape, _expect(raw, dict, "START_OBJECT"), depth)
    if kind == "list":
        member = shape["member"]["shape"]
        return [
            read_value(model, member, one, depth + 1) for one in _expect(raw, list, "START_ARRAY") if one is not None
        ]
    if kind == "map":
        member = shape["value"]["shape"]
        return {
            key: read_value(model, member, one, depth + 1)
            for key, one in _expect(raw, dict, "START_OBJECT").items()
            if one is not None
        }
    return _read_scalar(kind, raw)


def _read_structure(model: Model, shape: Raw, raw: Mapping[str, Any], depth: int) -> Any:
    if shape.get("document"):
        return raw
    read = {}
    for name, member in shape.get("members", {}).items():
        value = raw.get(member.get("locationName", name))
        if value is not None:
            read[name] = read_value(model, member["shape"], value, depth + 1)
    return read


def _expect(raw: Any, kind: type, token: str) -> Any:
    if not isinstance(raw, kind):
        raise Serialization(f"{token} cannot be read from {_token(raw)}")
    return raw


def _token(raw: Any) -> str:
    names = {dict: "START_OBJECT", list: "START_ARRAY", str: "STRING_VALUE", bool: "TRUE_VALUE", int: "NUMBER_VALUE",
             float: "DECIMAL_VALUE", type(None): "NULL_VALUE"}  # fmt: skip
    return "FALSE_VALUE" if raw is False else names.get(type(raw), "UNKNOWN")


def _read_scalar(kind: str, raw: Any) -> Any:
    if kind in {"string", "character"}:
        if not isinstance(raw, str):
            raise Serialization(f"{_token(raw)} can not be converted to a String")
        return raw
    if kind in {"integer", "long", "bigInteger"}:
        if isinstance(raw, bool) or not isinstance(raw, int):
            if isinstance(raw, float) and raw.is_integer():
                return int(raw)
            raise Serialization(
                f"{_token(raw)} can not be converted to {'an Integer' if kind == 'integer' else 'a Long'}"
            )
        return raw
    if kind in {"float", "double", "bigDecimal"}:
        if raw in ("NaN", "Infinity", "-Infinity"):  # what JSON has no number for (Smithy, "JSON floats")
            return float(raw)
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise Serialization(f"{_token(raw)} can not be converted to a Double")
        return float(raw)
    if kind == "boolean":
        if not isinstance(raw, bool):
            raise Serialization(f"{_token(raw)} can not be converted to a Boolean")
        return raw
    if kind == "blob":
        return read_blob(raw)
    if kind == "timestamp":
        return read_timestamp(raw)
    raise Serialization(f"{_token(raw)} can not be read")


def read_blob(raw: Any) -> bytes:
    """Base64 text as bytes."""
    if not isinstance(raw, str):
        raise Serialization(f"{_token(raw)} can not be converted to a Blob")
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise Serialization("Base64 encoded blob is not valid") from None


def read_timestamp(raw: Any) -> float:
    """Seconds since the epoch from a number, its text, or ISO 8601."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return float(raw)
    if isinstance(raw, str):
        try:
            return float(raw)
        except ValueError:
            pass
        try:
            moment = datetime.fromisoformat(raw)
        except ValueError:
            raise Serialization(f"Unable to parse the timestamp: {raw[:64]}") from None
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    raise Serialization(f"{_token(raw)} can not be converted to a Timestamp")


def write_value(model: Model, shape_name: str, value: Any) -> Any:
    """A Python value as JSON's, by shape. What the shape does not name is left out; None members too."""
    shape = model.shape(shape_name)
    kind = shape["type"]
    if kind == "structure":
        if shape.get("document"):
            return value
        return {
            member.get("locationName", name): write_value(model, member["shape"], value[name])
            for name, member in shape.get("members", {}).items()
            if "location" not in member and value.get(name) is not None
        }
    if kind == "list":
        return [write_value(model, shape["member"]["shape"], one) for one in value]
    if kind == "map":
        return {str(key): write_value(model, shape["value"]["shape"], one) for key, one in value.items()}
    if kind == "blob":
        return base64.b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()
    if kind == "timestamp":
        return write_timestamp(value, shape.get("timestampFormat", "unixTimestamp"))
    return value


def write_timestamp(value: Any, style: str) -> Any:
    """Seconds since the epoch (or a datetime) in one of AWS's three styles."""
    seconds = value.timestamp() if isinstance(value, datetime) else float(value)
    if style == "unixTimestamp":
        return int(seconds) if seconds.is_integer() else round(seconds, 3)
    moment = datetime.fromtimestamp(seconds, UTC)
    if style == "rfc822":
        return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
