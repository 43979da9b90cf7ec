"""The query protocol of STS, IAM and CloudFormation: form-encoded in, XML out; JSON where a caller accepts that.

Enters form text such as `Action=AssumeRole&Tags.member.1.Key=a`, leaves input members by shape; the other way, members
become the XML that SDKs read, or the JSON that API Gateway's integrations ask for.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import orjson

from trine.aws.protocol_errors import MalformedQuery
from trine.aws.protocol_json import read_blob, read_timestamp, write_timestamp, write_value
from trine.aws.protocol_model import Model, Operation, Raw

FORM_PAIRS_MAX = 5_000
"""Parameters read at most. Trine's own bound."""
LIST_MEMBERS_MAX = 1_000
"""Members of one list at most. Trine's own bound; the model's own limits bind first."""

_FORBIDDEN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_form(text: bytes) -> dict[str, str]:
    """Form parameters, decoded; the last of a repeated name counts."""
    pairs = text.split(b"&") if text else []
    if len(pairs) > FORM_PAIRS_MAX:
        raise MalformedQuery(f"More than {FORM_PAIRS_MAX} parameters")
    form = {}
    for pair in pairs:
        name, equals, value = pair.decode("utf-8", "replace").partition("=")
        if name and not equals:
            raise MalformedQuery("Parameter without '='")
        form[unquote_plus(name)] = unquote_plus(value)
    return form


def read_input(model: Model, operation: Operation, form: Mapping[str, str]) -> dict[str, Any]:
    """The members of an operation's input, by its shape; unknown parameters are dropped, as AWS does."""
    if operation.input_shape is None:
        return {}
    tree = _tree(form)
    read = _read(model, operation.input_shape, tree, "")
    return read if isinstance(read, dict) else {}


def _tree(form: Mapping[str, str]) -> dict[Any, Any]:
    """`a.b.c=v` as nested dicts; the text of a node stands under the key None, which no name can be."""
    root: dict[Any, Any] = {}
    for name, value in form.items():
        node = root
        for part in name.split(".", 16):
            node = node.setdefault(part, {})
        node[None] = value
    return root


def _read(model: Model, shape_name: str, node: Mapping[Any, Any], place: str) -> Any:
    shape = model.shape(shape_name)
    kind = shape["type"]
    if kind == "structure":
        read = {}
        for name, member in shape.get("members", {}).items():
            child = node.get(member.get("queryName") or member.get("locationName", name), node.get(name))
            if child is not None:
                value = _read(model, member["shape"], child, name)
                if value is not None:
                    read[name] = value
        return read
    if kind == "list":
        inner = (
            node
            if shape.get("flattened")
            else node.get(shape["member"].get("locationName", "member"), node.get("member"))
        )
        if inner is None:
            return [] if None in node else None
        return [_read(model, shape["member"]["shape"], child, place) for child in _numbered(inner)]
    if kind == "map":
        entries = _numbered(node if shape.get("flattened") else node.get("entry", {}))
        key_name, value_name = shape["key"].get("locationName", "key"), shape["value"].get("locationName", "value")
        return {
            entry.get(key_name, {}).get(None, ""): _read(
                model, shape["value"]["shape"], entry.get(value_name, {}), place
            )
            for entry in entries
        }
    return _scalar(kind, node.get(None), place)


def _numbered(node: Mapping[Any, Any]) -> list[Mapping[Any, Any]]:
    numbers = sorted(int(key) for key in node if key is not None and key.isascii() and key.isdigit() and len(key) < 10)
    if len(numbers) > LIST_MEMBERS_MAX:
        raise MalformedQuery(f"More than {LIST_MEMBERS_MAX} members in a list")
    return [node[key] for number in numbers if (key := str(number)) in node]


def _scalar(kind: str, text: str | None, place: str) -> Any:
    if text is None:
        return None
    try:
        if kind in {"integer", "long"}:
            return int(text)
        if kind in {"float", "double"}:
            return float(text)
    except ValueError:
        raise MalformedQuery(f"Invalid value for {place}: not a number", code="MalformedInput") from None
    if kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise MalformedQuery(f"Invalid value for {place}: neither true nor false", code="MalformedInput")
        return text.lower() == "true"
    if kind == "timestamp":
        return read_timestamp(text)
    if kind == "blob":
        return read_blob(text)
    return text


def escape(text: str) -> str:
    """Text for XML; characters XML cannot hold become U+FFFD."""
    text = _FORBIDDEN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("\r", "&#xD;")


def write_output(model: Model, operation: Operation, output: Mapping[str, Any], request_id: str) -> bytes:
    """The XML of an answer."""
    name = operation.name
    inner = ""
    if operation.output_shape is not None:
        wrapper = operation.result_wrapper or f"{name}Result"
        members = _members(model, model.shape(operation.output_shape), output)
        inner = f"<{wrapper}>{members}</{wrapper}>" if members else f"<{wrapper}/>"
    return (
        f'<{name}Response xmlns="{model.namespace}">{inner}'
        f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata></{name}Response>"
    ).encode()


def _members(model: Model, shape: Raw, value: Mapping[str, Any]) -> str:
    return "".join(
        _element(model, member["shape"], member.get("locationName", name), value[name])
        for name, member in shape.get("members", {}).items()
        if value.get(name) is not None
    )


def _element(model: Model, shape_name: str, tag: str, value: Any) -> str:
    shape = model.shape(shape_name)
    kind = shape["type"]
    if kind == "list":
        member = shape["member"]
        inner_tag = tag if shape.get("flattened") else member.get("locationName", "member")
        inner = "".join(_element(model, member["shape"], inner_tag, one) for one in value)
        return inner if shape.get("flattened") else f"<{tag}>{inner}</{tag}>"
    if kind == "structure":
        return f"<{tag}>{_members(model, shape, value)}</{tag}>"
    if kind == "map":
        key_tag, value_tag = shape["key"].get("locationName", "key"), shape["value"].get("locationName", "value")
        entry = tag if shape.get("flattened") else "entry"
        entries = "".join(
            f"<{entry}><{key_tag}>{escape(str(key))}</{key_tag}>"
            f"{_element(model, shape['value']['shape'], value_tag, one)}</{entry}>"
            for key, one in value.items()
        )
        return entries if shape.get("flattened") else f"<{tag}>{entries}</{tag}>"
    return f"<{tag}>{escape(_text(kind, value))}</{tag}>"


def _text(kind: str, value: Any) -> str:
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return str(write_timestamp(value, "iso8601"))
    if kind == "blob":
        return base64.b64encode(value).decode()
    return str(value)


def wants_json(accept: bytes | None) -> bool:
    """Whether a caller's Accept header asks for JSON, as API Gateway's integrations do."""
    return accept is not None and accept.split(b";")[0].strip().lower() == b"application/json"


def write_output_json(model: Model, operation: Operation, output: Mapping[str, Any], request_id: str) -> bytes:
    """The same answer in JSON: what it leaves out is null."""
    answer: dict[str, Any] = {"ResponseMetadata": {"RequestId": request_id}}
    if operation.output_shape is not None:
        members = model.shape(operation.output_shape).get("members", {})
        written = write_value(model, operation.output_shape, output)
        keys = [member.get("locationName", name) for name, member in members.items()]
        answer[operation.result_wrapper or f"{operation.name}Result"] = {key: written.get(key) for key in keys}
    return orjson.dumps({f"{operation.name}Response": answer})


def write_error_json(code: str, message: str, status: int, request_id: str) -> bytes:
    """The JSON of an error."""
    kind = "Sender" if status < 500 else "Receiver"
    return orjson.dumps({"Error": {"Type": kind, "Code": code, "Message": message}, "RequestId": request_id})


QUERY_NAMES = {
    "AccessDeniedException": ("AccessDenied", 403),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "ExpiredTokenException": ("ExpiredToken", 403),
}
"""What JSON services call the errors that all services have → name and status in the query protocol ("Common Errors" of
the API references of IAM and of CloudWatch)."""


def write_error(namespace: str, code: str, message: str, status: int, request_id: str) -> bytes:
    """The XML of an error."""
    kind = "Sender" if status < 500 else "Receiver"
    return (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{kind}</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{escape(request_id)}</RequestId></ErrorResponse>"
    ).encode()
