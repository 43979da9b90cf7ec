"""The event-pattern language that EventBridge rules and the filters of event source mappings share.

Enters a pattern as JSON text, leaves a `Pattern`: a pure question about an event (a parsed JSON value). Patterns are
compiled once into closures. Semantics are those of AWS's documentation ("Comparison operators for use in event
patterns") and of its published matcher: every field of a pattern must match, any value of a field's list suffices, and
an array in the event matches when one of its elements does, all fields of one element together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from trine.aws.event_pattern_operators import Test, operator_test

PATTERN_MAX_CHARACTERS = 4_096
"""EventBridge and Lambda quotas: 4,096 characters of one pattern."""
PATTERN_DEPTH_MAX = 64
"""Nesting of a pattern. Trine's own bound."""
OR_COMBINATIONS_MAX = 1_000
"""EventBridge user guide, "$or": no more than 1,000 combinations of a pattern."""

_ABSENT = object()
_Match = Callable[[Any], bool]


class InvalidPattern(ValueError):
    """A pattern that AWS would not take; the message says why and where."""


class Pattern:
    """A compiled pattern."""

    __slots__ = ("_match", "fields", "text")

    def __init__(self, text: str, document: Mapping[str, Any]) -> None:
        self.text = text
        self.fields: Mapping[str, Any] = document
        """The parsed pattern."""
        self._match = _object(document, "", 0)

    def matches(self, event: Any) -> bool:
        """Whether `event` (a JSON value) is meant."""
        return self._match(event)


@lru_cache(1_024)
def compile_pattern(text: str) -> Pattern:
    """The pattern of a JSON text. Raises InvalidPattern."""
    if len(text) > PATTERN_MAX_CHARACTERS:
        raise InvalidPattern(f"Event pattern is longer than {PATTERN_MAX_CHARACTERS} characters")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidPattern(f"Event pattern is not a valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise InvalidPattern("Filter is not an object")
    if not document:
        raise InvalidPattern("Empty event pattern is not allowed")
    if _combinations(document) > OR_COMBINATIONS_MAX:
        raise InvalidPattern(f"$or makes more than {OR_COMBINATIONS_MAX} combinations")
    return Pattern(text, document)


def _combinations(document: Any) -> int:
    if not isinstance(document, dict):
        return 1
    product = 1
    for name, below in document.items():
        product *= sum(map(_combinations, below)) if _is_or(name, below) else _combinations(below)
        if product > OR_COMBINATIONS_MAX:
            break
    return product


def _is_or(name: str, below: Any) -> bool:
    return name == "$or" and isinstance(below, list) and len(below) > 1 and all(isinstance(one, dict) for one in below)


def _object(document: Mapping[str, Any], place: str, depth: int) -> _Match:
    if depth > PATTERN_DEPTH_MAX:
        raise InvalidPattern(f"Event pattern is nested deeper than {PATTERN_DEPTH_MAX} objects")
    if not document:
        raise InvalidPattern(f"Empty objects are not allowed\n at {place}")
    ways: list[_Match] = []
    fields: list[tuple[str, _Match]] = []
    for name, below in document.items():
        where = f"{place}.{name}" if place else name
        first, _, rest = name.partition(".")
        if first and rest:
            name, below = first, {rest: below}  # "a.b" is b within a
        if _is_or(name, below):
            ways.append(_any_of([_object(one, where, depth + 1) for one in below]))
        elif isinstance(below, dict):
            fields.append((name, _object(below, where, depth + 1)))
        elif isinstance(below, list):
            fields.append((name, _leaf(below, where)))
        else:
            raise InvalidPattern(f'"{name}" must be an object or an array\n at {where}')

    def one_object(event: Any) -> bool:
        if not isinstance(event, dict):
            # A field below something that is no object is absent.
            event = {}
        return all(match(_field(event, name)) for name, match in fields) and all(way(event) for way in ways)

    def match(event: Any) -> bool:
        elements = _elements(event) if isinstance(event, list) else ()
        return any(map(one_object, elements)) if elements else one_object(event)

    return match


def _field(event: Mapping[str, Any], name: str) -> Any:
    """A field of an event; to AWS's matcher a field `"a.b"` is b within a."""
    found = event.get(name, _ABSENT)
    if found is _ABSENT and event:
        start = name + "."
        inner = {one[len(start) :]: value for one, value in event.items() if one.startswith(start)}
        return inner or _ABSENT
    return found


def _any_of(ways: Sequence[_Match]) -> _Match:
    return lambda event: any(way(event) for way in ways)


def _leaf(values: Sequence[Any], place: str) -> _Match:
    if not values:
        raise InvalidPattern(f"Empty arrays are not allowed\n at {place}")
    plain: set[tuple[type, Any]] = set()
    tests: list[Test] = []
    wants_absent = wants_present = False
    for value in values:
        if isinstance(value, dict):
            if len(value) != 1:
                raise InvalidPattern(f"Only one key allowed in match expression\n at {place}")
            ((operator, operand),) = value.items()
            if operator == "exists":
                if not isinstance(operand, bool):
                    raise InvalidPattern(f"exists match pattern must be true or false\n at {place}")
                wants_present, wants_absent = wants_present or operand, wants_absent or not operand
                continue
            try:
                tests.append(operator_test(operator, operand))
            except ValueError as error:
                raise InvalidPattern(f"{error}\n at {place}") from None
        elif isinstance(value, list):
            raise InvalidPattern(f"Match value must be String, number, true, false, or null\n at {place}")
        else:
            plain.add(_typed(value))

    def one(value: Any) -> bool:
        return wants_present or _typed(value) in plain or any(test(value) for test in tests)

    def match(value: Any) -> bool:
        if value is _ABSENT or isinstance(value, dict):
            return wants_absent
        if isinstance(value, list):
            scalars = [element for element in _elements(value) if not isinstance(element, dict)]
            return any(map(one, scalars)) if scalars else wants_absent
        return one(value)

    return match


def _elements(values: Sequence[Any]) -> list[Any]:
    """What is in a list and in the lists in it."""
    found: list[Any] = []
    left = [values]
    while left:  # no recursion: an event may nest its arrays as deeply as it likes
        for value in left.pop():
            if isinstance(value, list):
                left.append(value)
            else:
                found.append(value)
    return found


def _typed(value: Any) -> tuple[type, Any]:
    """A scalar such that 1, true and "1" differ while 1 and 1.0 do not."""
    return (float, float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else (
        type(value), value)  # fmt: skip
