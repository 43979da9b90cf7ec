"""ConditionExpression and FilterExpression: compiled once per text, bound to a request's names and values, applied.

Text and context enter, a `BoundCondition` leaves: call it with an item (`{}` for one that does not exist) to get the
answer. Compilation makes closures over (item, names, values) and is cached by text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trine.dynamodb.expressions.ast import And, Between, Comparison, Condition, Function, In, Not, Or, Path, Value
from trine.dynamodb.expressions.checks import Binding, binding, paths_of
from trine.dynamodb.expressions.condition_checks import check_tree, leaf_of, leaves_of, operands_of
from trine.dynamodb.expressions.functions import compile_function, compile_operand
from trine.dynamodb.expressions.names import ExpressionContext, Names, Values
from trine.dynamodb.expressions.parser import parse_condition
from trine.dynamodb.expressions.path import Resolved, resolve
from trine.dynamodb.expressions.text_cache import cached_by_text
from trine.dynamodb.model.attribute import Item, compare, equal

Test = Callable[[Item, Names, Values], bool]


class CompiledCondition:
    """A condition that waits for names and values."""

    __slots__ = ("_test", "binding", "has_nested", "paths", "tree")

    def __init__(self, text: str, parameter: str) -> None:
        tree = parse_condition(text, parameter)
        check_tree(tree, parameter)
        leaves = leaves_of(tree.root)
        self.tree = tree.root
        self.binding: Binding = binding(parameter, map(leaf_of, leaves))
        self.paths = tuple(path for leaf in leaves for path in paths_of(operands_of(leaf)))
        self.has_nested = any(len(path.elements) > 1 for path in self.paths)
        self._test: Test | None = None

    @property
    def test(self) -> Test:
        """The closures; to be asked for after `binding.bind` only, which finds calls with too few operands."""
        if self._test is None:
            self._test = compile_condition(self.tree)
        return self._test


class BoundCondition:
    """A condition ready for items. `paths` are the document paths it reads."""

    __slots__ = ("_compiled", "_names", "_test", "_values")

    def __init__(self, compiled: CompiledCondition, names: Names, values: Values) -> None:
        self._compiled = compiled
        self._test = compiled.test
        self._names = names
        self._values = values

    def __call__(self, item: Item) -> bool:
        return self._test(item, self._names, self._values)

    @property
    def paths(self) -> list[Resolved]:
        """The paths read, names in place."""
        return [resolve(path, self._names) for path in self._compiled.paths]

    @property
    def nested(self) -> frozenset[str]:
        """The top-level attributes of which a part is read."""
        if not self._compiled.has_nested:
            return frozenset()
        return frozenset(str(path[0]) for path in self.paths if len(path) > 1)

    @property
    def equalities(self) -> frozenset[str]:
        """Top-level attributes that must equal a value for the condition to hold."""
        names = self._names
        return frozenset(names.get(name, name) for name in equalities_of(self._compiled.tree))

    @property
    def attributes(self) -> set[str]:
        """The top-level attributes read."""
        return {str(path[0]) for path in self.paths}


def equalities_of(node: Condition) -> Iterator[str]:
    """Names, as written, of the top-level attributes that `node` compares with a value by `=`, at its top or in AND."""
    if isinstance(node, And):
        for term in node.terms:
            yield from equalities_of(term)
    elif isinstance(node, Comparison) and node.operator == "=":
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Path) and isinstance(other, Value) and len(one.elements) == 1:
                yield str(one.elements[0])


@cached_by_text
def compiled_condition(text: str, parameter: str) -> CompiledCondition:
    """The compiled condition of `text`. ValidationException with AWS's sentence."""
    return CompiledCondition(text, parameter)


def condition(text: str, context: ExpressionContext, parameter: str = "ConditionExpression") -> BoundCondition:
    """`text` bound to the request's names and values. ValidationException with AWS's sentence."""
    compiled = compiled_condition(text, parameter)
    compiled.binding.bind(context)
    return BoundCondition(compiled, context.names, context.values)


def compile_condition(node: Condition) -> Test:
    """Closures for a checked tree."""
    if isinstance(node, Comparison):
        return _comparison(node)
    if isinstance(node, Function):
        return compile_function(node)
    if isinstance(node, Not):
        test = compile_condition(node.term)
        return lambda item, names, values: not test(item, names, values)
    if isinstance(node, And):
        return _all([compile_condition(term) for term in node.terms])
    if isinstance(node, Or):
        return _any([compile_condition(term) for term in node.terms])
    if isinstance(node, Between):
        return _between(node)
    assert isinstance(node, In)
    return _in(node)


def _all(tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda item, names, values: first(item, names, values) and second(item, names, values)

    def test(item: Item, names: Names, values: Values) -> bool:
        for term in tests:  # noqa: SIM110, a generator costs as much as three terms
            if not term(item, names, values):
                return False
        return True

    return test


def _any(tests: list[Test]) -> Test:
    def test(item: Item, names: Names, values: Values) -> bool:
        for term in tests:  # noqa: SIM110
            if term(item, names, values):
                return True
        return False

    return test


def _comparison(node: Comparison) -> Test:
    left, right = compile_operand(node.left), compile_operand(node.right)
    if node.operator == "=":

        def is_equal(item: Item, names: Names, values: Values) -> bool:
            one = left(item, names, values)
            if one is None:
                return False
            other = right(item, names, values)
            return other is not None and (one == other or equal(one, other))

        return is_equal
    if node.operator == "<>":

        def is_different(item: Item, names: Names, values: Values) -> bool:
            # What is not there differs from everything, even from another that is not there.
            one, other = left(item, names, values), right(item, names, values)
            return one is None or other is None or not equal(one, other)

        return is_different
    accepted = _ORDERS[node.operator]

    def is_ordered(item: Item, names: Names, values: Values) -> bool:
        one, other = left(item, names, values), right(item, names, values)
        return one is not None and other is not None and compare(one, other) in accepted

    return is_ordered


_ORDERS: dict[str, tuple[int, ...]] = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}


def _between(node: Between) -> Test:
    operand, low, high = compile_operand(node.operand), compile_operand(node.low), compile_operand(node.high)

    def is_between(item: Item, names: Names, values: Values) -> bool:
        value = operand(item, names, values)
        bottom = low(item, names, values)
        top = high(item, names, values)
        if value is None or bottom is None or top is None:
            return False
        return compare(bottom, value) in (-1, 0) and compare(value, top) in (-1, 0)

    return is_between


def _in(node: In) -> Test:
    operand = compile_operand(node.operand)
    choices = [compile_operand(choice) for choice in node.choices]

    def is_in(item: Item, names: Names, values: Values) -> bool:
        value = operand(item, names, values)
        if value is None:
            return False
        for choice in choices:
            other = choice(item, names, values)
            if other is not None and equal(value, other):
                return True
        return False

    return is_in
