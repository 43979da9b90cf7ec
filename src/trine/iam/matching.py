"""Wildcards: policy patterns compiled to predicates, in time linear in the text however many stars there are.

Enters the text of an Action, a Resource or a condition value, leaves a predicate. Policy variables stay open until a
request binds them; what they bring in is always literal, never a wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

Predicate = Callable[[str], bool]
Lookup = Callable[[str], Sequence[str] | None]
"""Values of a condition key (lower case), or None where the request has none."""


class Wildcard:
    """`*` or `?` in a pattern; only the two instances below exist."""

    __slots__ = ("sign",)

    def __init__(self, sign: str) -> None:
        self.sign = sign

    def __repr__(self) -> str:
        return self.sign


class Variable:
    """`${key}` or `${key, 'default'}` in a pattern."""

    __slots__ = ("default", "key")

    def __init__(self, key: str, default: str | None) -> None:
        self.key = key.lower()
        self.default = default


class BoundText(str):
    """What a request put in the place of a variable: always literal, its colons separate nothing."""

    __slots__ = ()


ANY: Final = Wildcard("*")
ONE: Final = Wildcard("?")
Token = str | Wildcard | Variable

_VARIABLE = re.compile(r"\$\{\s*([^{},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_ESCAPES = {"*", "?", "$"}


def tokenize(pattern: str, *, wildcards: bool = True, variables: bool = True) -> tuple[Token, ...]:
    """Take a pattern apart. `${*}`, `${?}` and `${$}` are those characters themselves, not wildcards."""
    tokens: list[Token] = []

    def plain(text: str) -> None:
        if not wildcards:
            if text:
                tokens.append(text)
            return
        for part in re.split(r"([*?])", text):
            if part == "*":
                if not (tokens and tokens[-1] is ANY):
                    tokens.append(ANY)
            elif part == "?":
                tokens.append(ONE)
            elif part:
                tokens.append(part)

    if not variables:
        plain(pattern)
        return tuple(tokens)
    at = 0
    for found in _VARIABLE.finditer(pattern):
        plain(pattern[at : found.start()])
        tokens.append(found[1] if found[1] in _ESCAPES else Variable(found[1], found[2]))
        at = found.end()
    plain(pattern[at:])
    return tuple(tokens)


def variables_of(tokens: Sequence[Token]) -> frozenset[str]:
    """Condition keys (lower case) that a pattern takes values from."""
    return frozenset(token.key for token in tokens if isinstance(token, Variable))


def bind(tokens: Sequence[Token], lookup: Lookup) -> tuple[Token, ...] | None:
    """Put the request's values in the place of variables; None where one has no single value and no default."""
    bound: list[Token] = []
    for token in tokens:
        if isinstance(token, Variable):
            values = lookup(token.key)
            if values is not None and len(values) == 1:
                bound.append(BoundText(values[0]))
            elif token.default is not None and not values:
                bound.append(token.default)
            else:
                return None
        else:
            bound.append(token)
    return tuple(bound)


class _Piece:
    """A run between stars: literals and single-character wildcards, so its length is known."""

    __slots__ = ("_literal", "_pattern", "length", "text")

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._literal = self.text = "".join(token for token in tokens if isinstance(token, str))
        ones = sum(token is ONE for token in tokens)
        self.length = len(self._literal) + ones
        self._pattern = None
        if ones:
            source = "".join(re.escape(token) if isinstance(token, str) else "." for token in tokens)
            self._pattern = re.compile(source, re.DOTALL)

    def at(self, text: str, start: int) -> bool:
        """Does the piece stand at `start`?"""
        if self._pattern is None:
            return text.startswith(self._literal, start)
        return self._pattern.match(text, start) is not None

    def find(self, text: str, start: int, end: int) -> int:
        """First place within [start, end) where the whole piece stands, or -1."""
        if self._pattern is None:
            return text.find(self._literal, start, end)
        found = self._pattern.search(text, start, end)
        return -1 if found is None else found.start()


def glob(tokens: Sequence[Token]) -> Predicate:
    """A predicate for bound tokens (no variables left): `*` any run of characters, `?` exactly one."""
    pieces: list[_Piece] = []
    run: list[Token] = []
    for token in tokens:
        if token is ANY:
            pieces.append(_Piece(run))
            run = []
        else:
            run.append(token)
    pieces.append(_Piece(run))
    first, last, middle = pieces[0], pieces[-1], pieces[1:-1]
    plain = ONE not in tokens
    if plain and len(pieces) == 1:
        return first.text.__eq__
    if plain and len(pieces) == 2 and not last.length:
        prefix = first.text
        return lambda text: text.startswith(prefix)
    if len(pieces) == 1:
        return lambda text: len(text) == first.length and first.at(text, 0)
    least = first.length + last.length

    def matches(text: str) -> bool:
        if len(text) < least or not first.at(text, 0):
            return False
        end = len(text) - last.length
        if not last.at(text, end):
            return False
        at = first.length
        for piece in middle:
            found = piece.find(text, at, end)
            if found < 0:
                return False
            at = found + piece.length
        return True

    return matches


ARN_SEGMENTS = 6


def arn_glob(tokens: Sequence[Token]) -> Predicate:
    """A predicate for ARNs: wildcards stay within their colon-separated segment, the sixth segment holds the rest.

    A star that is the last character of its segment may expand beyond the colon (IAM User Guide, "IAM JSON policy
    elements: Resource"), so a pattern whose stars before the sixth segment all stand there is matched as a whole. In a
    pattern that also has other wildcards there, or a bound value with a colon, nothing crosses a colon.
    """
    if len(tokens) == 1 and tokens[0] is ANY:
        return lambda text: True
    segments: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str) or isinstance(token, BoundText):
            segments[-1].append(token)
            continue
        parts = token.split(":", ARN_SEGMENTS - len(segments))
        segments[-1].append(parts[0])
        segments.extend([part] for part in parts[1:])
    head = [[token for token in segment if token != ""] for segment in segments[: ARN_SEGMENTS - 1]]
    if all(_may_cross(segment) for segment in head):
        return glob(tokens)
    if len(segments) < ARN_SEGMENTS and not (head[-1] and head[-1][-1] is ANY):
        return lambda text: False
    tail = [[token for token in segment if token != ""] for segment in segments[ARN_SEGMENTS - 1 :]]
    predicates = [glob(segment) for segment in (*head, *tail)]
    count = len(segments)

    def matches(text: str) -> bool:
        parts = text.split(":", count - 1)
        return len(parts) == count and all(map(_holds, predicates, parts))

    return matches


def _may_cross(segment: Sequence[Token]) -> bool:
    """No wildcard but a star at the end, and no bound value that brings a colon."""
    return not any(
        isinstance(token, Wildcard) or (isinstance(token, BoundText) and ":" in token) for token in segment[:-1]
    ) and not (segment and (segment[-1] is ONE or (isinstance(segment[-1], BoundText) and ":" in segment[-1])))


def _holds(predicate: Predicate, part: str) -> bool:
    return predicate(part)
