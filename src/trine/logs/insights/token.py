"""The words of a query: names, numbers, periods, texts, regular expressions, signs. Pure.

A slash begins a regular expression behind `like`, `=~` and `parse`; elsewhere it divides. `#` begins a comment.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from trine.aws.errors import AwsError

Kind = Literal["name", "quoted", "number", "period", "text", "regex", "sign", "end"]
_SKIPPED = re.compile(r"(?:\s+|#[^\n]*)*")
_WORD = re.compile(
    r"(?P<period>\d+(?:\.\d+)?(?![eE][+-]?\d)[A-Za-z]+)|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[@A-Za-z_][\w.@]*)"
    r"|`(?P<quoted>[^`]*)`|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<sign>!=|<=|>=|=~|[|,()\[\]=<>+\-*/%^])",
    re.DOTALL,
)
_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)+)/")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class MalformedQuery(AwsError):
    """The query cannot be read."""

    code = "MalformedQueryException"
    status = 400


def malformed(said: str, start: int, stop: int) -> MalformedQuery:
    """The error at these characters of the query."""
    place = {"startCharOffset": start, "endCharOffset": stop}
    return MalformedQuery(
        f"{said} ([{start},{stop}])", members={"queryCompileError": {"location": place, "message": said}}
    )


class Token(NamedTuple):
    """One word: what it is, what it says, and where it stands."""

    kind: Kind
    text: str
    start: int
    stop: int

    def says(self, *words: str) -> bool:
        """Whether it is one of these keywords or signs, in any case."""
        return self.kind in ("name", "sign") and self.text.lower() in words


def tokens_of(query: str) -> list[Token]:
    """All words, with an `end` behind them. MalformedQuery."""
    found: list[Token] = []
    at = _end_of_gap(query, 0)
    while at < len(query):
        if query[at] == "/" and _awaits_regex(found):
            regex = _REGEX.match(query, at)
            if regex is None:
                raise malformed("unterminated regular expression", at, len(query))
            token = Token("regex", regex[1].replace("\\/", "/"), at, regex.end())
        else:
            token = _word(query, at)
        found.append(token)
        at = _end_of_gap(query, token.stop)
    return [*found, Token("end", "", len(query), len(query))]


def _end_of_gap(query: str, at: int) -> int:
    gap = _SKIPPED.match(query, at)
    return at if gap is None else gap.end()


def _word(query: str, at: int) -> Token:
    word = _WORD.match(query, at)
    if word is None:
        raise malformed(f"unexpected symbol found {query[at]!r}", at, at + 1)
    kind = word.lastgroup or "sign"
    said = word[kind]
    if kind == "text":
        return Token("text", _ESCAPED.sub(_unescaped, said[1:-1]), at, word.end())
    return Token(kind, said, at, word.end())  # type: ignore[arg-type]


def _unescaped(escape: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t", '"': '"', "'": "'", "\\": "\\"}.get(escape[1], escape[0])


def _awaits_regex(before: list[Token]) -> bool:
    if not before:
        return False
    last = before[-1]
    field_of_parse = len(before) > 1 and last.kind in ("name", "quoted") and before[-2].says("parse")
    return last.says("like", "=~", "parse") or field_of_parse
