"""Constraints of a service model, checked on parsed input in AWS's wording.

Enters a model and values, leaves nothing or raises `Violations` with every fault: required members, lengths, ranges,
enumerations, patterns. Member names appear as AWS writes them, first letter in lower case, dotted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from trine.aws.patterns import Pattern, PatternRefused
from trine.aws.protocol_errors import Violations
from trine.aws.protocol_model import Model, Raw

VIOLATIONS_MAX = 10
"""Faults named in one answer; AWS stops at ten too (?). Bounds the answer's length either way."""
SHOWN_MAX_CHARACTERS = 1_024
"""Longest value quoted in a sentence."""
PATTERN_INPUT_MAX_CHARACTERS = 20_480
"""Longest text that a pattern is tried on."""


def validate(model: Model, shape_name: str, value: Any, *, code: str | None = None) -> None:
    """Raise `Violations` (under `code`, else ValidationException) when `value` breaks a constraint of the shape."""
    found: list[str] = []
    for violation in _violations(model, shape_name, value, ""):
        found.append(violation)
        if len(found) >= VIOLATIONS_MAX:
            break
    if found:
        raise Violations(found, code=code)


def _violations(model: Model, shape_name: str, value: Any, place: str) -> Iterator[str]:
    shape = model.shape(shape_name)
    kind = shape["type"]
    if kind == "structure" and isinstance(value, Mapping):
        yield from _structure(model, shape, value, place)
    elif kind == "list" and isinstance(value, Sequence):
        yield from _length(shape, value, place)
        member = shape["member"]["shape"]
        for index, one in enumerate(value, start=1):
            yield from _violations(model, member, one, f"{place}.{index}.member")
    elif kind == "map" and isinstance(value, Mapping):
        yield from _length(shape, value, place)
        for key, one in value.items():
            yield from _violations(model, shape["key"]["shape"], key, f"{place}.{key}.key")
            yield from _violations(model, shape["value"]["shape"], one, f"{place}.{key}.member")
    elif kind in {"string", "blob"}:
        yield from _length(shape, value, place)
        if kind == "string":
            yield from _text(shape, value, place)
    elif kind in {"integer", "long", "float", "double"}:
        yield from _range(shape, value, place)


def _structure(model: Model, shape: Raw, value: Mapping[str, Any], place: str) -> Iterator[str]:
    for name in shape.get("required", ()):
        if value.get(name) is None:
            yield f"Value null at '{_under(place, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.get("members", {}).items():
        if value.get(name) is not None:
            yield from _violations(model, member["shape"], value[name], _under(place, name))


def _under(place: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{place}.{lowered}" if place else lowered


def _length(shape: Raw, value: Any, place: str) -> Iterator[str]:
    size = len(value)
    if "min" in shape and size < shape["min"]:
        yield _fails(shape, value, place, f"Member must have length greater than or equal to {shape['min']}")
    if "max" in shape and size > shape["max"]:
        yield _fails(shape, value, place, f"Member must have length less than or equal to {shape['max']}")


def _range(shape: Raw, value: Any, place: str) -> Iterator[str]:
    if "min" in shape and value < shape["min"]:
        yield _fails(shape, value, place, f"Member must have value greater than or equal to {shape['min']}")
    if "max" in shape and value > shape["max"]:
        yield _fails(shape, value, place, f"Member must have value less than or equal to {shape['max']}")


def _text(shape: Raw, value: str, place: str) -> Iterator[str]:
    choices = shape.get("enum")
    if choices is not None and value not in choices:
        yield _fails(shape, value, place, f"Member must satisfy enum value set: [{', '.join(choices)}]")
    pattern = shape.get("pattern")
    if pattern is not None and len(value) <= PATTERN_INPUT_MAX_CHARACTERS:
        compiled = model_pattern(pattern)
        if compiled is not None and not compiled.fits(value):
            yield _fails(shape, value, place, f"Member must satisfy regular expression pattern: {pattern}")


def _fails(shape: Raw, value: Any, place: str, constraint: str) -> str:
    if shape.get("sensitive"):
        shown = "***"
    else:
        shown = str(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)[:SHOWN_MAX_CHARACTERS]
    return f"Value '{shown}' at '{place}' failed to satisfy constraint: {constraint}"


@lru_cache(1_024)
def model_pattern(java: str) -> Pattern | None:
    r"""AWS's Java pattern for Python, or None where Python cannot read it (then the pattern is not checked).

    `\p{L}` and its relatives stand only inside character classes in AWS's models; Python has no word for them.
    """
    text = re.sub(r"\\p\{(?:Is)?([A-Z])[A-Za-z]*\}", lambda found: _category(found[1]), java)
    try:
        return Pattern(text)
    except PatternRefused:
        return None


def _category(letter: str) -> str:
    return _categories().get(letter, "")


@lru_cache(1)
def _categories() -> dict[str, str]:
    r"""Unicode's categories (`L`, `M`, `N`, `P`, `S`, `Z`, `C`), each as the inside of a character class.

    The first two planes hold all but the rarer ideographs, which are letters. One pass of 40 ms, for the first pattern.
    """
    last = 0x1FFFF
    ranges: dict[str, list[list[int]]] = {}
    for code in range(last + 1):
        known = ranges.setdefault(unicodedata.category(chr(code))[0], [])
        if known and known[-1][1] == code - 1:
            known[-1][1] = code
        else:
            known.append([code, code])
    ranges["L"].append([last + 1, 0x3FFFF])
    return {
        letter: "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in known)
        for letter, known in ranges.items()
    }
