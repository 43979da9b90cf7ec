"""UpdateExpression: compiled once per text, bound to a request's names and values, applied to an item.

Text and context enter, an `UpdatePlan` leaves. `apply` computes every new value from the item as it was, then makes
the changes in a copy: parts that do not change are shared with the old item. Faults that depend on the item are
ValidationExceptions with AWS's sentences.
"""

from __future__ import annotations

from collections.abc import Iterable

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import (
    AddAction,
    Arithmetic,
    DeleteAction,
    RemoveAction,
    SetAction,
    UpdateTree,
    Value,
)
from trine.dynamodb.expressions.checks import paths_of, refuse_parts_of_keys
from trine.dynamodb.expressions.names import ExpressionContext, Names, Values
from trine.dynamodb.expressions.parser import parse_update
from trine.dynamodb.expressions.path import Resolved, resolve
from trine.dynamodb.expressions.projection import select
from trine.dynamodb.expressions.text_cache import cached_by_text
from trine.dynamodb.expressions.update_changes import REMOVE, Computed, apply_nested
from trine.dynamodb.expressions.update_checks import check_update, update_bindings
from trine.dynamodb.expressions.update_values import Compute, compile_action
from trine.dynamodb.model.attribute import AttributeValue, Item

_SOME_NUMBER: AttributeValue = {"N": "0"}


class _Compiled:
    __slots__ = (
        "_binding",
        "_binding_without_paths",
        "_computes",
        "_names_seen",
        "_paths_seen",
        "actions",
        "given",
        "nested",
        "nested_reads",
        "paths",
    )

    def __init__(self, tree: UpdateTree, parameter: str) -> None:
        self.actions = tree.actions
        self.paths = [action.path for action in tree.actions]
        self._binding, self._binding_without_paths = update_bindings(tree, parameter)
        self._names_seen: dict[str, str] | None = None
        self._paths_seen: tuple[Resolved, ...] = ()
        self._computes: list[Compute] | None = None
        self.given = [
            (at, action.value.name if isinstance(action.value, Value) else None)
            for at, action in enumerate(tree.actions)
            if isinstance(action, SetAction | AddAction)
            and isinstance(action.value, Value | Arithmetic)
            and len(action.path.elements) == 1
        ]
        """The actions that tell an attribute's type without the item: by a placeholder, or (None) as a number."""
        self.nested = any(len(path.elements) > 1 for path in self.paths)
        values = [action.value for action in tree.actions if isinstance(action, SetAction)]
        self.nested_reads = [path for path in paths_of(values) if len(path.elements) > 1]
        """Paths below the top level that values are made of."""

    def check(self, names: Names, values: Values) -> tuple[Resolved, ...]:
        """As `bind`, for names and values that are all there; faults are told without the parameter's name."""
        for leaf in self._binding.leaves:
            for check in leaf.checks:
                check(names, values)
        return tuple([resolve(path, names) for path in self.paths])

    def bind(self, context: ExpressionContext) -> tuple[Resolved, ...]:
        """Check names and values; the paths with names in place. Clients repeat names: the last ones are kept."""
        names = context.names
        if names == self._names_seen:
            self._binding_without_paths.bind(context)
            return self._paths_seen
        self._binding.bind(context)
        paths = tuple([resolve(path, names) for path in self.paths])
        self._names_seen, self._paths_seen = dict(names), paths
        return paths

    @property
    def computes(self) -> list[Compute]:
        """A function for each action; to be asked for after `binding.bind`, which finds calls with too few operands."""
        if self._computes is None:
            self._computes = [compile_action(action) for action in self.actions]
        return self._computes


class UpdatePlan:
    """An update ready for items. `paths` are what it changes, in the order written, names in place."""

    __slots__ = ("_compiled", "_names", "_values", "paths")

    def __init__(self, compiled: _Compiled, names: Names, values: Values, paths: tuple[Resolved, ...]) -> None:
        self._compiled = compiled
        self._names = names
        self._values = values
        self.paths = paths

    @property
    def attributes(self) -> set[str]:
        """The top-level attributes changed."""
        return {str(path[0]) for path in self.paths}

    @property
    def given(self) -> Item:
        """The attributes whose new type the request tells: with the value that they are given, or some number."""
        paths, values = self.paths, self._values
        return {str(paths[at][0]): values[name] if name else _SOME_NUMBER for at, name in self._compiled.given}

    @property
    def only_removes(self) -> bool:
        """Whether all it does is REMOVE and DELETE: an item that does not exist is then not made."""
        return all(isinstance(action, RemoveAction | DeleteAction) for action in self._compiled.actions)

    def apply(self, item: Item, *, exists: bool = True) -> tuple[Item, tuple[Resolved, ...]]:
        """The changed item (a new one) and the paths touched, for `updated`. ValidationException.

        `exists` False says that `item` is but a key, of an item yet to be made: AWS then lets REMOVE of a nested path
        that leads nowhere pass.
        """
        names, values, paths = self._names, self._values, self.paths
        computed: list[Computed] = [
            compute(item, path, names, values) for compute, path in zip(self._compiled.computes, paths, strict=True)
        ]
        if self._compiled.nested:
            if not exists:
                kept = [(path, value) for path, value in zip(paths, computed, strict=True) if value is not REMOVE]
                return apply_nested(item, [path for path, _ in kept], [value for _, value in kept]), paths
            return apply_nested(item, paths, computed), paths
        changed = dict(item)
        for path, value in zip(paths, computed, strict=True):
            name = str(path[0])
            if isinstance(value, dict):
                changed[name] = value
            elif value is REMOVE:
                changed.pop(name, None)
        return changed, paths

    def check_keys(self, key_attributes: Iterable[str], index_key_attributes: Iterable[str] = ()) -> None:
        """ValidationException when the update changes a key attribute, or a part of an index key attribute."""
        check_keys(self.paths, key_attributes, index_key_attributes)
        if reads := self._compiled.nested_reads:
            heads = [path.elements[0] for path in reads]
            nested = frozenset(self._names.get(str(head), str(head)) for head in heads)
            refuse_parts_of_keys(nested, key_attributes, index_key_attributes)


def check_keys(
    paths: Iterable[Resolved], key_attributes: Iterable[str], index_key_attributes: Iterable[str] = ()
) -> None:
    """ValidationException when `paths` are of a key attribute, or of a part of an index key attribute."""
    changed = {path[0] for path in paths}
    for name in key_attributes:
        if name in changed:
            raise ValidationException(
                f"One or more parameter values were invalid: Cannot update attribute {name}. "
                "This attribute is part of the key"
            )
    refuse_parts_of_keys(frozenset(str(path[0]) for path in paths if len(path) > 1), (), index_key_attributes)


@cached_by_text
def _compiled(text: str, parameter: str) -> _Compiled:
    tree = parse_update(text, parameter)
    check_update(tree, parameter)
    return _Compiled(tree, parameter)


def update(
    text: str,
    context: ExpressionContext,
    key_attributes: Iterable[str] = (),
    parameter: str = "UpdateExpression",
) -> UpdatePlan:
    """`text` bound to the request's names and values. ValidationException with AWS's sentence.

    `key_attributes` may be given here or later, to `UpdatePlan.check_keys`, when the table is known.
    """
    compiled = _compiled(text, parameter)
    plan = UpdatePlan(compiled, context.names, context.values, compiled.bind(context))
    if key_attributes:
        plan.check_keys(key_attributes)
    return plan


def update_of(tree: UpdateTree, names: Names, values: Values) -> UpdatePlan:
    """The plan of a tree that is no UpdateExpression's (PartiQL's). ValidationException, without a parameter's name."""
    compiled = _Compiled(tree, "")
    return UpdatePlan(compiled, names, values, compiled.check(names, values))


def updated(item: Item, paths: Iterable[Resolved]) -> Item:
    """The parts of an item that UPDATED_OLD (of the old item) or UPDATED_NEW (of the new one) answers with."""
    paths = list(paths)
    if max(map(len, paths), default=1) == 1:
        return {name: item[name] for (name,) in paths if name in item}
    return select(item, paths)
