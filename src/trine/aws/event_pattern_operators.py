"""The operators of the event-pattern language: `{"prefix": …}` and its like.

Enters an operator with its operand, leaves a test of one scalar value, or ValueError with the reason it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

Test = Callable[[Any], bool]
NUMERIC_BOUND = 5e9
"""EventBridge user guide, "Numeric matching": −5.0e9 to +5.0e9 inclusive."""
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def operator_test(operator: str, operand: Any) -> Test:
    """The test of one operator. Raises ValueError."""
    make = _OPERATORS.get(operator)
    if make is None:
        raise ValueError(f"Unrecognized match type {operator}")
    return make(operand)


def _text(operand: Any, operator: str) -> str:
    if not isinstance(operand, str):
        raise ValueError(f"{operator} match pattern must be a string")
    return operand


def _prefix(operand: Any) -> Test:
    if isinstance(operand, dict):
        start = _ignoring_case(operand, "prefix")
        return lambda value: isinstance(value, str) and value.casefold().startswith(start)
    text = _text(operand, "prefix")
    return lambda value: isinstance(value, str) and value.startswith(text)


def _suffix(operand: Any) -> Test:
    if isinstance(operand, dict):
        end = _ignoring_case(operand, "suffix")
        return lambda value: isinstance(value, str) and value.casefold().endswith(end)
    text = _text(operand, "suffix")
    return lambda value: isinstance(value, str) and value.endswith(text)


def _ignoring_case(operand: dict[str, Any], operator: str) -> str:
    if set(operand) != {"equals-ignore-case"}:
        raise ValueError(f"{operator} match pattern takes a string or equals-ignore-case")
    return _text(operand["equals-ignore-case"], "equals-ignore-case").casefold()


def _equals_ignore_case(operand: Any) -> Test:
    text = _text(operand, "equals-ignore-case").casefold()
    return lambda value: isinstance(value, str) and value.casefold() == text


def _wildcard(operand: Any) -> Test:
    text = _text(operand, "wildcard")
    parts: list[str] = []
    index = 0
    while index < len(text):
        character = text[index]
        if character == "\\":
            if text[index + 1 : index + 2] not in ("*", "\\"):
                raise ValueError("Invalid escape character in wildcard")
            parts.append(text[index + 1])
            index += 1
        elif character == "*":
            if text[index + 1 : index + 2] == "*":
                raise ValueError("Consecutive wildcard characters")
            parts.append("")
        else:
            parts.append(character)
        index += 1
    pieces: list[str] = [""]
    for part in parts:
        if part:
            pieces[-1] += part
        else:
            pieces.append("")
    return lambda value: isinstance(value, str) and _fits(value, pieces)


def _fits(value: str, pieces: Sequence[str]) -> bool:
    """Whether `value` is `pieces` with anything in between; linear, so no pattern can buy time."""
    if len(pieces) == 1:
        return value == pieces[0]
    first, last = pieces[0], pieces[-1]
    if len(value) < len(first) + len(last) or not value.startswith(first) or not value.endswith(last):
        return False
    at, end = len(first), len(value) - len(last)
    for piece in pieces[1:-1]:
        found = value.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _numeric(operand: Any) -> Test:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise ValueError("Invalid member in numeric match: operators and numbers in pairs")
    tests: list[tuple[Callable[[float, float], bool], float]] = []
    for sign, bound in zip(operand[::2], operand[1::2], strict=True):
        if not isinstance(sign, str) or sign not in _COMPARE:
            raise ValueError(f"Unrecognized numeric range operator: {sign}")
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise ValueError(f"Value of {sign} must be numeric")
        if abs(bound) > NUMERIC_BOUND:
            raise ValueError(f"Value of {sign} must be between -5.0e9 and +5.0e9, inclusive")
        tests.append((_COMPARE[sign], float(bound)))
    if len(operand) == 4 and (operand[0] not in (">", ">=") or operand[2] not in ("<", "<=")):
        raise ValueError("Bad numeric range operator: a range goes from > or >= to < or <=")
    if len(operand) == 4 and operand[1] >= operand[3]:
        raise ValueError("Bottom must be less than top")
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and all(compare(value, bound) for compare, bound in tests)
    )


_IPV4 = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


def _cidr(operand: Any) -> Test:
    try:
        network = ip_network(_text(operand, "cidr"), strict=False)
    except ValueError:
        raise ValueError(f"Malformed CIDR: {operand}") from None

    def inside(value: Any) -> bool:
        if not isinstance(value, str) or not (_IPV4.fullmatch(value) or ":" in value):
            return False
        try:
            return ip_address(value) in network
        except ValueError:
            return False

    return inside


def _anything_but(operand: Any) -> Test:
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise ValueError("anything-but takes one operator")
        ((operator, inner),) = operand.items()
        if operator not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise ValueError(f"Unsupported anything-but pattern: {operator}")
        wanted = inner if isinstance(inner, list) else [inner]
        if not wanted or any(not isinstance(one, str) or not one for one in wanted):
            raise ValueError(f"anything-but {operator} takes a string or a list of strings that are not empty")
        tests = [operator_test(operator, one) for one in wanted]
        return lambda value: not any(test(value) for test in tests)
    values = operand if isinstance(operand, list) else [operand]
    if not values:
        raise ValueError("Empty lists are not allowed in anything-but")
    texts = {value for value in values if isinstance(value, str)}
    numbers = {float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)}
    if texts and numbers:
        raise ValueError(
            "Inside anything-but list, either all values are number or string, mixed type is not supported"
        )
    if len(texts) + len(numbers) == 0 or any(
        isinstance(value, bool | dict | list) or value is None for value in values
    ):
        raise ValueError("Value of anything-but must be a string or a number")

    def other(value: Any) -> bool:
        if isinstance(value, str):
            return value not in texts
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value) not in numbers
        return True

    return other


_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}
