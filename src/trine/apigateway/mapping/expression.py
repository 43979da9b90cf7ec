"""Velocity expressions and references: recursive descent over the template's text.

Enters a position in the text; leaves nodes and the position behind them. Depth is bounded; faults are `TemplateError`s.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from trine.apigateway.mapping.nodes import Block
from trine.apigateway.mapping.terms import (
    Access,
    Expression,
    Interpolated,
    ListLiteral,
    Literal,
    MapLiteral,
    Not,
    Operation,
    Range,
    Reference,
)
from trine.apigateway.mapping.values import TemplateError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WORD = re.compile(r"[A-Za-z]+")
_CONSTANTS = {"true": True, "false": False, "null": None}
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "||", "or": "||"},
    {"&&": "&&", "and": "&&"},
    {"==": "==", "!=": "!=", "eq": "==", "ne": "!="},
    {"<=": "<=", ">=": ">=", "<": "<", ">": ">", "le": "<=", "ge": ">=", "lt": "<", "gt": ">"},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/", "%": "%"},
)


class ExpressionReader:
    """Reads expressions out of one template."""

    def __init__(self, source: str, nesting_max: int, depth: int, interpolate: Callable[[str, int], Block]) -> None:
        self.source = source
        self.at = 0
        self._nesting_max = nesting_max
        self._depth = depth
        self._interpolate = interpolate

    # -- what directives ask for -----------------------------------------------------------------------------------

    def condition(self, at: int) -> tuple[Expression, int]:
        """`( expression )`"""
        self.at = at
        self._expect("(")
        expression = self._expression()
        self._expect(")")
        return expression, self.at

    def assignment(self, at: int) -> tuple[Reference, Expression, int]:
        """`( $x.y = expression )`"""
        self.at = at
        self._expect("(")
        self._space()
        target, end = self.reference(self.at)
        if target is None:
            raise self._fail("#set needs a reference")
        self.at = end
        self._expect("=")
        expression = self._expression()
        self._expect(")")
        return target, expression, self.at

    def iteration(self, at: int) -> tuple[str, Expression, int]:
        """`( $x in expression )`"""
        self.at = at
        self._expect("(")
        name = self._variable("#foreach needs a variable")
        self._expect("in")
        expression = self._expression()
        self._expect(")")
        return name, expression, self.at

    def variable(self, at: int) -> tuple[str, int]:
        """`( $x )`"""
        self.at = at
        self._expect("(")
        name = self._variable("#define needs a variable")
        self._expect(")")
        return name, self.at

    def signature(self, at: int) -> tuple[str, tuple[str, ...], int]:
        """`( name $a $b )`, commas allowed."""
        self.at = at
        self._expect("(")
        self._space()
        name = _NAME.match(self.source, self.at)
        if name is None:
            raise self._fail("#macro needs a name")
        self.at = name.end()
        parameters: list[str] = []
        while not self._closed():
            parameters.append(self._variable("#macro takes variables"))
        return name[0], tuple(parameters), self.at

    def arguments(self, at: int) -> tuple[list[Expression], int]:
        """`( expression expression )`, commas allowed."""
        self.at = at
        self._expect("(")
        found: list[Expression] = []
        while not self._closed():
            found.append(self._unary())
        return found, self.at

    def _closed(self) -> bool:
        """Is this the `)`? A comma before the next entry is taken."""
        self._space()
        if self.source.startswith(")", self.at):
            self.at += 1
            return True
        if self.source.startswith(",", self.at):
            self.at += 1
        return False

    def _variable(self, otherwise: str) -> str:
        self._space()
        target, end = self.reference(self.at) if self.source.startswith("$", self.at) else (None, self.at)
        if target is None or target.accesses:
            raise self._fail(otherwise)
        self.at = end
        return target.name

    def reference(self, at: int) -> tuple[Reference | None, int]:
        """The reference that begins with `$` at `at`, or (None, at) when there is none."""
        source, start = self.source, at
        at += 1
        at += source.startswith("!", at)
        braced = source.startswith("{", at)
        at += braced
        name = _NAME.match(source, at)
        if name is None:
            return None, start
        outer, self.at = self.at, name.end()
        try:
            accesses = self._accesses(text_may_follow=not braced)
            if braced:
                if not source.startswith("}", self.at):
                    return None, start  # `${AWS::Region}` and the like are text
                self.at += 1
            end = self.at
        finally:
            self.at = outer
        return Reference(name[0], accesses), end

    def _accesses(self, *, text_may_follow: bool) -> list[Access]:
        source = self.source
        accesses: list[Access] = []
        while True:
            following = source[self.at : self.at + 1]
            if following == ".":
                name = _NAME.match(source, self.at + 1)
                if name is None:
                    return accesses  # a full stop behind the reference
                self.at = name.end()
                if source.startswith("(", self.at):
                    self.at += 1
                    accesses.append(Access(name[0], self._list(")")))
                else:
                    accesses.append(Access(name[0]))
            elif following == "[":
                before, depth = self.at, self._depth
                self.at += 1
                try:
                    index = self._expression()
                    self._expect("]")
                except TemplateError:
                    if not text_may_follow:
                        raise
                    self.at, self._depth = before, depth  # `$x[` in text
                    return accesses
                accesses.append(Access(None, index=index))
            else:
                return accesses

    # -- expressions -----------------------------------------------------------------------------------------------

    def _expression(self, level: int = 0) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        self._deeper()
        left = self._expression(level + 1)
        while (operator := self._operator(_LEVELS[level])) is not None:
            left = Operation(operator, left, self._expression(level + 1))
        self._depth -= 1
        return left

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > self._nesting_max * (len(_LEVELS) + 1):
            raise self._fail("an expression is nested too deeply")

    def _operator(self, operators: dict[str, str]) -> str | None:
        self._space()
        word = _WORD.match(self.source, self.at)
        if word is not None:
            found = operators.get(word[0])
            if found is not None:
                self.at = word.end()
            return found
        for text, operator in operators.items():
            if self.source.startswith(text, self.at) and not text.isalpha():
                self.at += len(text)
                return operator
        return None

    def _unary(self) -> Expression:
        self._space()
        source = self.source
        word = _WORD.match(source, self.at)
        if (source.startswith("!", self.at) and not source.startswith("!=", self.at)) or (word and word[0] == "not"):
            self.at += 3 if word else 1
            self._deeper()
            operand = self._unary()
            self._depth -= 1
            return Not(operand)
        return self._primary(word)

    def _primary(self, word: re.Match[str] | None) -> Expression:
        source = self.source
        following = source[self.at : self.at + 1]
        if following == "$":
            reference, end = self.reference(self.at)
            if reference is None:
                raise self._fail("a lone $ in an expression")
            self.at = end
            return reference
        if following in ("'", '"'):
            return self._string(following)
        number = _NUMBER.match(source, self.at)
        if number is not None:
            self.at = number.end()
            text = number[0]
            # `1..3`: the dot belongs to the range
            return Literal(float(text) if "." in text else _whole(text))
        if word is not None and word[0] in _CONSTANTS:
            self.at = word.end()
            return Literal(_CONSTANTS[word[0]])
        if following == "(":
            self.at += 1
            expression = self._expression()
            self._expect(")")
            return expression
        if following == "[":
            return self._list_or_range()
        if following == "{":
            return self._map()
        raise self._fail(f"an expression cannot begin with {following!r}" if following else "an expression is missing")

    def _string(self, quote: str) -> Expression:
        source, start = self.source, self.at + 1
        at = start
        while True:
            if at >= len(source):
                raise self._fail("a string is not closed")
            if source[at] == "\\" and quote == '"' and source.startswith('"', at + 1):
                at += 2
            elif source[at] == quote:
                if not source.startswith(quote, at + 1):
                    break
                at += 2  # a doubled quote
            else:
                at += 1
        text = source[start:at].replace(quote * 2, quote)
        self.at = at + 1
        if quote == "'":
            return Literal(text)
        text = text.replace('\\"', '"')
        if "$" not in text and "#" not in text:
            return Literal(text)
        return Interpolated(self._interpolate(text, self._depth + 1))

    def _list(self, closing: str) -> list[Expression]:
        items: list[Expression] = []
        self._space()
        if self.source.startswith(closing, self.at):
            self.at += 1
            return items
        while True:
            items.append(self._expression())
            self._space()
            if self.source.startswith(",", self.at):
                self.at += 1
                continue
            self._expect(closing)
            return items

    def _list_or_range(self) -> Expression:
        self.at += 1
        self._space()
        if self.source.startswith("]", self.at):
            self.at += 1
            return ListLiteral([])
        first = self._expression()
        self._space()
        if self.source.startswith("..", self.at):
            self.at += 2
            last = self._expression()
            self._expect("]")
            return Range(first, last)
        if self.source.startswith(",", self.at):
            self.at += 1
            return ListLiteral([first, *self._list("]")])
        self._expect("]")
        return ListLiteral([first])

    def _map(self) -> Expression:
        self.at += 1
        pairs: list[tuple[Expression, Expression]] = []
        self._space()
        if self.source.startswith("}", self.at):
            self.at += 1
            return MapLiteral(pairs)
        while True:
            key = self._expression()
            self._expect(":")
            pairs.append((key, self._expression()))
            self._space()
            if self.source.startswith(",", self.at):
                self.at += 1
                continue
            self._expect("}")
            return MapLiteral(pairs)

    # -- characters ------------------------------------------------------------------------------------------------

    def _space(self) -> None:
        match = _SPACE.match(self.source, self.at)
        assert match is not None
        self.at = match.end()

    def _expect(self, text: str) -> None:
        self._space()
        if not self.source.startswith(text, self.at):
            raise self._fail(f"{text!r} is missing")
        self.at += len(text)

    def _fail(self, message: str) -> TemplateError:
        return TemplateError(f"line {self.source.count(chr(10), 0, self.at) + 1}: {message}")


def _whole(digits: str) -> int:
    if len(digits) > 20:
        raise TemplateError(f"the number {digits[:20]}… is too long")
    return int(digits)
