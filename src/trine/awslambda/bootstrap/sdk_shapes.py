"""Service models compiled to functions: a value checked and made ready for JSON, an answer made of JSON, in one walk.

`serializer` and `parser` make the functions; `Unlike` says that the original must do it: at a shape that they do not
know, or at a value that is not plainly right (the original then finds the same fault and names it).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from . import sdk_json
from .sdk_watch import watch

Convert = Callable[[Any], Any]


class Unlike(Exception):
    """Not for the short way."""


_UNLIKE = Unlike()


def same(value: Any) -> Any:
    """A value that needs no conversion."""
    return value


def serializer(shape: Any, known: dict[str, Convert] | None = None) -> Convert:
    """Checks a parameter as botocore's validation does and makes it what `json.dumps` takes. Raises Unlike."""
    known = {} if known is None else known
    if shape.name in known:
        return known[shape.name]
    inner: list[Convert] = []
    known[shape.name] = lambda value: inner[0](value)  # for shapes that hold themselves
    made = _SERIALIZERS.get(shape.type_name, _unknown)(shape, known)
    inner.append(made)
    known[shape.name] = made
    return made


def _unknown(shape: Any, known: dict[str, Convert]) -> Convert:
    # Moments, fractions, documents, unions: a request without them is still for the short way.
    def convert(value: Any) -> Any:
        raise _UNLIKE

    return convert


def _string(shape: Any, known: dict[str, Convert]) -> Convert:
    if shape.serialization.get("jsonvalue"):
        return _unknown(shape, known)
    shortest = shape.metadata.get("min") or 0

    def convert(value: Any) -> Any:
        if type(value) is not str or len(value) < shortest:
            raise _UNLIKE
        return value

    return convert


def _boolean(shape: Any, known: dict[str, Convert]) -> Convert:
    def convert(value: Any) -> Any:
        if value is not True and value is not False:
            raise _UNLIKE
        return value

    return convert


def _whole(shape: Any, known: dict[str, Convert]) -> Convert:
    lowest = shape.metadata.get("min")

    def convert(value: Any) -> Any:
        if type(value) is not int or (lowest is not None and value < lowest):
            raise _UNLIKE
        return value

    return convert


def _blob(shape: Any, known: dict[str, Convert]) -> Convert:
    def convert(value: Any) -> Any:
        if type(value) is not bytes and type(value) is not bytearray:
            raise _UNLIKE
        return base64.b64encode(value).decode()

    return convert


def _list(shape: Any, known: dict[str, Convert]) -> Convert:
    member = serializer(shape.member, known)
    shortest = shape.metadata.get("min") or 0

    def convert(value: Any) -> Any:
        if (type(value) is not list and type(value) is not tuple) or len(value) < shortest:
            raise _UNLIKE
        return [member(item) for item in value]

    return convert


def _map(shape: Any, known: dict[str, Convert]) -> Convert:
    name, member = serializer(shape.key, known), serializer(shape.value, known)
    shortest = shape.metadata.get("min") or 0

    def convert(value: Any) -> Any:
        if type(value) is not dict or len(value) < shortest:
            raise _UNLIKE
        return {name(key): member(item) for key, item in value.items()}

    return convert


def _structure(shape: Any, known: dict[str, Convert]) -> Convert:
    if shape.is_document_type or shape.is_tagged_union or shape.serialization.get("eventstream"):
        return _unknown(shape, known)
    required = tuple(shape.metadata.get("required", ()))
    members = {
        name: (member.serialization.get("name", name), serializer(member, known))
        for name, member in shape.members.items()
    }

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            raise _UNLIKE
        for name in required:
            if name not in value:
                raise _UNLIKE
        made = {}
        for name, item in value.items():
            member = members.get(name)
            if member is None:
                raise _UNLIKE
            made[member[0]] = member[1](item)
        return made

    return convert


_SERIALIZERS: dict[str, Callable[[Any, dict[str, Convert]], Convert]] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _whole,
    "long": _whole,
    "blob": _blob,
    "list": _list,
    "map": _map,
    "structure": _structure,
}


def parser(shape: Any, timestamp: Convert, known: dict[str, Convert] | None = None) -> Convert:
    """Makes of a JSON answer what botocore's parser makes of it. What it raises, the original judges."""
    known = {} if known is None else known
    if shape.name in known:
        return known[shape.name]
    kind = shape.type_name
    if kind not in ("structure", "list", "map"):
        made = {"blob": base64.b64decode, "timestamp": timestamp}.get(kind, same)
        known[shape.name] = made
        return made
    inner: list[Convert] = []
    known[shape.name] = lambda value: inner[0](value)
    if kind == "structure":
        made = _parse_structure(shape, timestamp, known)
    elif kind == "list":
        made = _parse_list(parser(shape.member, timestamp, known))
    else:
        made = _parse_map(parser(shape.value, timestamp, known))
    inner.append(made)
    known[shape.name] = made
    return made


def _parse_list(member: Convert) -> Convert:
    return list if member is same else lambda value: [member(item) for item in value]


def _parse_map(member: Convert) -> Convert:
    return lambda value: {name: member(item) for name, item in value.items()}


def _parse_structure(shape: Any, timestamp: Convert, known: dict[str, Convert]) -> Convert:
    if shape.is_document_type or shape.is_tagged_union:
        raise _UNLIKE
    members = [
        (name, member.serialization.get("name", name), parser(member, timestamp, known))
        for name, member in shape.members.items()
    ]
    alone = {name: convert for name, spelled, convert in members if name == spelled}

    def convert(value: Any) -> Any:
        if value is None:
            return None
        if len(value) == 1:  # an attribute's value: the object that was just read serves as the answer
            (name, item), *_ = value.items()
            step = alone.get(name)
            if step is not None and item is not None:
                if step is not same:
                    value[name] = step(item)
                return value
        made = {}
        for name, spelled, step in members:  # in the model's order, as the original
            item = value.get(spelled)
            if item is not None:
                made[name] = step(item)
        return made

    return convert


_kept: dict[tuple[int, str], tuple[Any, Convert | None]] = {}


def kept(shape: Any, make: Callable[[Any], Convert], purpose: str) -> Convert | None:
    """The function for `shape`, made once; None where it is not for the short way."""
    found = _kept.get((id(shape), purpose))
    if found is not None and found[0] is shape:
        return found[1]
    try:
        made: Convert | None = make(shape)
    except Unlike:
        made = None
    if len(_kept) > 500:
        _kept.clear()
    _kept[id(shape), purpose] = (shape, made)
    return made


def install_serializer() -> Callable[[], None]:
    """Check and serialize parameters of the JSON protocol in one walk; the answer undoes this."""
    import botocore.serialize as serialize
    import botocore.validate as validate

    decorator: Any = validate.ParamValidationDecorator
    stock = decorator.serialize_to_request
    known = (validate.ParamValidator, serialize.JSONSerializer)
    watched = (validate.ParamValidator.validate, serialize.JSONSerializer.serialize_to_request, json.dumps)

    def serialize_to_request(self: Any, parameters: Any, operation_model: Any) -> Any:
        if (
            (type(self._param_validator), type(self._serializer)) != known
            or operation_model.endpoint
            or (known[0].validate, known[1].serialize_to_request, json.dumps) != watched
        ):
            return stock(self, parameters, operation_model)
        shape = operation_model.input_shape
        convert = None if shape is None else kept(shape, serializer, "serialize")
        if convert is None:
            return stock(self, parameters, operation_model)
        try:
            body = convert(parameters)
        except Unlike:
            return stock(self, parameters, operation_model)
        metadata = operation_model.metadata
        headers = {
            "X-Amz-Target": f"{metadata['targetPrefix']}.{operation_model.name}",
            "Content-Type": f"application/x-amz-json-{metadata['jsonVersion']}",
        }
        if operation_model.service_model.is_query_compatible:
            headers["x-amzn-query-mode"] = "true"
        return {
            "url_path": "/",
            "query_string": "",
            "method": operation_model.http.get("method", "POST"),
            "headers": headers,
            "body": sdk_json.write(body),
        }

    decorator.serialize_to_request = serialize_to_request

    def remove() -> None:
        decorator.serialize_to_request = stock

    return remove


def install_parser() -> Callable[[], None]:
    """Parse answers of the JSON protocol with compiled functions; the answer undoes this."""
    import botocore.parsers as parsers

    owner: Any = parsers.JSONParser
    walker: Any = parsers.BaseJSONParser
    stock = owner._handle_json_body
    is_stock = watch(
        (walker, "_handle_structure _handle_map _handle_blob _parse_body_as_json _handle_timestamp"), (json, "loads")
    )
    timestamp = parsers.DEFAULT_TIMESTAMP_PARSER

    def make(shape: Any) -> Convert:
        return parser(shape, timestamp)

    def _handle_json_body(self: Any, raw_body: Any, shape: Any) -> Any:
        if (
            type(self) is not owner
            or shape is None
            or shape.type_name != "structure"
            or self._timestamp_parser is not timestamp
            or self._blob_parser != self._default_blob_parser
            or not is_stock()
        ):
            return stock(self, raw_body, shape)
        convert = kept(shape, make, "parse")
        if convert is None:
            return stock(self, raw_body, shape)
        try:
            return convert(sdk_json.read(raw_body) if raw_body else {})
        except Exception:
            return stock(self, raw_body, shape)  # it meets the same fault and says so in its own words

    owner._handle_json_body = _handle_json_body

    def remove() -> None:
        owner._handle_json_body = stock

    return remove
