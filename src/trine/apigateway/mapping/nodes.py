"""A mapping template as a tree: what each piece of Velocity does when it is rendered.

The parser builds these nodes once; `render` walks them with a `Scope`. Every node that runs takes a step from the
scope's budget, and everything written counts, so that no template runs long or writes much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from trine.apigateway.limits import FOREACH_ITERATIONS, PAYLOAD_BYTES
from trine.apigateway.mapping.methods import call_method, get_item, get_property, set_item
from trine.apigateway.mapping.values import TemplateError, binary, compare, equals, text_of, truth

STEPS_MAX = 100_000
"""Nodes one rendering may run; about a tenth of a second."""
CALLS_DEEP_MAX = 20
"""Macros and defined blocks within one another: Velocity's `velocimacro.max.depth`."""


class Stop(Exception):
    """`#stop`: the rest of the template is not rendered."""


class Break(Exception):
    """`#break`: leave the innermost `#foreach`."""


class Scope:
    """Variables of one rendering, what was written so far, and how much may still happen."""

    __slots__ = ("_calls", "_steps", "_written", "out", "variables")

    def __init__(self, variables: dict[str, Any]) -> None:
        self.variables = variables
        self.out: list[str] = []
        self._calls = 0
        self._steps = STEPS_MAX
        self._written = 0

    def step(self) -> None:
        """One more node runs. TemplateError when that is one too many."""
        self._steps -= 1
        if self._steps < 0:
            raise TemplateError(f"the template runs more than {STEPS_MAX} steps")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """A macro or defined block runs inside. TemplateError when too many do."""
        if self._calls >= CALLS_DEEP_MAX:
            raise TemplateError(f"macros and defined blocks are called more than {CALLS_DEEP_MAX} deep")
        self._calls += 1
        yield
        self._calls -= 1

    def write(self, text: str) -> None:
        """Add `text` to the output."""
        self._written += len(text)
        if self._written > PAYLOAD_BYTES:
            raise TemplateError(f"the template writes more than {PAYLOAD_BYTES} characters")
        self.out.append(text)


class Expression(Protocol):
    """Something with a value."""

    def value(self, scope: Scope) -> Any:
        """The value now."""


class Node(Protocol):
    """Something that writes."""

    def render(self, scope: Scope) -> None:
        """Write to `scope.out`."""


class Text:
    """Characters that stand for themselves."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def render(self, scope: Scope) -> None:
        scope.write(self.text)


class Literal:
    """A number, boolean, null or single-quoted string."""

    __slots__ = ("literal",)

    def __init__(self, literal: Any) -> None:
        self.literal = literal

    def value(self, scope: Scope) -> Any:
        return self.literal


class Interpolated:
    """A double-quoted string with references inside."""

    __slots__ = ("block",)

    def __init__(self, block: Block) -> None:
        self.block = block

    def value(self, scope: Scope) -> Any:
        outer, scope.out = scope.out, []
        try:
            self.block.render(scope)
            return "".join(scope.out)
        finally:
            scope.out = outer


class ListLiteral:
    """`[a, b]`"""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[Expression]) -> None:
        self.items = items

    def value(self, scope: Scope) -> Any:
        scope.step()
        return [item.value(scope) for item in self.items]


class MapLiteral:
    """`{"a": b}`"""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Sequence[tuple[Expression, Expression]]) -> None:
        self.pairs = pairs

    def value(self, scope: Scope) -> Any:
        scope.step()
        return {text_of(key.value(scope)): value.value(scope) for key, value in self.pairs}


class Range:
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
        return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))


class Not:
    """`!x`"""

    __slots__ = ("operand",)

    def __init__(self, operand: Expression) -> None:
        self.operand = operand

    def value(self, scope: Scope) -> Any:
        return not truth(self.operand.value(scope))


class Operation:
    """`a + b`, `a == b`, `a && b`."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Expression, right: Expression) -> None:
        self.operator, self.left, self.right = operator, left, right

    def value(self, scope: Scope) -> Any:
        scope.step()
        operator = self.operator
        left = self.left.value(scope)
        if operator == "&&":
            return truth(left) and truth(self.right.value(scope))
        if operator == "||":
            return truth(left) or truth(self.right.value(scope))
        right = self.right.value(scope)
        if operator == "==":
            return equals(left, right)
        if operator == "!=":
            return not equals(left, right)
        if operator in ("<", "<=", ">", ">="):
            return compare(operator, left, right)
        return binary(operator, left, right)


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
        return call_method(value, self.name, [argument.value(scope) for argument in self.arguments])


class Reference:
    """`$name.a.b(1)[0]`. An unknown variable renders as its own source; a null value as nothing."""

    __slots__ = ("accesses", "name", "quiet", "source")

    def __init__(self, name: str, accesses: Sequence[Access], source: str, *, quiet: bool) -> None:
        self.name, self.accesses, self.source, self.quiet = name, accesses, source, quiet

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

    def render(self, scope: Scope) -> None:
        value = self.value(scope)
        if value is not None:
            scope.write(text_of(value))
        elif not self.quiet and self.name not in scope.variables:
            scope.write(self.source)

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


class Set:
    """`#set($x = …)`"""

    __slots__ = ("expression", "target")

    def __init__(self, target: Reference, expression: Expression) -> None:
        self.target, self.expression = target, expression

    def render(self, scope: Scope) -> None:
        scope.step()
        self.target.assign(self.expression.value(scope), scope)


class If:
    """`#if … #elseif … #else … #end`"""

    __slots__ = ("branches", "otherwise")

    def __init__(self, branches: Sequence[tuple[Expression, Block]], otherwise: Block | None) -> None:
        self.branches, self.otherwise = branches, otherwise

    def render(self, scope: Scope) -> None:
        scope.step()
        for condition, block in self.branches:
            if truth(condition.value(scope)):
                block.render(scope)
                return
        if self.otherwise is not None:
            self.otherwise.render(scope)


class ForEach:
    """`#foreach($x in $list) … #end`, with `$foreach.count`, `.index`, `.hasNext`, `.first`, `.last`."""

    __slots__ = ("block", "collection", "name")

    def __init__(self, name: str, collection: Expression, block: Block) -> None:
        self.name, self.collection, self.block = name, collection, block

    def render(self, scope: Scope) -> None:
        collection = self.collection.value(scope)
        if isinstance(collection, dict):
            collection = list(collection.values())
        if not isinstance(collection, list):
            return
        if len(collection) > FOREACH_ITERATIONS:
            raise TemplateError(f"#foreach runs at most {FOREACH_ITERATIONS} times, not {len(collection)}")
        variables = scope.variables
        outer = {name: variables.get(name) for name in (self.name, "foreach", "velocityCount")}
        known = {name: name in variables for name in outer}
        try:
            for index, item in enumerate(list(collection)):
                scope.step()
                variables[self.name] = item
                variables["velocityCount"] = index + 1
                variables["foreach"] = {
                    "index": index,
                    "count": index + 1,
                    "hasNext": index + 1 < len(collection),
                    "first": index == 0,
                    "last": index + 1 == len(collection),
                    "parent": outer["foreach"],
                }
                self.block.render(scope)
        except Break:
            pass
        finally:
            for name, value in outer.items():
                if known[name]:
                    variables[name] = value
                else:
                    variables.pop(name, None)


class Leave:
    """`#stop` or `#break`."""

    __slots__ = ("signal",)

    def __init__(self, signal: type[Exception]) -> None:
        self.signal = signal

    def render(self, scope: Scope) -> None:
        raise self.signal


class Deferred:
    """A block that a variable stands for (`#define`, the body of a macro's call): rendered wherever it is named."""

    __slots__ = ("block",)

    def __init__(self, block: Block) -> None:
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


class Block:
    """Nodes one after the other."""

    __slots__ = ("nodes",)

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes

    def render(self, scope: Scope) -> None:
        for node in self.nodes:
            node.render(scope)
