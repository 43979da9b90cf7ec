"""Request validators of REST APIs: required parameters and JSON-schema models, before the integration.

Enters an `Exchange` with its route; leaves nothing, or a `GatewayError` 400 in AWS's words. jsonschema is imported when
the first API with a model is loaded, not before. Schemas cannot reach out of the document, and their patterns are
checked like every pattern of a template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import orjson

from trine.apigateway.api import Api, Route
from trine.apigateway.authorizers.identity import Reader, identity_reader
from trine.apigateway.errors import BAD_REQUEST_BODY, BAD_REQUEST_PARAMETERS, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.schema_shortcut import Check, shortcut
from trine.aws.patterns import PatternRefused, compile_pattern

ROOM = "apigateway.validation"
SCHEMA_DEPTH_MAX = 64
NAME_CHARACTERS_MAX = 1_000
"""Longest member name that is matched with `patternProperties`."""
_MODELS_URL = "https://apigateway.amazonaws.com/restapis/"


class SchemaRefused(ValueError):
    """A model that is no JSON schema, or one whose patterns could explode."""


def _location(parameter: str) -> str:
    """`header`, `path` or `querystring` of `method.request.header.name`."""
    return parameter.split(".")[2]


class Validation:
    """The checks of one route."""

    __slots__ = ("_body", "_models", "_parameters", "_readers")

    def __init__(self, route: Route, api: Api) -> None:
        """SchemaRefused when a model cannot be used."""
        rule = route.validator
        required = route.required_parameters if rule is not None and rule.parameters else ()
        self._parameters = sorted(required, key=_location)  # the order in which AWS names them
        self._body = rule is not None and rule.body and bool(route.models)
        self._models: dict[str, Model] = {}
        if self._body:
            for media_type, schema in route.models.items():
                self._models[media_type.lower()] = Model(schema, api.definitions)
        self._readers = [(source, _reader(source)) for source in self._parameters]

    @property
    def needed(self) -> bool:
        """False when there is nothing to check."""
        return self._body or bool(self._parameters)

    def check(self, exchange: Exchange) -> None:
        """GatewayError 400 when a parameter is missing or the body does not fit its model."""
        missing = [source for source, read in self._readers if read(exchange) is None]
        if missing:
            names = ", ".join(source.rpartition(".")[2] for source in missing)
            message = f"Missing required request parameters: [{names}]"
            raise GatewayError(BAD_REQUEST_PARAMETERS, message, message=message, room=ROOM)
        if self._body:
            self._check_body(exchange)
        exchange.trace.step(ROOM)

    def _check_body(self, exchange: Exchange) -> None:
        header = exchange.request.headers.get(b"content-type")
        media_type = header.decode("latin-1").partition(";")[0].strip().lower() if header else "application/json"
        model = self._models.get(media_type)
        if model is not None:  # "if no model matches the content type, validation is not performed"
            model.check(exchange.request.body)


class Model:
    """A JSON schema that bodies are held against."""

    __slots__ = ("_quick", "_validator")

    def __init__(self, schema: Any, definitions: Mapping[str, Any]) -> None:
        """`definitions` are the API's models by name. SchemaRefused when it cannot be used."""
        self._quick, self._validator = _validator(schema, definitions)

    def check(self, body: bytes) -> None:
        """GatewayError 400 when `body` is no JSON or does not fit."""
        try:
            document = orjson.loads(body) if body else None
        except orjson.JSONDecodeError as error:
            raise refused_body(f"the body is not JSON: {error}") from None
        if self._quick(document):
            return
        try:
            fault = next(self._validator.iter_errors(document), None)
        except RecursionError:
            raise refused_body("the body is nested too deeply for its model") from None
        except PatternRefused as error:
            raise refused_body(str(error)) from None
        if fault is not None:
            where = "/".join(str(part) for part in fault.absolute_path)
            raise refused_body(f"{where or 'the body'}: {fault.message}"[:1_000])


def refused_body(reason: str) -> GatewayError:
    """The 400 of a body that does not fit."""
    return GatewayError(BAD_REQUEST_BODY, reason, room=ROOM, validationErrorString=f"[{reason}]")


def _reader(source: str) -> Reader:
    """What reads a required parameter; None when it is missing or empty."""
    if source.startswith("method.request.path."):
        name = source[len("method.request.path.") :]
        return lambda exchange: (exchange.parameters or {}).get(name) or None
    return identity_reader(source)


def _validator(schema: Any, definitions: Mapping[str, Any]) -> tuple[Check, Any]:
    """A quick check, and a Draft 4 validator of `schema`; references are resolved inside the API's own definitions."""
    # Imported by name: the package costs 15 MB that a stack without models need not have.
    jsonschema: Any = import_module("jsonschema")
    registry = import_module("referencing").Registry()

    models = {name: _local(model, 0) for name, model in definitions.items()}
    whole = _local(schema, 0)
    if not isinstance(whole, dict):
        raise SchemaRefused("a model is no object")
    document = {**whole, "definitions": {**models, **whole.get("definitions", {})}, "components": {"schemas": models}}
    document.pop("$schema", None)
    try:
        jsonschema.Draft4Validator.check_schema(document)
    except jsonschema.SchemaError as error:
        raise SchemaRefused(f"a model is not valid JSON schema: {error.message}"[:500]) from None
    _check_references(document, document, 0)
    return shortcut(document, document), _bounded(jsonschema)(document, registry=registry)


def _bounded(jsonschema: Any) -> Any:
    """Draft 4 with those keywords replaced whose cost a client could drive up: patterns on long texts and names,
    `uniqueItems` on long lists of objects."""
    fault = jsonschema.ValidationError
    own = jsonschema.Draft4Validator.VALIDATORS["additionalProperties"]

    def pattern(validator: Any, wanted: str, instance: Any, schema: Any) -> Iterator[Any]:
        if isinstance(instance, str) and not compile_pattern(wanted).found_in(instance):
            yield fault(f"{instance[:100]!r} does not match {wanted!r}")

    def pattern_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if not isinstance(instance, dict):
            return
        if any(len(name) > NAME_CHARACTERS_MAX for name in instance):
            yield fault(f"a name has more than {NAME_CHARACTERS_MAX} characters")
            return
        for source, inner in wanted.items():
            found_in = compile_pattern(source).found_in
            for name in filter(found_in, instance):
                yield from validator.descend(instance[name], inner, path=name, schema_path=source)

    def additional_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        patterns = [compile_pattern(source) for source in schema.get("patternProperties") or ()]
        if patterns and isinstance(instance, dict) and all(len(name) <= NAME_CHARACTERS_MAX for name in instance):
            instance = {name: value for name, value in instance.items()
                        if not any(pattern.found_in(name) for pattern in patterns)}  # fmt: skip
            schema = {name: value for name, value in schema.items() if name != "patternProperties"}
        yield from own(validator, wanted, instance, schema)

    def unique_items(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if wanted and isinstance(instance, list) and len({_canonical(item) for item in instance}) != len(instance):
            yield fault("has items that are not unique")

    keywords = {"pattern": pattern, "patternProperties": pattern_properties, "uniqueItems": unique_items,
                "additionalProperties": additional_properties}  # fmt: skip
    return jsonschema.validators.extend(jsonschema.Draft4Validator, keywords)


def _canonical(value: Any) -> Any:
    """A hashable stand-in, equal for values that JSON schema calls equal (1 and 1.0 are, 1 and true are not)."""
    if isinstance(value, dict):
        return "object", frozenset((name, _canonical(item)) for name, item in value.items())
    if isinstance(value, list):
        return "array", tuple(_canonical(item) for item in value)
    return ("boolean", value) if isinstance(value, bool) else value


def _local(node: Any, depth: int) -> Any:
    """`node` with references to models by URL made local, and its patterns checked."""
    if depth > SCHEMA_DEPTH_MAX:
        raise SchemaRefused("a model is nested too deeply")
    if isinstance(node, list):
        return [_local(item, depth + 1) for item in node]
    if not isinstance(node, dict):
        return node
    found: dict[str, Any] = {}
    for name, value in node.items():
        if name == "$ref" and isinstance(value, str) and value.startswith(_MODELS_URL):
            value = "#/definitions/" + value.rpartition("/models/")[2]
        elif name == "pattern" and isinstance(value, str):
            _check_pattern(value)
        elif name == "patternProperties" and isinstance(value, dict):
            for pattern in value:
                _check_pattern(str(pattern))
        found[name] = _local(value, depth + 1)
    return found


def _check_pattern(pattern: str) -> None:
    try:
        compile_pattern(pattern)
    except PatternRefused as error:
        raise SchemaRefused(str(error)) from None


def _check_references(node: Any, document: Mapping[str, Any], depth: int) -> None:
    """Every `$ref` must point into the document: nothing is fetched, nothing is left dangling."""
    if isinstance(node, list):
        for item in node:
            _check_references(item, document, depth + 1)
    elif isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            target: Any = document if reference.startswith("#") else None
            for part in reference[2:].split("/") if len(reference) > 1 else []:
                target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
            if target is None:
                raise SchemaRefused(f"a model refers to {reference!r}, which is not in the API")
        for value in node.values():
            _check_references(value, document, depth + 1)
