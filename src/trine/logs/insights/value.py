"""Values of Logs Insights: texts, numbers, moments, and nothing; how they compare, and how they are shown. Pure.

A field that an event lacks is None: nothing compares with it, and nothing is computed from it.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\s*").fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN_DIGITS = 4
"""Insights shows four digits behind the point."""
NUMBER_CHARACTERS = 64
"""A longer text is no number."""


class Moment(int):
    """Milliseconds since the epoch that are shown as a date."""


Value = str | int | float | None


def number(value: Value) -> int | float | None:
    """A value as a number; None for what is none."""
    if isinstance(value, str):
        if len(value) > NUMBER_CHARACTERS or not _NUMBER(value):
            return None
        found = float(value)
        return int(found) if found.is_integer() and abs(found) < 1e15 else found if math.isfinite(found) else None
    return value


def text(value: Value) -> str | None:
    """A value as a text; None for nothing."""
    return value if isinstance(value, str) or value is None else shown(value)


def is_true(value: Value) -> bool:
    """Whether a filter lets an event through for which its condition is `value`."""
    return bool(value) and value != "0"


def shown(value: Value) -> str:
    """As results show it."""
    if isinstance(value, Moment):
        return shown_moment(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        rounded = round(value, SHOWN_DIGITS)
        return str(int(rounded)) if rounded.is_integer() and abs(rounded) < 1e15 else repr(rounded)
    return "" if value is None else str(value)


def shown_moment(milliseconds: int) -> str:
    """`2026-11-28 22:19:12.903`; what no calendar holds as the number it is."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return str(int(milliseconds))
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def java_double(value: float) -> str:
    """A number as Java writes a double, which is how Insights shows the bytes of a REPORT line: `1.28E8`."""
    if 1e-3 <= abs(value) < 1e7 or value == 0:
        return repr(float(value))
    exponent = math.floor(math.log10(abs(value)))
    return f"{value / 10**exponent!r}E{exponent}"


def compared(left: Value, right: Value) -> int | None:
    """-1, 0 or 1; numbers as numbers where both are, else texts as texts; None where one is missing."""
    if left is None or right is None:
        return None
    one, other = number(left), number(right)
    if one is not None and other is not None:
        return (one > other) - (one < other)
    a, b = text(left) or "", text(right) or ""
    return (a > b) - (a < b)


def sort_key(value: Value) -> tuple[int, float, str]:
    """An order in which everything has its place: numbers, texts, and last what is missing."""
    found = number(value)
    if found is not None:
        return 0, float(found), ""
    return (2, 0.0, "") if value is None else (1, 0.0, str(value))
