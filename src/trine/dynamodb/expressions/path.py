"""Document paths: placeholders put in, values found, paths compared and printed as AWS prints them.

A `Path` of the syntax tree and an item enter, a value or None leaves. Compiled getters take the item and the names of
the request, so that they are made once per text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import Path
from trine.dynamodb.expressions.names import Names, Values
from trine.dynamodb.model.attribute import AttributeValue, Item

Resolved = tuple[str | int, ...]
"""A path with its placeholders replaced: attribute names and list indexes."""

Getter = Callable[[Item, Names, Values], AttributeValue | None]


def resolve(path: Path, names: Names) -> Resolved:
    """The path with names in the place of `#` placeholders; all must be defined."""
    return tuple(
        names[element] if element.__class__ is str and element[0] == "#" else element for element in path.elements
    )


def path_text(path: Resolved) -> str:
    """`[a, b, [3]]`, as AWS prints paths in errors."""
    return "[" + ", ".join(f"[{element}]" if isinstance(element, int) else element for element in path) + "]"


def find(item: Item, path: Resolved) -> AttributeValue | None:
    """The value at `path`, or None."""
    value = item.get(path[0])  # type: ignore[arg-type]
    for element in path[1:]:
        if value is None:
            return None
        value = _step(value, element)
    return value


def _step(value: AttributeValue, element: str | int) -> AttributeValue | None:
    if element.__class__ is int:
        elements: list[Any] | None = value.get("L")
        if elements is None or element >= len(elements):
            return None
        found: AttributeValue = elements[element]
        return found
    members: dict[str, Any] | None = value.get("M")
    return None if members is None else members.get(element)  # type: ignore[arg-type]


def getter(path: Path) -> Getter:
    """A function of (item, names, values) that finds the value at `path`."""
    first = path.elements[0]
    assert isinstance(first, str)
    if len(path.elements) == 1:
        if first[0] == "#":
            return lambda item, names, values: item.get(names[first])
        return lambda item, names, values: item.get(first)
    if any(isinstance(element, str) and element[0] == "#" for element in path.elements):
        return lambda item, names, values: find(item, resolve(path, names))
    elements = path.elements
    return lambda item, names, values: find(item, elements)


def check_overlaps(paths: list[Resolved], parameter: str) -> None:
    """ValidationException when two paths overlap (one leads into the other) or conflict (map or list?)."""
    for position, later in enumerate(paths):
        for earlier in paths[:position]:
            _check_pair(earlier, later, parameter)


def _check_pair(one: Resolved, two: Resolved, parameter: str) -> None:
    if one[0] != two[0]:
        return
    relation = "overlap"
    for left, right in zip(one, two, strict=False):
        if left.__class__ is not right.__class__:
            relation = "conflict"
            break
        if left != right:
            return
    raise ValidationException(
        f"Invalid {parameter}: Two document paths {relation} with each other; must remove or rewrite one of these "
        f"paths; path one: {path_text(one)}, path two: {path_text(two)}"
    )
