"""Velocity's values in Python: how they print, compare and add up.

Java prints a map as `{a=b}` and, as API Gateway's JSON arrays do, a list as JSON (both recorded on AWS).
"""

from __future__ import annotations

from typing import Any

import orjson

from trine.apigateway.limits import PAYLOAD_BYTES


class TemplateError(ValueError):
    """A template that cannot be read, or does too much."""


DEPTH_MAX = 64
"""Nesting of values that are printed."""


def text_of(value: Any, depth: int = 0) -> str:
    """`value` as a template writes it; None is empty."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if depth > DEPTH_MAX:
        raise TemplateError("a value is nested too deeply to be printed")
    if isinstance(value, dict):
        pairs = [f"{key}={'null' if item is None else text_of(item, depth + 1)}" for key, item in value.items()]
        return "{" + ", ".join(pairs) + "}"
    return json_of(value)


def json_of(value: Any) -> str:
    """`value` as compact JSON."""
    try:
        return orjson.dumps(value, default=text_of, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TemplateError(f"a value cannot be written as JSON: {error}") from None


def truth(value: Any) -> bool:
    """Only null and false are false."""
    return value is not None and value is not False


def equals(left: Any, right: Any) -> bool:
    """`==`: values of different types are equal when they print the same."""
    if left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return text_of(left) == text_of(right)
    if type(left) is type(right) or (isinstance(left, int | float) and isinstance(right, int | float)):
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
    except (ZeroDivisionError, OverflowError):
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
        return left % right
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder
