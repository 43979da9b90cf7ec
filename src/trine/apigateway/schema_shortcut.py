"""JSON schemas as quick yes-or-unsure checks, so that a good body costs microseconds.

Enters a schema; leaves a function that is True when a document surely fits it. False means only that the full validator
(see `validation`) must look: it also finds the words for a refusal. Keywords that are not known here, and documents
that are anything but plain, are unsure, so this can make nothing valid that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]
_DEPTH_MAX = 32

_SILENT = frozenset(
    {"title", "description", "default", "example", "examples", "$schema", "id", "definitions", "components", "format",
     "readOnly", "writeOnly", "deprecated", "xml", "externalDocs", "$comment"}
)  # fmt: skip
"""Keywords that never make a document invalid."""


def shortcut(schema: Any, document: Mapping[str, Any]) -> Check:
    """The quick check of `schema`, whose references point into `document`."""
    return _Compiler(document).compile(schema, 0)


def _unsure(value: Any) -> bool:
    return False


def _sure(value: Any) -> bool:
    return True


class _Compiler:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._known: dict[str, Check] = {}

    def compile(self, schema: Any, depth: int) -> Check:
        if not isinstance(schema, Mapping) or depth > _DEPTH_MAX:
            return _unsure
        if "$ref" in schema:  # whatever stands beside it does not count in draft 4
            return self._reference(schema["$ref"], depth)
        checks: list[Check] = []
        for keyword, wanted in schema.items():
            if keyword in _SILENT or keyword.startswith("x-"):
                continue
            made = self._keyword(keyword, wanted, schema, depth)
            if made is None:
                return _unsure
            checks.append(made)
        if not checks:
            return _sure
        if len(checks) == 1:
            return checks[0]
        together = tuple(checks)
        return lambda value: all(one(value) for one in together)

    def _reference(self, reference: Any, depth: int) -> Check:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return _unsure
        if reference not in self._known:
            self._known[reference] = _unsure  # a model that holds itself is looked at in full
            target: Any = self._document
            for part in reference[2:].split("/") if len(reference) > 1 else []:
                target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
            self._known[reference] = self.compile(target, depth + 1)
        return self._known[reference]

    def _keyword(self, keyword: str, wanted: Any, schema: Mapping[str, Any], depth: int) -> Check | None:
        if keyword == "type":
            return _TYPES.get(wanted) if isinstance(wanted, str) else None
        if keyword == "enum":
            texts = (
                frozenset(one for one in wanted if isinstance(one, str)) if isinstance(wanted, list) else frozenset()
            )
            return lambda value: type(value) is str and value in texts
        if keyword == "properties" and isinstance(wanted, Mapping):
            return _properties({name: self.compile(one, depth + 1) for name, one in wanted.items()})
        if keyword == "required" and isinstance(wanted, list):
            names = frozenset(map(str, wanted))
            return lambda value: type(value) is dict and names <= value.keys()
        if keyword == "additionalProperties" and "patternProperties" not in schema:
            return self._additional(wanted, schema.get("properties"), depth)
        if keyword == "items" and isinstance(wanted, Mapping):
            return _items(self.compile(wanted, depth + 1))
        if keyword == "allOf" and isinstance(wanted, list):
            parts = [self.compile(one, depth + 1) for one in wanted]
            return lambda value: all(part(value) for part in parts)
        if keyword == "anyOf" and isinstance(wanted, list):
            some = [self.compile(one, depth + 1) for one in wanted]
            return lambda value: any(part(value) for part in some)
        if isinstance(wanted, int | float) and not isinstance(wanted, bool):
            return _limit(keyword, wanted, exclusive=bool(schema.get("exclusive" + keyword.capitalize())))
        return _sure if keyword in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(wanted, bool) else None

    def _additional(self, wanted: Any, properties: Any, depth: int) -> Check | None:
        names = frozenset(properties) if isinstance(properties, Mapping) else frozenset()
        if wanted is True:
            return _sure
        if wanted is False:
            return lambda value: type(value) is dict and value.keys() <= names
        if not isinstance(wanted, Mapping):
            return None
        rest = self.compile(wanted, depth + 1)
        return lambda value: type(value) is dict and all(rest(one) for name, one in value.items() if name not in names)


_TYPES: dict[str, Check] = {
    "object": lambda value: type(value) is dict,
    "array": lambda value: type(value) is list,
    "string": lambda value: type(value) is str,
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) is int or type(value) is float,
    "boolean": lambda value: type(value) is bool,
    "null": lambda value: value is None,
}


def _properties(checks: Mapping[str, Check]) -> Check:
    def check(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for name, one in value.items():
            known = checks.get(name)
            if known is not None and not known(one):
                return False
        return True

    return check


def _items(one: Check) -> Check:
    def check(value: Any) -> bool:
        return type(value) is list and all(map(one, value))

    return check


def _limit(keyword: str, wanted: float, *, exclusive: bool) -> Check | None:
    """Bounds of numbers and lengths; None for a keyword that is none of them."""
    if keyword == "minimum":
        return lambda value: type(value) in (int, float) and (value > wanted if exclusive else value >= wanted)
    if keyword == "maximum":
        return lambda value: type(value) in (int, float) and (value < wanted if exclusive else value <= wanted)
    if keyword == "minLength":
        return lambda value: type(value) is str and len(value) >= wanted
    if keyword == "maxLength":
        return lambda value: type(value) is str and len(value) <= wanted
    if keyword == "minItems":
        return lambda value: type(value) is list and len(value) >= wanted
    if keyword == "maxItems":
        return lambda value: type(value) is list and len(value) <= wanted
    if keyword == "minProperties":
        return lambda value: type(value) is dict and len(value) >= wanted
    if keyword == "maxProperties":
        return lambda value: type(value) is dict and len(value) <= wanted
    return None
