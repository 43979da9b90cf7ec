"""The operators of the event-pattern language: `{"prefix": …}` and its like.

Enters an operator with its operand, leaves a test of one scalar value, or ValueError with the reason it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import zip_longest
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
                raise ValueError(f"Consecutive wildcard characters at pos {index + 1}")
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
    if not isinstance(operand, list):
        raise ValueError("Value of numeric must be an array.")
    if not operand or len(operand) > 4:
        raise ValueError("Invalid member in numeric match: operators and numbers in pairs")
    tests: list[tuple[Callable[[float, float], bool], float]] = []
    for sign, bound in zip_longest(operand[::2], operand[1::2]):
        if not isinstance(sign, str) or sign not in _COMPARE:
            raise ValueError(f"Unrecognized numeric range operator: {sign}")
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise ValueError(f"Value of {sign} must be numeric")
        if abs(bound) > NUMERIC_BOUND:
            raise ValueError(f"Value of {sign} must be between -5.0e9 and +5.0e9, inclusive")
        tests.append((_COMPARE[sign], float(bound)))
    if len(operand) == 4 and (operand[0] not in (">", ">=") or operand[2] not in ("<", "<=")):
        raise ValueError(f"Bad numeric range operator: {operand[2] if operand[0] in ('>', '>=') else operand[0]}")
    if len(operand) == 4 and operand[1] >= operand[3]:
        raise ValueError("Bottom must be less than top")
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and all(compare(value, bound) for compare, bound in tests)
    )


_IPV4 = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


def _cidr(operand: Any) -> Test:
    network = _network(_text(operand, "prefix"))

    def inside(value: Any) -> bool:
        if not isinstance(value, str) or not (_IPV4.fullmatch(value) or ":" in value):
            return False
        try:
            return ip_address(value) in network
        except ValueError:
            return False

    return inside


def _network(text: str) -> IPv4Network | IPv6Network:
    """A range of addresses. ValueError in the words of AWS's matcher, which takes no single address."""
    address, slash, bits = text.partition("/")
    if not slash or "/" in bits:
        raise ValueError("Malformed CIDR, one '/' required")
    if not (bits.isascii() and bits.isdigit()):
        raise ValueError("Malformed CIDR, mask bits must be an integer")
    try:
        whole = ip_address(address).max_prefixlen
    except ValueError:
        raise ValueError(f"Nonstandard IP address: {address}") from None
    if int(bits) >= whole:
        raise ValueError(f"IPv{4 if whole == 32 else 6} mask bits must be < {whole}")
    return ip_network(text, strict=False)


_NOT_A_TEXT = {
    "prefix": "prefix/suffix match pattern must be a string",
    "suffix": "prefix/suffix match pattern must be a string",
    "wildcard": "wildcard match pattern must be a string",
    "equals-ignore-case": ("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."),
}
"""Operators inside of `anything-but` → what AWS's matcher says of an operand that is no text."""


def _none_of(operator: str, inner: Any) -> Test:
    """`{"anything-but": {operator: inner}}`."""
    if operator not in _NOT_A_TEXT:
        raise ValueError(f"Unsupported anything-but pattern: {operator}")
    if isinstance(inner, dict):
        raise ValueError("Value of anything-but must be an array or single string/number value.")
    wanted = inner if isinstance(inner, list) else [inner]
    if not wanted:
        raise ValueError("Empty arrays are not allowed")
    if any(not isinstance(one, str) for one in wanted):
        raise ValueError(_NOT_A_TEXT[operator])
    if operator in ("prefix", "suffix") and not all(wanted):
        raise ValueError("Null prefix/suffix not allowed")
    tests = [operator_test(operator, one) for one in wanted]
    return lambda value: not any(test(value) for test in tests)


def _anything_but(operand: Any) -> Test:
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise ValueError("anything-but takes one operator")
        ((operator, inner),) = operand.items()
        return _none_of(operator, inner)
    if operand is None or isinstance(operand, bool):
        raise ValueError("Value of anything-but must be an array or single string/number value.")
    values = operand if isinstance(operand, list) else [operand]
    if not values:
        raise ValueError("Empty lists are not allowed in anything-but")
    texts = {value for value in values if isinstance(value, str)}
    numbers = {float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)}
    if texts and numbers:
        raise ValueError(
            "Inside anything-but list, either all values are number or string, mixed type is not supported"
        )
    if any(isinstance(value, bool | dict | list) or value is None for value in values):
        raise ValueError("Inside anything but list, start|null|boolean is not supported.")

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
