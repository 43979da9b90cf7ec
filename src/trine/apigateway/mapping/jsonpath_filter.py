"""The filters of a JSONPath, `[?(@.price < 10 && @.tag in ['a', 'b'])]`, as Jayway's JsonPath reads them.

Enters the path's text and the position behind `[?(`; leaves a test of one value, with the document at hand for `$`, and
the position behind `)]`. Comparisons, `in`, `nin`, `contains`, `=~ /pattern/i`, `!`, `&&`, `||` and brackets; what is
missing differs from everything (`@.x != null` holds for it) and exists nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from trine.aws.patterns import PatternRefused, compile_pattern

Test = Callable[[Any, Any], bool]
"""(value, document) → kept?"""
Operand = Callable[[Any, Any], Any]
Find = Callable[[Any], Any]

NESTING_MAX = 16
MISSING = object()
"""What a path that finds nothing stands for."""
_OPERATOR = re.compile(r"\s*(==|!=|<=|>=|=~|<|>|in\b|nin\b|contains\b)\s*")
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"true\b|false\b|null\b")
_PATTERN = re.compile(r"/((?:[^/\\]|\\.)*)/([a-z]*)")
_PATH = re.compile(r"[@$](?:\.\.?[\w$*-]+(?:\(\))?|\[(?:[^\]'\"]|'[^']*'|\"[^\"]*\")*\])*")
_WORDS = {"true": True, "false": False, "null": None}
_SPACE = re.compile(r"\s*")


class FilterInvalid(ValueError):
    """The text is no filter of the kinds built here."""


class FilterReader:
    """Reads one filter out of a path."""

    def __init__(self, source: str, at: int, compile_path: Callable[[str], Find]) -> None:
        self.source, self.at = source, at
        self._compile_path = compile_path
        self._depth = 0

    def read(self) -> tuple[Test, int]:
        """The filter, and the position behind its `)]`. FilterInvalid."""
        test = self._either()
        self._expect(")")
        self._expect("]")
        return test, self.at

    def _either(self) -> Test:
        self._depth += 1
        if self._depth > NESTING_MAX:
            raise self._fail()
        tests = [self._both()]
        while self._taken("||"):
            tests.append(self._both())
        self._depth -= 1
        return tests[0] if len(tests) == 1 else lambda value, document: any(t(value, document) for t in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self._taken("&&"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda value, document: all(t(value, document) for t in tests)

    def _single(self) -> Test:
        self._space()
        if self.source.startswith("!", self.at) and not self.source.startswith("!=", self.at):
            self.at += 1
            self._depth += 1
            if self._depth > NESTING_MAX:
                raise self._fail()
            inner = self._single()
            self._depth -= 1
            return lambda value, document: not inner(value, document)
        if self._taken("("):
            inner = self._either()
            self._expect(")")
            return inner
        left = self._operand()
        match = _OPERATOR.match(self.source, self.at)
        if match is None:
            return lambda value, document: left(value, document) is not MISSING
        self.at = match.end()
        if match[1] == "=~":
            return self._matching(left)
        compared, right = _COMPARISONS[match[1]], self._operand()
        return lambda value, document: compared(left(value, document), right(value, document))

    def _matching(self, left: Operand) -> Test:
        match = _PATTERN.match(self.source, self.at)
        if match is None:
            raise self._fail()
        self.at = match.end()
        flags = f"(?{match[2]})" if match[2] else ""
        try:
            pattern = compile_pattern(flags + match[1])
        except PatternRefused as error:
            raise FilterInvalid(str(error)) from None

        def test(value: Any, document: Any) -> bool:
            text = left(value, document)
            try:
                return isinstance(text, str) and pattern.matches(text)
            except PatternRefused as error:
                raise FilterInvalid(str(error)) from None

        return test

    def _operand(self) -> Operand:
        self._space()
        source = self.source
        if source.startswith("[", self.at):
            return self._list()
        if (path := _PATH.match(source, self.at)) is not None:
            self.at = path.end()
            find, from_root = self._compile_path("$" + path[0][1:]), path[0].startswith("$")
            return lambda value, document: find(document if from_root else value)
        constant: Any
        if (string := _STRING.match(source, self.at)) is not None:
            self.at = string.end()
            constant = re.sub(r"\\(.)", r"\1", string[1] if string[1] is not None else string[2])
        elif (word := _WORD.match(source, self.at)) is not None:
            self.at = word.end()
            constant = _WORDS[word[0]]
        elif (number := _NUMBER.match(source, self.at)) is not None:
            self.at = number.end()
            constant = float(number[0])
        else:
            raise self._fail()
        return lambda value, document: constant

    def _list(self) -> Operand:
        self.at += 1
        items: list[Operand] = []
        while not self._taken("]"):
            items.append(self._operand())
            if not self._taken(","):
                self._expect("]")
                break
        return lambda value, document: [item(value, document) for item in items]

    def _space(self) -> None:
        match = _SPACE.match(self.source, self.at)
        assert match is not None
        self.at = match.end()

    def _taken(self, text: str) -> bool:
        self._space()
        found = self.source.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def _expect(self, text: str) -> None:
        if not self._taken(text):
            raise self._fail()

    def _fail(self) -> FilterInvalid:
        return FilterInvalid(f"the filter cannot be read at {self.source[self.at : self.at + 20]!r}")


def _equal(left: Any, right: Any) -> bool:
    if left is MISSING or right is MISSING or isinstance(left, bool) is not isinstance(right, bool):
        return False
    return bool(left == right)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """`test` of two numbers or two texts; anything else is false."""

    def compared(left: Any, right: Any) -> bool:
        numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in (left, right))
        return (numbers or (isinstance(left, str) and isinstance(right, str))) and test(left, right)

    return compared


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return isinstance(left, list) and any(_equal(item, right) for item in left)


def _is_in(left: Any, right: Any) -> bool:
    return _contains(right, left) if isinstance(right, list) else False


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda left, right: bool(left < right)),
    "<=": _ordered(lambda left, right: bool(left <= right)),
    ">": _ordered(lambda left, right: bool(left > right)),
    ">=": _ordered(lambda left, right: bool(left >= right)),
    "in": _is_in,
    "nin": lambda left, right: not _is_in(left, right),
    "contains": _contains,
}
