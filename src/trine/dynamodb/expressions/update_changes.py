"""Changes made in a copy of an item: what stands at which path, nested ones included.

Paths that do not overlap and their computed values enter, the changed item leaves; everything off the paths is shared
with the old item. In lists, positions are those of the list as it was: replacing comes first, elements beyond the end
are appended in the order of their indexes, removed ones close up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.path import Resolved
from trine.dynamodb.limits import DOCUMENT_MAX_LEVELS
from trine.dynamodb.model.attribute import AttributeValue, Item

TOO_DEEP = "Nesting Levels have exceeded supported limits"
INVALID_PATH = "The document path provided in the update expression is invalid for update"


class Outcome(Enum):
    """What an action makes of its path when it is no value."""

    REMOVE = "remove"
    UNCHANGED = "unchanged"


REMOVE = Outcome.REMOVE
UNCHANGED = Outcome.UNCHANGED
Computed = AttributeValue | Outcome


class _Branch:
    """The changes below one element, or the change of the element itself."""

    __slots__ = ("below", "change")

    def __init__(self) -> None:
        self.below: dict[str | int, _Branch] = {}
        self.change: Computed | None = None


def apply_nested(item: Item, paths: Iterable[Resolved], computed: Iterable[Computed]) -> Item:
    """`item` with each path changed to its computed value. ValidationException when a path leads nowhere."""
    root = _Branch()
    for path, change in zip(paths, computed, strict=True):
        if isinstance(change, dict) and len(path) > 1:
            check_depth(change, len(path))
        branch = root
        for element in path:
            branch = branch.below.setdefault(element, _Branch())
        branch.change = change
    return _changed_members(item, root)


def _changed_members(members: dict[str, Any], branch: _Branch) -> dict[str, Any]:
    changed = dict(members)
    for element, below in branch.below.items():
        if element.__class__ is not str:
            raise ValidationException(INVALID_PATH)
        if below.change is None:
            changed[element] = _changed(changed.get(element), below)
        elif below.change is REMOVE:
            changed.pop(element, None)
        elif below.change is not UNCHANGED:
            changed[element] = below.change
    return changed


def _changed(value: AttributeValue | None, branch: _Branch) -> AttributeValue:
    if value is not None:
        if "M" in value:
            return {"M": _changed_members(value["M"], branch)}
        if "L" in value:
            return {"L": _changed_elements(value["L"], branch)}
    raise ValidationException(INVALID_PATH)


def _changed_elements(elements: Sequence[AttributeValue], branch: _Branch) -> list[AttributeValue]:
    changed = list(elements)
    removed: list[int] = []
    for element in sorted(branch.below, key=_index):
        assert isinstance(element, int)
        below = branch.below[element]
        exists = element < len(elements)
        if below.change is None:
            changed_element = _changed(elements[element] if exists else None, below)
            changed[element] = changed_element
        elif below.change is REMOVE:
            if exists:
                removed.append(element)
        elif isinstance(below.change, dict):
            if exists:
                changed[element] = below.change
            else:
                changed.append(below.change)
    for element in reversed(removed):
        del changed[element]
    return changed


def _index(element: str | int) -> int:
    if not isinstance(element, int):
        raise ValidationException(INVALID_PATH)
    return element


def check_depth(value: AttributeValue, depth: int) -> None:
    """ValidationException when `value`, standing at `depth`, reaches deeper than documents may."""
    level = [value]
    while level:
        if depth > DOCUMENT_MAX_LEVELS:
            raise ValidationException(TOO_DEEP)
        below: list[AttributeValue] = []
        for container in level:
            if "M" in container:
                below.extend(container["M"].values())
            elif "L" in container:
                below.extend(container["L"])
        level = below
        depth += 1
