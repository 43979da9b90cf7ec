"""The functions of expressions. Pure.

Enters values, leaves a value; None where something is missing that is needed. Source: user guide, "Supported operations
and functions" of the fields command.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from trine.logs.insights.value import Moment, Value, is_true, number, text

Body = Callable[..., Value]
TEXT_CHARACTERS = 1_000_000
"""Longest text that a function makes."""
UNIT_MS = {
    "ms": 1, "msec": 1, "s": 1_000, "sec": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "hr": 3_600_000,
    "d": 86_400_000, "w": 604_800_000,
}  # fmt: skip
"""Units of a period: `bin(5m)`. Months, quarters and years have no fixed length and are not built."""


class Function(NamedTuple):
    """How many arguments it takes, and what it does with them."""

    least: int
    most: int
    body: Body


def _numbers(body: Callable[..., float]) -> Body:
    def done(*given: Value) -> Value:
        found = [number(one) for one in given]
        if any(one is None for one in found):
            return None
        try:
            made = body(*found)
        except (ValueError, OverflowError, ZeroDivisionError):
            return None
        return made if math.isfinite(made) else None

    return done


def _texts(body: Callable[..., Value]) -> Body:
    def done(*given: Value) -> Value:
        found = [text(one) for one in given]
        return None if any(one is None for one in found) else body(*found)

    return done


def _substr(given: str, start: str, length: str | None = None) -> Value:
    first, count = number(start), number(length)
    if first is None or (length is not None and count is None):
        return None
    begin = max(0, int(first))
    return given[begin:] if count is None else given[begin : begin + max(0, int(count))]


def _replace(given: str, sought: str, put: str) -> Value:
    if not sought:
        return given
    made = len(given) + given.count(sought) * (len(put) - len(sought))
    return given.replace(sought, put) if made <= TEXT_CHARACTERS else None


def _trim(strip: Callable[[str, str | None], str]) -> Body:
    return _texts(lambda given, characters=None: strip(given, characters))


def _floor(moment: Value, period_ms: Value) -> Value:
    at, step = number(moment), number(period_ms)
    return None if at is None or not step or step < 1 else Moment(int(at) // int(step) * int(step))


def _ceil(moment: Value, period_ms: Value) -> Value:
    at, step = number(moment), number(period_ms)
    return None if at is None or not step or step < 1 else Moment(-(-int(at) // int(step)) * int(step))


def _from_millis(value: Value) -> Value:
    found = number(value)
    return None if found is None else Moment(int(found))


def _to_millis(value: Value) -> Value:
    if isinstance(value, str) and number(value) is None:
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    found = number(value)
    return None if found is None else int(found)


def _address(version: int | None) -> Body:
    def done(value: Value) -> Value:
        try:
            return int(version in (None, ipaddress.ip_address(text(value) or "").version))
        except ValueError:
            return 0

    return done


def _in_subnet(version: int | None) -> Body:
    def done(value: Value, subnet: Value) -> Value:
        try:
            network = ipaddress.ip_network(text(subnet) or "", strict=False)
            found = ipaddress.ip_address(text(value) or "")
        except ValueError:
            return 0
        return int(version in (None, found.version) and found.version == network.version and found in network)

    return done


def _coalesce(*given: Value) -> Value:
    return next((one for one in given if one is not None), None)


def _if(condition: Value, then: Value, otherwise: Value) -> Value:
    return then if is_true(condition) else otherwise


def _concat(*given: str) -> Value:
    return "".join(given) if sum(map(len, given)) <= TEXT_CHARACTERS else None


MANY = 64
FUNCTIONS: dict[str, Function] = {
    "abs": Function(1, 1, _numbers(abs)),
    "ceil": Function(1, 1, _numbers(math.ceil)),
    "floor": Function(1, 1, _numbers(math.floor)),
    "greatest": Function(1, MANY, _numbers(max)),
    "least": Function(1, MANY, _numbers(min)),
    "log": Function(1, 1, _numbers(math.log)),
    "sqrt": Function(1, 1, _numbers(math.sqrt)),
    "isempty": Function(1, 1, lambda value: int(value is None or text(value) == "")),
    "isblank": Function(1, 1, lambda value: int(not (text(value) or "").strip())),
    "ispresent": Function(1, 1, lambda value: int(value is not None)),
    "coalesce": Function(1, MANY, _coalesce),
    "if": Function(3, 3, _if),
    "concat": Function(1, MANY, _texts(_concat)),
    "strlen": Function(1, 1, _texts(len)),
    "toupper": Function(1, 1, _texts(str.upper)),
    "tolower": Function(1, 1, _texts(str.lower)),
    "trim": Function(1, 2, _trim(str.strip)),
    "ltrim": Function(1, 2, _trim(str.lstrip)),
    "rtrim": Function(1, 2, _trim(str.rstrip)),
    "substr": Function(2, 3, _texts(_substr)),
    "replace": Function(3, 3, _texts(_replace)),
    "strcontains": Function(2, 2, _texts(lambda given, sought: int(sought in given))),
    "datefloor": Function(2, 2, _floor),
    "dateceil": Function(2, 2, _ceil),
    "frommillis": Function(1, 1, _from_millis),
    "tomillis": Function(1, 1, _to_millis),
    "isvalidip": Function(1, 1, _address(None)),
    "isvalidipv4": Function(1, 1, _address(4)),
    "isvalidipv6": Function(1, 1, _address(6)),
    "isipinsubnet": Function(2, 2, _in_subnet(None)),
    "isipv4insubnet": Function(2, 2, _in_subnet(4)),
    "isipv6insubnet": Function(2, 2, _in_subnet(6)),
}
"""By name in small letters. `bin` and `now` are the parser's: they need the event's time and the query's."""
