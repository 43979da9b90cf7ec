"""Expressions of a mapping template: what has a value. Literals, lists, maps, ranges, operations, references.

The reader builds these once; `value` works one out with a `Scope`, `holds` says whether a condition made of it is met.
As in Velocity 1.7 a condition holds for a reference whose value is neither null nor false, for a comparison that is
true and for `true`; a bare text, number, list or map in its place never does (`SimpleNode.evaluate`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from trine.apigateway.mapping.methods import call_method, effort_of, get_item, get_property, set_item
from trine.apigateway.mapping.scope import STEPS_MAX, Scope
from trine.apigateway.mapping.values import (
    JavaList,
    TemplateError,
    binary,
    compare,
    equals,
    steps_through,
    text_of,
    truth,
)


class Expression(Protocol):
    """Something with a value."""

    def value(self, scope: Scope) -> Any:
        """The value now."""

    def holds(self, scope: Scope) -> bool:
        """Is a condition made of it met?"""


class Node(Protocol):
    """Something that writes."""

    def render(self, scope: Scope) -> None:
        """Write to `scope.out`."""


class Term:
    """An expression that no condition holds for, unless it says otherwise."""

    __slots__ = ()

    def holds(self, scope: Scope) -> bool:
        return False


class Literal(Term):
    """A number, boolean, null or single-quoted string."""

    __slots__ = ("literal",)

    def __init__(self, literal: Any) -> None:
        self.literal = literal

    def value(self, scope: Scope) -> Any:
        return self.literal

    def holds(self, scope: Scope) -> bool:
        return self.literal is True


class Interpolated(Term):
    """A double-quoted string with references inside."""

    __slots__ = ("block",)

    def __init__(self, block: Node) -> None:
        self.block = block

    def value(self, scope: Scope) -> Any:
        outer, scope.out = scope.out, []
        try:
            self.block.render(scope)
            return "".join(scope.out)
        finally:
            scope.out = outer


class ListLiteral(Term):
    """`[a, b]`"""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[Expression]) -> None:
        self.items = items

    def value(self, scope: Scope) -> Any:
        scope.step()
        return JavaList(item.value(scope) for item in self.items)


class MapLiteral(Term):
    """`{"a": b}`"""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Sequence[tuple[Expression, Expression]]) -> None:
        self.pairs = pairs

    def value(self, scope: Scope) -> Any:
        scope.step()
        return {text_of(key.value(scope)): value.value(scope) for key, value in self.pairs}


class Range(Term):
    """`[1..5]`, either way."""

    __slots__ = ("first", "last")

    def __init__(self, first: Expression, last: Expression) -> None:
        self.first, self.last = first, last

    def value(self, scope: Scope) -> Any:
        first, last = self.first.value(scope), self.last.value(scope)
        if not isinstance(first, int) or not isinstance(last, int):
            return None
        if abs(last - first) >= STEPS_MAX:
            raise TemplateError(f"the range [{first}..{last}] is too long")
        return JavaList(range(first, last + 1) if first <= last else range(first, last - 1, -1))


class Not:
    """`!x`"""

    __slots__ = ("operand",)

    def __init__(self, operand: Expression) -> None:
        self.operand = operand

    def value(self, scope: Scope) -> bool:
        return not self.operand.holds(scope)

    holds = value


class Operation:
    """`a + b`, `a == b`, `a && b`."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Expression, right: Expression) -> None:
        self.operator, self.left, self.right = operator, left, right

    def value(self, scope: Scope) -> Any:
        scope.step()
        operator = self.operator
        if operator == "&&":
            return self.left.holds(scope) and self.right.holds(scope)
        if operator == "||":
            return self.left.holds(scope) or self.right.holds(scope)
        left, right = self.left.value(scope), self.right.value(scope)
        if operator in ("==", "!="):
            scope.step(steps_through(left, right))
            return equals(left, right) is (operator == "==")
        if operator in ("<", "<=", ">", ">="):
            return compare(operator, left, right)
        return binary(operator, left, right)

    def holds(self, scope: Scope) -> bool:
        return self.value(scope) is True


class Access:
    """One step of a reference: `.name`, `.name(arguments)` or `[index]`."""

    __slots__ = ("arguments", "index", "name")

    def __init__(
        self, name: str | None, arguments: Sequence[Expression] | None = None, index: Expression | None = None
    ) -> None:
        self.name, self.arguments, self.index = name, arguments, index

    def of(self, value: Any, scope: Scope) -> Any:
        """What this step finds in `value`."""
        if self.index is not None:
            return get_item(value, self.index.value(scope))
        assert self.name is not None
        if self.arguments is None:
            return get_property(value, self.name)
        arguments = [argument.value(scope) for argument in self.arguments]
        scope.step(effort_of(value, self.name, arguments))
        result = call_method(value, self.name, arguments)
        if isinstance(result, str):
            scope.step(steps_through(result))
        return result


class Deferred:
    """A block that a variable stands for (`#define`, the body of a macro's call): rendered wherever it is named."""

    __slots__ = ("block",)

    def __init__(self, block: Node) -> None:
        self.block = block

    def text(self, scope: Scope) -> str:
        """What the block writes now."""
        outer, scope.out = scope.out, []
        try:
            with scope.deeper():
                self.block.render(scope)
            return "".join(scope.out)
        finally:
            scope.out = outer


class Reference:
    """`$name.a.b(1)[0]`. What is unknown or null is written as nothing.

    Velocity writes such a reference as its own source; API Gateway does not, with or without `$!` (recorded on AWS by
    LocalStack's `test_input_path_template_formatting`, "empty-body").
    """

    __slots__ = ("accesses", "name")

    def __init__(self, name: str, accesses: Sequence[Access]) -> None:
        self.name, self.accesses = name, accesses

    def value(self, scope: Scope) -> Any:
        scope.step()
        value = scope.variables.get(self.name)
        if isinstance(value, Deferred):
            value = value.text(scope)
        for access in self.accesses:
            if value is None:
                return None
            value = access.of(value, scope)
        return value

    def holds(self, scope: Scope) -> bool:
        return truth(self.value(scope))

    def render(self, scope: Scope) -> None:
        scope.write(text_of(self.value(scope)))

    def assign(self, value: Any, scope: Scope) -> None:
        """`#set($this = value)`."""
        if not self.accesses:
            scope.variables[self.name] = value
            return
        target = scope.variables.get(self.name)
        for access in self.accesses[:-1]:
            found = access.of(target, scope)
            if found is None and isinstance(target, dict) and access.name is not None:
                found = target[access.name] = {}
            target = found
        last = self.accesses[-1]
        set_item(target, last.name if last.index is None else last.index.value(scope), value)
