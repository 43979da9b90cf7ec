"""The words of an expression: text in, tokens out, and AWS's sentence for the token that does not fit.

Nothing raises here but a text that is empty or too long; a character that belongs nowhere becomes a token of its own
that no rule accepts. Source of the limit: developer guide, "Quotas", expression parameters.
"""

from __future__ import annotations

import re

from msgspec import Struct

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import EXPRESSION_MAX_BYTES

WORD, NAME, VALUE, NUMBER, END, STRANGE = "word", "#name", ":value", "number", "end", "strange"
"""Kinds of tokens; the kind of an operator is its own text."""

_TOKEN = re.compile(
    r"[ \t\r\n\f]*"
    r"(?:([A-Za-z][A-Za-z0-9_]*)|(#[A-Za-z0-9_]+)|(:[A-Za-z0-9_]+)|([0-9]+)|(<>|<=|>=|[=<>(),.\[\]+-])"
    r"|([^ \t\r\n\f]))"
)
_KINDS = (None, WORD, NAME, VALUE, NUMBER, None, STRANGE)


class Token(Struct, frozen=True):
    """A word with its place in the text. `keyword` is the upper-case spelling of a word, else empty."""

    kind: str
    text: str
    start: int
    end: int
    keyword: str = ""


def tokens(text: str, parameter: str) -> list[Token]:
    """The tokens of `text`, closed by an END token. `parameter` names the request member in errors."""
    if not text.isascii() or len(text) > EXPRESSION_MAX_BYTES:
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > EXPRESSION_MAX_BYTES:
            # AWS tells the size of every expression but this one.
            told = "" if parameter == "UpdateExpression" else f" expression size: {size}"
            raise ValidationException(
                f"Invalid {parameter}: Expression size has exceeded the maximum allowed size;{told}"
            )
    if not text or text.isspace():
        raise ValidationException(f"Invalid {parameter}: The expression can not be empty;")
    found: list[Token] = []
    at = 0
    while (match := _TOKEN.match(text, at)) is not None:
        group = match.lastindex
        assert group is not None
        word = match.group(group)
        at = match.end()
        kind = _KINDS[group] or word
        found.append(Token(kind, word, match.start(group), at, word.upper() if kind is WORD else ""))
    found.append(Token(END, "<EOF>", len(text), len(text)))
    return found


def syntax_error(text: str, found: list[Token], index: int, parameter: str) -> ValidationException:
    """AWS's sentence for the unexpected token: itself, and the text from the token before to the one after."""
    token = found[index]
    before = found[index - 1] if index else token
    after = found[index + 1] if index + 1 < len(found) else token
    stop = before.end if token.kind == END else (token.end if after.kind == END else after.end)
    return ValidationException(
        f'Invalid {parameter}: Syntax error; token: "{token.text}", near: "{text[before.start : stop]}"'
    )
