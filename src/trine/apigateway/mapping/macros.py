"""`#define`, `#macro` and `#evaluate`: pieces of a template that are rendered where they are named.

Enters what the parser read; leaves nodes. A macro's arguments are worked out at its call and are local to it; what else
it sets is seen outside, as in Velocity. Depth is bounded as Velocity bounds it, steps by the scope as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trine.apigateway.mapping.nodes import Block
from trine.apigateway.mapping.scope import Scope
from trine.apigateway.mapping.terms import Deferred, Expression, Reference
from trine.apigateway.mapping.values import TemplateError, text_of

BODY = "bodyContent"
"""What stands between `#@name()` and `#end`, in the macro."""


class Define:
    """`#define($x) … #end`: `$x` is the block, rendered anew wherever it is named."""

    __slots__ = ("block", "name")

    def __init__(self, name: str, block: Block) -> None:
        self.name, self.block = name, block

    def render(self, scope: Scope) -> None:
        scope.step()
        scope.variables[self.name] = Deferred(self.block)


class Macro:
    """`#macro(name $a $b) … #end`. Made while the template is read; its block may name macros that come later."""

    __slots__ = ("block", "parameters")

    def __init__(self) -> None:
        self.parameters: tuple[str, ...] = ()
        self.block: Block | None = None


class CallMacro:
    """`#name($x "y")`, or `#@name() … #end` with a body."""

    __slots__ = ("arguments", "body", "macro", "source")

    def __init__(self, macro: Macro, arguments: Sequence[Expression], body: Block | None, source: str) -> None:
        self.macro, self.arguments, self.body, self.source = macro, arguments, body, source

    def render(self, scope: Scope) -> None:
        scope.step()
        macro = self.macro
        if macro.block is None:  # `#macro(name` stood in a comment only
            scope.write(self.source)
            return
        values: dict[str, Any] = dict(
            zip(macro.parameters, [self._value(a, scope) for a in self.arguments], strict=False)
        )
        if self.body is not None:
            values[BODY] = Deferred(self.body)
        variables = scope.variables
        outer = {name: variables[name] for name in (*macro.parameters, BODY) if name in variables}
        for name in (*macro.parameters, BODY):
            variables.pop(name, None)
        variables.update((name, value) for name, value in values.items() if value is not None)
        with scope.deeper():
            macro.block.render(scope)
        for name in (*macro.parameters, BODY):
            variables.pop(name, None)
        variables.update(outer)

    @staticmethod
    def _value(argument: Expression, scope: Scope) -> Any:
        """An argument's value; a block of `#define` stays one, so that it is rendered inside the macro."""
        if isinstance(argument, Reference) and not argument.accesses:
            return scope.variables.get(argument.name)
        return argument.value(scope)


class Evaluate:
    """`#evaluate(text)`: the text is itself a template."""

    __slots__ = ("expression", "parse")

    def __init__(self, expression: Expression, parse: Callable[[str], Block]) -> None:
        self.expression, self.parse = expression, parse

    def render(self, scope: Scope) -> None:
        scope.step()
        text = text_of(self.expression.value(scope))
        if len(text) > 10_000:
            raise TemplateError("#evaluate takes at most 10000 characters")
        with scope.deeper():
            self.parse(text).render(scope)
