"""The JSON form of filter patterns: `{ ($.a = "x*") && ($.b[0].c > 5 || $.d IS NULL) && $.e NOT EXISTS }`.

Enters the text, leaves a predicate over messages: a message that is no JSON object never matches. Raises
InvalidPattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from trine.logs.errors import InvalidPattern
from trine.logs.pattern_term import Predicate, compile_regex, unquote

Test = Callable[[Any], bool]
_TOKEN = re.compile(
    r"""\s*(?:(?P<selector>\$(?:\.[A-Za-z0-9_\-]+|\.?\[\s*(?:\d+|'[^']*'|"[^"]*")\s*\]|\.\*)*)
    |(?P<operator>&&|\|\||!=|<=|>=|=|<|>)
    |(?P<mark>[(){}])
    |"(?P<string>(?:[^"\\]|\\.)*)"
    |%(?P<regex>(?:[^%\\]|\\.)+)%
    |(?P<word>[^\s(){}&|=!<>"]+))""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.([A-Za-z0-9_\-*]+)|\.?\[\s*(?:(\d+)|'([^']*)'|"([^"]*)")\s*\]""")
_MISSING = object()
DEPTH_MAX = 50
"""Nesting of parentheses. Trine's own bound."""
_Token = tuple[str, str]


def compile_json(text: str) -> Predicate:
    """The predicate of a JSON pattern. Raises InvalidPattern."""
    parser = _Parser(_tokens(text))
    parser.expect("mark", "{")
    test = parser.either(0)
    parser.expect("mark", "}")
    parser.end()

    def matches(message: str) -> bool:
        start = message.find("{")
        if start < 0:
            return False
        try:
            value = orjson.loads(message)
        except orjson.JSONDecodeError:
            return False
        return isinstance(value, dict) and test(value)

    return matches


def property_named(text: str) -> Callable[[str], str | None]:
    """What `$.a.b` picks of a message: texts and numbers, as texts. Raises InvalidPattern."""
    tokens = _tokens(text)
    if len(tokens) != 1 or tokens[0][0] != "selector":
        raise InvalidPattern(f"{text!r} is no property such as $.name")
    find = _selector(text)

    def picked(message: str) -> str | None:
        try:
            value = find(orjson.loads(message))
        except orjson.JSONDecodeError:
            return None
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None

    return picked


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text) and not text[at:].isspace():
        found = _TOKEN.match(text, at)
        if found is None:
            raise InvalidPattern(f"the filter pattern cannot be read at {text[at : at + 20]!r}")
        kind = found.lastgroup
        assert kind is not None
        tokens.append((kind, found[kind]))
        at = found.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens: or, and, one condition."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def expect(self, kind: str, text: str) -> None:
        token = self._next()
        if token != (kind, text):
            raise InvalidPattern(f"the filter pattern needs {text!r} where it has {token[1]!r}")

    def end(self) -> None:
        if self._peek()[0] != "end":
            raise InvalidPattern(f"the filter pattern goes on behind its end: {self._peek()[1]!r}")

    def either(self, depth: int) -> Test:
        if depth > DEPTH_MAX:
            raise InvalidPattern("the filter pattern is nested too deeply")
        tests = [self._both(depth)]
        while self._peek() == ("operator", "||"):
            self._next()
            tests.append(self._both(depth))
        return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)

    def _both(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._peek() == ("operator", "&&"):
            self._next()
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)

    def _one(self, depth: int) -> Test:
        if self._peek() == ("mark", "("):
            self._next()
            test = self.either(depth + 1)
            self.expect("mark", ")")
            return test
        kind, text = self._next()
        if kind != "selector":
            raise InvalidPattern(f"the filter pattern needs a property such as $.name where it has {text!r}")
        found = _selector(text)
        kind, text = self._next()
        if kind == "word":
            return self._words(found, text.upper())
        if kind != "operator" or text in ("&&", "||"):
            raise InvalidPattern(f"the filter pattern needs a comparison where it has {text!r}")
        return _comparison(found, text, self._next())

    def _words(self, found: Callable[[Any], Any], word: str) -> Test:
        if word == "EXISTS":
            return lambda value: found(value) is not _MISSING
        if word == "NOT" and self._next() == ("word", "EXISTS"):
            return lambda value: found(value) is _MISSING
        if word == "IS":
            wanted = {"TRUE": True, "FALSE": False, "NULL": None}
            name = self._next()[1].upper()
            if name in wanted:
                return lambda value: found(value) is wanted[name]
        raise InvalidPattern("after a property comes a comparison, IS TRUE, IS FALSE, IS NULL, EXISTS or NOT EXISTS")


def _selector(text: str) -> Callable[[Any], Any]:
    steps: list[str | int] = []
    for name, index, single, double in _STEP.findall(text, 1):
        steps.append(int(index) if index else name or single or double)

    def find(value: Any) -> Any:
        for step in steps:
            if isinstance(step, int):
                if not isinstance(value, list) or step >= len(value):
                    return _MISSING
                value = value[step]
            elif isinstance(value, dict) and step in value:
                value = value[step]
            else:
                return _MISSING
        return value

    return find


def _comparison(found: Callable[[Any], Any], operator: str, operand: _Token) -> Test:
    kind, text = operand
    if kind == "regex":
        if operator not in ("=", "!="):
            raise InvalidPattern(f"a regular expression is compared with = or !=, not with {operator}")
        found_in = compile_regex(text)
        return lambda value: _text_test(found(value), operator, found_in)
    if kind not in ("string", "word"):
        raise InvalidPattern(f"the filter pattern needs a value where it has {text!r}")
    number = None if kind == "string" else as_number(text)
    if number is not None:
        return lambda value: _number_test(found(value), operator, number)
    if operator not in ("=", "!="):
        raise InvalidPattern(f"{operator} compares numbers, not {text!r}")
    matches = wildcard(unquote(text) if kind == "string" else text)
    return lambda value: _text_test(found(value), operator, matches)


def as_number(text: str) -> float | None:
    """The number that `text` spells, or None."""
    try:
        return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) else None
    except ValueError:
        return None


def wildcard(text: str) -> Callable[[str], bool]:
    """Whether a text matches `text`, in which `*` stands for anything."""
    first, *middle = text.split("*")
    if not middle:
        return text.__eq__
    last = middle.pop()

    def matches(own: str) -> bool:
        at, end = len(first), len(own) - len(last)
        if end < at or not own.startswith(first) or not own.endswith(last):
            return False
        for piece in middle:  # each as early as it comes: then there is most room for those that follow
            at = own.find(piece, at, end) + len(piece)
            if at < len(piece):
                return False
        return True

    return matches


def compare(own: float, operator: str, number: float) -> bool:
    """One numeric comparison."""
    if operator == "=":
        return own == number
    if operator == "!=":
        return own != number
    if operator == "<":
        return own < number
    if operator == ">":
        return own > number
    return own <= number if operator == "<=" else own >= number


def _number_test(own: Any, operator: str, number: float) -> bool:
    if isinstance(own, str) and operator in ("=", "!="):
        own = as_number(own)
    if own is None or isinstance(own, bool) or not isinstance(own, int | float):
        return False
    return compare(own, operator, number)


def _text_test(own: Any, operator: str, matches: Callable[[str], bool]) -> bool:
    if own is _MISSING or isinstance(own, dict | list) or own is None:
        return False
    text = own if isinstance(own, str) else orjson.dumps(own).decode()
    return matches(text) is (operator == "=")
