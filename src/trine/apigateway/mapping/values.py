"""Velocity's values in Python: how they print, compare and add up.

Java prints a map as `{a=b}` and, as API Gateway's JSON arrays do, a list as JSON (both recorded on AWS).
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import orjson

from trine.apigateway.limits import PAYLOAD_BYTES


class TemplateError(ValueError):
    """A template that cannot be read, or does too much."""


class JavaList(list[Any]):
    """A list that a template or a method made: it prints as Java's lists do, `[a, b]`, where one out of JSON prints as
    JSON, `["a","b"]`."""

    __slots__ = ()


class JavaEntry(dict[str, Any]):
    """An entry of a map, with `key` and `value`: prints `a=b`."""

    __slots__ = ()


DEPTH_MAX = 64
CONTAINER_MEMBERS = 16
"""A list or map costs as much as so many members."""
CHARACTERS_PER_STEP, MEMBERS_PER_STEP = 1_000, 20
"""What is gone through in the time of one step."""
SIZE_MAX = 2 * PAYLOAD_BYTES
"""More than any payload has."""
"""Nesting of values that are printed."""


def size_of(value: Any) -> tuple[int, int]:
    """(characters, members) that are visited when `value` is printed or compared, each as often as it stands there.

    TemplateError when they are more than any payload has: a list of a list of a list, each twice, has more members than
    memory has bytes.
    """
    characters = len(value) if isinstance(value, str) else 1
    members = 0
    left = [value] if isinstance(value, dict | list) else []
    while left:
        container = left.pop()
        members += CONTAINER_MEMBERS + len(container)
        for item in container.values() if isinstance(container, dict) else container:
            if isinstance(item, str):
                characters += len(item)
            elif isinstance(item, dict | list):
                left.append(item)
        if characters + members > SIZE_MAX:
            raise TemplateError("a value has too many characters and members to be gone through")
    return characters, members


def steps_through(*values: Any) -> int:
    """Steps that it costs to go through all of these. TemplateError: `size_of`."""
    sizes = [size_of(value) for value in values]
    return sum(characters // CHARACTERS_PER_STEP + members // MEMBERS_PER_STEP for characters, members in sizes)


def text_of(value: Any, depth: int = 0) -> str:
    """`value` as a template writes it; None is empty."""
    if isinstance(value, str):
        return value
    if depth == 0 and isinstance(value, dict | list):
        size_of(value)
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _java_double(value)
    if depth > DEPTH_MAX:
        raise TemplateError("a value is nested too deeply to be printed")
    if isinstance(value, JavaEntry):
        return f"{value['key']}={_inner(value['value'], depth)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_inner(item, depth)}" for key, item in value.items()) + "}"
    if isinstance(value, JavaList):
        return "[" + ", ".join(_inner(item, depth) for item in value) + "]"
    return json_of(value)


def _inner(value: Any, depth: int) -> str:
    return "null" if value is None else text_of(value, depth + 1)


def _java_double(value: float) -> str:
    """As `Double.toString`: from 10⁻³ to 10⁷ plainly, else with an exponent."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return np if "e" not in (np := repr(value)) else f"{Decimal(np):f}"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) - 1 + exponent
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"


def json_of(value: Any) -> str:
    """`value` as compact JSON."""
    size_of(value)
    try:
        return orjson.dumps(value, default=text_of, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TemplateError(f"a value cannot be written as JSON: {error}") from None


def truth(value: Any) -> bool:
    """Only null and false are false."""
    return value is not None and value is not False


def equals(left: Any, right: Any) -> bool:
    """`==`: values of different types are equal when they print the same; null equals the empty text, as recorded on
    AWS by LocalStack's `test_input_path_template_formatting`."""
    if left is None or right is None:
        other = right if left is None else left
        return other is None or other == ""
    if isinstance(left, bool) or isinstance(right, bool):
        return text_of(left) == text_of(right)
    if type(left) is type(right) or (isinstance(left, int | float) and isinstance(right, int | float)):
        if isinstance(left, dict | list):
            size_of(left)
        return bool(left == right)
    return text_of(left) == text_of(right)


def compare(operator: str, left: Any, right: Any) -> bool:
    """`<` and its kin, between numbers, or between texts; anything else is false."""
    numbers = _is_number(left) and _is_number(right)
    if not numbers and not (isinstance(left, str) and isinstance(right, str)):
        return False
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    return bool(left > right) if operator == ">" else bool(left >= right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_INTEGER_MAX = 2**63
"""Java's long; beyond it a result is null rather than ever more digits."""


def binary(operator: str, left: Any, right: Any) -> Any:
    """Arithmetic, and `+` of texts. Null when the operands do not fit, as when dividing by zero."""
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        joined = text_of(left) + text_of(right)
        if len(joined) > PAYLOAD_BYTES:
            raise TemplateError(f"a text grows beyond {PAYLOAD_BYTES} characters")
        return joined
    if not (_is_number(left) and _is_number(right)):
        return None
    try:
        result = _arithmetic(operator, left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return None if isinstance(result, int) and abs(result) > _INTEGER_MAX else result


def _arithmetic(operator: str, left: Any, right: Any) -> Any:
    whole = isinstance(left, int) and isinstance(right, int)
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/":
        if not whole:
            return left / right
        quotient = abs(left) // abs(right)  # Java rounds towards zero
        return quotient if (left < 0) == (right < 0) else -quotient
    if not whole:
        return math.fmod(left, right)
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder
