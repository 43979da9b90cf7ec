"""The words of a PartiQL statement, with their places: text in, tokens out.

Comments (`-- …`, `/* … */`) are space. A character that belongs nowhere, a string or comment that does not end: AWS's
"wasn't well formed" with nothing after the colon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import STATEMENT_MAX_CHARACTERS

NOT_WELL_FORMED = "Statement wasn't well formed, can't be processed: "

WORD, QUOTED, STRING, NUMBER, PARAMETER, END = "word", "quoted", "string", "number", "?", "end"
"""Kinds of tokens; the kind of a sign is its own text."""

_SPACE = re.compile(r"(?:[ \t\r\n\f\v]|--[^\n]*|/\*.*?\*/)+", re.DOTALL)
_TOKEN = re.compile(
    r"([A-Za-z_$][A-Za-z0-9_$]*)"
    r'|"((?:[^"]|"")*)"'
    r"|'((?:[^']|'')*)'"
    r"|((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(<<|>>|<>|!=|<=|>=|[=<>(){}\[\],.:+\-*?;])"
)
_KINDS = (None, WORD, QUOTED, STRING, NUMBER)


@dataclass(frozen=True, slots=True)
class Token:
    """A word: `text` is its content (quotes taken off), `length` its characters in the statement."""

    kind: str
    text: str
    line: int
    column: int
    length: int
    keyword: str = ""

    @property
    def place(self) -> str:
        """`at line:column:length`, as AWS says where."""
        return f"at {self.line}:{self.column}:{self.length}"


def not_well_formed(detail: str = "") -> ValidationException:
    """The statement cannot be read."""
    return ValidationException(NOT_WELL_FORMED + detail)


def tokens(text: str) -> list[Token]:
    """The tokens of a statement, closed by an END token."""
    if len(text) > STATEMENT_MAX_CHARACTERS:
        raise ValidationException(
            f"1 validation error detected: Value at 'statement' failed to satisfy constraint: "
            f"Member must have length less than or equal to {STATEMENT_MAX_CHARACTERS}"
        )
    found: list[Token] = []
    at, line, line_start = 0, 1, 0
    while True:
        space = _SPACE.match(text, at)
        if space is not None:
            breaks = text.count("\n", at, space.end())
            if breaks:
                line += breaks
                line_start = text.rfind("\n", at, space.end()) + 1
            at = space.end()
        if at == len(text):
            found.append(Token(END, "", line, at - line_start + 1, 0))
            return found
        match = _TOKEN.match(text, at)
        if match is None:
            raise not_well_formed()
        group = match.lastindex
        assert group is not None
        word = match.group(group)
        kind = _KINDS[group] if group < len(_KINDS) else word
        assert kind is not None
        if kind is QUOTED:
            word = word.replace('""', '"')
        elif kind is STRING:
            word = word.replace("''", "'")
        keyword = word.upper() if kind is WORD else ""
        found.append(Token(kind, word, line, at - line_start + 1, match.end() - at, keyword))
        at = match.end()
