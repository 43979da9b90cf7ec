"""Metric math, read: the text of an `Expression` becomes a tree. Pure.

Enters text such as `100 * (errors / FILL(requests, 0))`; leaves nodes that `arithmetic` computes, or ValidationError
that says where it stops making sense. Source: user guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from trine.cloudwatch import limits
from trine.cloudwatch.errors import ValidationError
from trine.cloudwatch.words import Words

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?|\.\d+)"
    r"|(?P<sign><=|>=|==|!=|&&|\|\||[-+*/^<>(),\[\]]|(?:AND|OR)(?![A-Za-z0-9_]))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>\"[^\"]*\"|'[^']*'))"
)
_BINDING: Sequence[frozenset[str]] = (
    frozenset({"||", "OR"}), frozenset({"&&", "AND"}), frozenset({"==", "!=", "<", ">", "<=", ">="}),
    frozenset({"+", "-"}), frozenset({"*", "/"}),
)  # fmt: skip


class Number(Struct, frozen=True):
    """A number as written."""

    value: float


class Text(Struct, frozen=True):
    """A text in quotes."""

    value: str


class Name(Struct, frozen=True):
    """The id of another query, or a keyword such as REPEAT."""

    name: str


class Group(Struct, frozen=True):
    """`[a, b]`."""

    members: tuple[Node, ...]


class Binary(Struct, frozen=True):
    """`left sign right`; `sign` in its form with signs (`&&`, not `AND`)."""

    sign: str
    left: Node
    right: Node


class Negative(Struct, frozen=True):
    """`-operand`."""

    operand: Node


class Call(Struct, frozen=True):
    """`FUNCTION(arguments)`; the name in capitals."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Text | Name | Group | Binary | Negative | Call


def parse(text: str) -> Node:
    """The tree of an expression. ValidationError."""
    if len(text) > limits.EXPRESSION_MAX_CHARACTERS:
        raise ValidationError(f"An expression has at most {limits.EXPRESSION_MAX_CHARACTERS} characters.")
    if re.match(r"\s*SELECT\s", text, re.IGNORECASE):
        raise ValidationError(
            "Metrics Insights queries (SELECT) are not built into Trine; use MetricStat and metric math."
        )
    reader = _Reader(text)
    node = reader.binary(0, 0)
    if reader.kind:
        raise reader.wrong()
    return node


class _Reader(Words):
    """Metric math; AND and OR are signs."""

    def __init__(self, text: str) -> None:
        super().__init__(text, _TOKEN)

    def wrong(self) -> ValidationError:
        """What to say of the word at hand."""
        found = self.value if self.kind else "the end"
        return ValidationError(f"Error in expression {self.text[:100]!r}: unexpected {found[:40]!r}.")

    def strange(self, rest: str) -> ValidationError:
        """What to say of a text that goes on with no word."""
        return ValidationError(f"Error in expression: unexpected {rest[:20]!r}.")

    def binary(self, level: int, depth: int) -> Node:
        """An expression of this binding and all stronger ones."""
        if depth > limits.EXPRESSION_DEPTH_MAX_COUNT:
            raise ValidationError("The expression is nested too deeply.")
        if level == len(_BINDING):
            return self._power(depth)
        left = self.binary(level + 1, depth)
        while self.kind == "sign" and self.value in _BINDING[level]:
            sign = {"OR": "||", "AND": "&&"}.get(self.value, self.value)
            self.next()
            left = Binary(sign, left, self.binary(level + 1, depth))
        return left

    def _power(self, depth: int) -> Node:
        if self.is_sign("-"):
            self.next()
            if depth > limits.EXPRESSION_DEPTH_MAX_COUNT:
                raise ValidationError("The expression is nested too deeply.")
            return Negative(self._power(depth + 1))
        left = self._single(depth)
        if self.is_sign("^"):
            self.next()
            return Binary("^", left, self._power(depth + 1))
        return left

    def _single(self, depth: int) -> Node:
        kind, value = self.kind, self.value
        if kind == "number":
            self.next()
            return Number(float(value))
        if kind == "text":
            self.next()
            return Text(value[1:-1])
        if kind == "name":
            self.next()
            if self.is_sign("("):
                return Call(value.upper(), self._list("(", ")", depth))
            return Name(value)
        if kind == "sign" and value == "(":
            self.next()
            inner = self.binary(0, depth + 1)
            self.take(")")
            return inner
        if kind == "sign" and value == "[":
            return Group(self._list("[", "]", depth))
        raise self.wrong()

    def _list(self, opening: str, closing: str, depth: int) -> tuple[Node, ...]:
        self.take(opening)
        members: list[Node] = []
        if self.is_sign(closing):
            self.next()
            return ()
        while True:
            members.append(self.binary(0, depth + 1))
            if self.is_sign(closing):
                self.next()
                return tuple(members)
            self.take(",")
