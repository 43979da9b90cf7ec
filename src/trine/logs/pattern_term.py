"""What the three languages of filter patterns share: a predicate, a text in quotation marks, a regular expression."""

from __future__ import annotations

import re
from collections.abc import Callable

from trine.logs.errors import InvalidPattern

Predicate = Callable[[str], bool]
"""Whether a message is let through."""
_REGEX_ALLOWED = re.compile(r"[A-Za-z0-9:_#=@/;,\-\s\[\]{}|*+?.^$\\]*").fullmatch
"""User guide, "Supported regular expressions": no parentheses, and so none that take exponential time."""


def compile_regex(text: str) -> re.Pattern[str]:
    """A regular expression between percent signs. Raises InvalidPattern."""
    if not _REGEX_ALLOWED(text):
        raise InvalidPattern(f"the regular expression %{text}% holds characters that CloudWatch Logs does not take")
    try:
        return re.compile(text)
    except re.error as error:
        raise InvalidPattern(f"the regular expression %{text}% is wrong: {error}") from None


def unquote(text: str) -> str:
    """The text between quotation marks, its escapes undone."""
    return re.sub(r"\\(.)", r"\1", text)
