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
    message = _overlap(paths)
    if message is not None:
        raise ValidationException(f"Invalid {parameter}: {message}")


def overlap_check(paths: list[Path]) -> Callable[[Names, Values], None] | None:
    """The same as a check that runs when names are known; None when no names can make the paths meet."""
    if len(paths) < 2:
        return None

    def check(names: Names, values: Values) -> None:
        message = _overlap([resolve(path, names) for path in paths])
        if message is not None:
            raise ValidationException(message)

    if any("#" in str(element)[:1] for path in paths for element in path.elements):
        return check
    message = _overlap([path.elements for path in paths])
    return check if message is not None else None


def _overlap(paths: list[Resolved]) -> str | None:
    if len({path[0] for path in paths}) == len(paths):
        return None
    for relation in ("overlap", "conflict"):
        for position, later in enumerate(paths):
            for earlier in paths[:position]:
                if earlier[0] == later[0] and _relation(earlier, later) == relation:
                    return (
                        f"Two document paths {relation} with each other; must remove or rewrite one of these paths; "
                        f"path one: {path_text(earlier)}, path two: {path_text(later)}"
                    )
    return None


def _relation(one: Resolved, two: Resolved) -> str | None:
    for left, right in zip(one, two, strict=False):
        if left.__class__ is not right.__class__:
            return "conflict"
        if left != right:
            return None
    return "overlap"
