"""What the three languages of filter patterns share: a predicate, a text in quotation marks, a regular expression."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from trine.aws.patterns import PatternRefused, compile_pattern
from trine.logs.errors import InvalidPattern

_log = logging.getLogger(__name__)
Predicate = Callable[[str], bool]
"""Whether a message is let through."""
_REGEX_ALLOWED = re.compile(r"[A-Za-z0-9:_#=@/;,\-\s\[\]{}|*+?.^$\\]*").fullmatch
"""User guide, "Supported regular expressions": no parentheses, and so none that take exponential time."""


def compile_regex(text: str) -> Predicate:
    """Whether a regular expression between percent signs is found in a text. Raises InvalidPattern.

    Without parentheses it still may cost a power of the text's length; a line on which it takes too long does not fit.
    """
    if not _REGEX_ALLOWED(text):
        raise InvalidPattern(f"the regular expression %{text}% holds characters that CloudWatch Logs does not take")
    try:
        pattern = compile_pattern(text)
    except PatternRefused as error:
        raise InvalidPattern(f"the regular expression %{text}% is wrong: {error}") from None

    def found_in(line: str) -> bool:
        try:
            return pattern.found_in(line)
        except PatternRefused as refused:
            _log.warning("a log line is left out of a filter: %s", refused)
            return False

    return found_in


def unquote(text: str) -> str:
    """The text between quotation marks, its escapes undone."""
    return re.sub(r"\\(.)", r"\1", text)
