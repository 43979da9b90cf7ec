"""ProjectionExpression: paths bound to a request's names, applied to items.

Text and context enter, a `Projection` leaves; `apply` gives the chosen parts of an item. Elements chosen from a list
keep their order and close up; what is not there is left out. `select` does the same for a list of paths, which is how
UPDATED_OLD and UPDATED_NEW are answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import Path
from trine.dynamodb.expressions.checks import Binding, Leaf, binding, check_reserved, references_of
from trine.dynamodb.expressions.names import ExpressionContext
from trine.dynamodb.expressions.parser import parse_projection
from trine.dynamodb.expressions.path import Resolved, check_overlaps, resolve
from trine.dynamodb.expressions.text_cache import cached_by_text
from trine.dynamodb.limits import ATTRIBUTE_NAME_MAX_BYTES
from trine.dynamodb.model.attribute import AttributeValue, Item

_INVALID = "One or more parameter values were invalid: "

Branch = dict[str | int, "Branch | None"]
"""Paths as a tree: element → what is chosen below it, None for all of it."""


class Projection:
    """Chosen paths. `paths` have their names in place, `top_level` are the attributes they start from."""

    __slots__ = ("_tree", "paths", "top_level")

    def __init__(self, paths: Iterable[Resolved]) -> None:
        self.paths = tuple(paths)
        self.top_level = tuple(dict.fromkeys(str(path[0]) for path in self.paths))
        self._tree = None if all(len(path) == 1 for path in self.paths) else tree_of(self.paths)

    @property
    def nested(self) -> frozenset[str]:
        """The top-level attributes of which a part is chosen."""
        if self._tree is None:
            return frozenset()
        return frozenset(str(path[0]) for path in self.paths if len(path) > 1)

    def apply(self, item: Item) -> Item:
        """The chosen parts of `item`."""
        if self._tree is None:
            return {name: item[name] for name in self.top_level if name in item}
        return _members(item, self._tree)


class _Compiled:
    __slots__ = ("binding", "paths", "projection")

    def __init__(self, text: str, parameter: str) -> None:
        self.paths = parse_projection(text, parameter)
        check_reserved(self.paths, parameter)
        self.binding: Binding = binding(parameter, [Leaf(references_of([path]), ()) for path in self.paths])
        # Without placeholders the projection is the same for every request.
        self.projection = None if self.binding.names else _projection(self.paths, {}, parameter)


@cached_by_text
def _compiled(text: str, parameter: str) -> _Compiled:
    return _Compiled(text, parameter)


def projection(text: str, context: ExpressionContext, parameter: str = "ProjectionExpression") -> Projection:
    """`text` bound to the request's names. ValidationException with AWS's sentence."""
    compiled = _compiled(text, parameter)
    compiled.binding.bind(context)
    if compiled.projection is not None:
        return compiled.projection
    return _projection(compiled.paths, dict(context.names), parameter)


def attributes_to_get(names: Sequence[str]) -> Projection:
    """The projection of `AttributesToGet`: whole attributes, each named once. ValidationException."""
    seen: set[str] = set()
    for name in names:
        if not name:
            raise ValidationException(f"{_INVALID}Empty attribute name")
        if len(name) > ATTRIBUTE_NAME_MAX_BYTES // 4 and len(name.encode()) > ATTRIBUTE_NAME_MAX_BYTES:
            raise ValidationException(
                f"{_INVALID}Attribute name is too large, must be less than {ATTRIBUTE_NAME_MAX_BYTES + 1} bytes"
            )
        if name in seen:
            raise ValidationException(f"{_INVALID}Duplicate value in attribute name: {name}")
        seen.add(name)
    return Projection([(name,) for name in names])


def _projection(paths: Iterable[Path], names: dict[str, str], parameter: str) -> Projection:
    resolved = [resolve(path, names) for path in paths]
    check_overlaps(resolved, parameter)
    return Projection(resolved)


def tree_of(paths: Iterable[Resolved]) -> Branch:
    """Paths, none leading into another, as a tree."""
    root: Branch = {}
    for path in paths:
        branch = root
        for element in path[:-1]:
            below = branch.setdefault(element, {})
            if below is None:
                break
            branch = below
        else:
            branch[path[-1]] = None
    return root


def select(item: Item, paths: Iterable[Resolved]) -> Item:
    """The parts of `item` at `paths`."""
    return _members(item, tree_of(paths))


def _members(members: dict[str, Any], tree: Branch) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for element, below in tree.items():
        if element.__class__ is not str or element not in members:
            continue
        value = members[element] if below is None else _part(members[element], below)
        if value is not None:
            chosen[element] = value
    return chosen


def _part(value: AttributeValue, tree: Branch) -> AttributeValue | None:
    members = value.get("M")
    if members is not None:
        chosen = _members(members, tree)
        return {"M": chosen} if chosen else None
    elements = value.get("L")
    if elements is None:
        return None
    found: list[AttributeValue] = []
    for index in sorted(element for element in tree if isinstance(element, int)):
        if index < len(elements):
            below = tree[index]
            part = elements[index] if below is None else _part(elements[index], below)
            if part is not None:
                found.append(part)
    return {"L": found} if found else None
