"""A mapping template as a tree: what each piece of Velocity writes when it is rendered.

The parser builds these nodes once; `render` walks them with a `Scope`, which bounds them.
"""

from __future__ import annotations

from collections.abc import Sequence

from trine.apigateway.limits import FOREACH_ITERATIONS
from trine.apigateway.mapping.scope import Break, Scope
from trine.apigateway.mapping.terms import Expression, Node, Reference
from trine.apigateway.mapping.values import TemplateError


class Text:
    """Characters that stand for themselves."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def render(self, scope: Scope) -> None:
        scope.write(self.text)


class Escaped:
    """`\\$name`: the reference as it is written, and the backslash too when it stands for nothing."""

    __slots__ = ("reference", "source")

    def __init__(self, reference: Reference, source: str) -> None:
        self.reference, self.source = reference, source

    def render(self, scope: Scope) -> None:
        known = self.reference.value(scope) is not None
        scope.write(self.source if known else "\\" + self.source)


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
            if condition.holds(scope):
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


class Block:
    """Nodes one after the other."""

    __slots__ = ("nodes",)

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes

    def render(self, scope: Scope) -> None:
        for node in self.nodes:
            node.render(scope)
