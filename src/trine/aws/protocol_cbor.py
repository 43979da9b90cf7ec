"""Smithy's RPC v2 with CBOR: what botocore (since 1.40) and AWS's SDK for JavaScript speak to CloudWatch.

Enters `POST /service/NAME/operation/OPERATION` with a CBOR map, leaves values by shape as `protocol_json` does; the
other way, values become CBOR. The codec is cbor2, imported when the first such request comes.
Source: the Smithy specification, "Smithy RPC v2 CBOR protocol".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trine.aws.protocol_errors import Serialization
from trine.aws.protocol_json import read_value
from trine.aws.protocol_model import Model
from trine.http.message import Request

PROTOCOL = "smithy-rpc-v2-cbor"
_PATH = re.compile(rb"/service/([A-Za-z0-9_.]{1,128})/operation/([A-Za-z0-9_]{1,128})/?")
_EPOCH_TAG = 1


def is_cbor(request: Request) -> bool:
    """Whether a request speaks this protocol."""
    return request.headers.get(b"smithy-protocol") == b"rpc-v2-cbor"


def operation_name(request: Request) -> str | None:
    """The operation in the request's path."""
    found = _PATH.fullmatch(request.path)
    return found[2].decode() if found is not None else None


def read_input(model: Model, shape_name: str | None, body: bytes) -> dict[str, Any]:
    """The members of an operation's input. Serialization."""
    if shape_name is None or not body:
        return {}
    import cbor2

    try:
        raw = cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError, OverflowError, TypeError) as error:
        raise Serialization(f"Could not parse request body into CBOR: {str(error)[:200]}") from None
    read = read_value(model, shape_name, _plain(raw))
    return read if isinstance(read, dict) else {}


def _plain(raw: Any) -> Any:
    """CBOR's own kinds as JSON would hold them: times as seconds, anything else strange as its text."""
    if isinstance(raw, Mapping):
        return {str(key): _plain(value) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return [_plain(value) for value in raw]
    if isinstance(raw, datetime):
        return raw.timestamp()
    if raw is None or isinstance(raw, bool | int | float | str | bytes):
        return raw
    return str(raw)


def write(model: Model, shape_name: str | None, output: Mapping[str, Any]) -> bytes:
    """The CBOR of an answer's members."""
    import cbor2

    return cbor2.dumps({} if shape_name is None else _value(model, shape_name, output))


def write_plain(document: Mapping[str, Any]) -> bytes:
    """The CBOR of an error: texts and numbers."""
    import cbor2

    return cbor2.dumps(dict(document))


def _value(model: Model, shape_name: str, value: Any) -> Any:
    shape = model.shape(shape_name)
    kind = shape["type"]
    if kind == "structure":
        return {
            name: _value(model, member["shape"], value[name])
            for name, member in shape.get("members", {}).items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [_value(model, shape["member"]["shape"], one) for one in value]
    if kind == "map":
        return {str(key): _value(model, shape["value"]["shape"], one) for key, one in value.items()}
    if kind == "timestamp":
        import cbor2

        seconds = float(value)
        return cbor2.CBORTag(_EPOCH_TAG, int(seconds) if seconds.is_integer() else round(seconds, 3))
    if kind in ("float", "double"):
        return float(value)
    return value
