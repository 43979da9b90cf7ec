"""`AttributeUpdates`: changes of top-level attributes as they were before expressions.

The request's map enters, a `LegacyUpdate` leaves, which answers as an `UpdatePlan` does. PUT is the action when none
is named; on an item that does not exist, DELETE and the changes it would make are nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trine.dynamodb.errors import SerializationException, ValidationException
from trine.dynamodb.expressions.path import Resolved
from trine.dynamodb.expressions.update import check_keys
from trine.dynamodb.limits import ATTRIBUTE_NAME_MAX_BYTES
from trine.dynamodb.model.attribute import SET_TYPES, AttributeValue, Item, type_of, validate_value
from trine.dynamodb.model.number import add

_INVALID = "One or more parameter values were invalid: "
MISMATCH = "Type mismatch for attribute to update"
_ACTIONS = ("ADD", "DELETE", "PUT")
_ADDABLE = SET_TYPES | {"N", "L"}


class LegacyUpdate:
    """An update ready for items. `paths` are what it changes."""

    __slots__ = ("_changes", "paths")

    def __init__(self, changes: list[tuple[str, str, AttributeValue | None]]) -> None:
        self._changes = changes
        self.paths: tuple[Resolved, ...] = tuple((name,) for name, _, _ in changes)

    @property
    def attributes(self) -> set[str]:
        """The attributes changed."""
        return {name for name, _, _ in self._changes}

    @property
    def only_removes(self) -> bool:
        """Whether it has actions and all of them are DELETE: an item that does not exist is then not made."""
        return bool(self._changes) and all(action == "DELETE" for _, action, _ in self._changes)

    def apply(self, item: Item, *, exists: bool = True) -> tuple[Item, tuple[Resolved, ...]]:
        """The changed item (a new one) and the paths touched. ValidationException."""
        changed = dict(item)
        for name, action, value in self._changes:
            old = item.get(name)
            if value is None:
                changed.pop(name, None)
            elif action == "PUT":
                changed[name] = value
            else:
                new = _added(old, value) if action == "ADD" else _deleted(old, value)
                if new is not None:
                    changed[name] = new
                else:
                    changed.pop(name, None)
        return changed, self.paths

    def check_keys(self, key_attributes: Iterable[str], index_key_attributes: Iterable[str] = ()) -> None:
        """ValidationException when the update changes a key attribute."""
        check_keys(self.paths, key_attributes, index_key_attributes)


def _added(old: AttributeValue | None, value: AttributeValue) -> AttributeValue:
    if old is None:
        return value
    kind = type_of(value)
    if kind not in old:
        raise ValidationException(MISMATCH)
    if kind == "N":
        return {"N": add(old["N"], value["N"])}
    elements: list[Any] = old[kind]
    if kind == "L":
        return {"L": elements + value["L"]}
    known = set(elements)
    return {kind: elements + [element for element in value[kind] if element not in known]}


def _deleted(old: AttributeValue | None, value: AttributeValue) -> AttributeValue | None:
    if old is None:
        return None
    kind = type_of(value)
    if kind not in old:
        raise ValidationException(MISMATCH)
    gone = set(value[kind])
    left = [element for element in old[kind] if element not in gone]
    return {kind: left} if left else None


def attribute_updates(document: Mapping[str, Any]) -> LegacyUpdate:
    """`AttributeUpdates` of UpdateItem. ValidationException."""
    return LegacyUpdate([(name, *_change(name, entry)) for name, entry in document.items()])


def _change(name: str, entry: Any) -> tuple[str, AttributeValue | None]:
    if not isinstance(entry, dict):
        raise SerializationException(
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValueUpdate"
            if isinstance(entry, list)
            else "Unexpected value type in payload"
        )
    if not name:
        raise ValidationException(f"{_INVALID}Empty attribute name")
    if len(name) > ATTRIBUTE_NAME_MAX_BYTES // 4 and len(name.encode()) > ATTRIBUTE_NAME_MAX_BYTES:
        raise ValidationException(
            f"{_INVALID}Attribute name is too large, must be less than {ATTRIBUTE_NAME_MAX_BYTES + 1} bytes"
        )
    value = entry.get("Value")
    if value is not None:
        validate_value(value)
    action = entry.get("Action")
    action = "PUT" if action is None else action
    if action not in _ACTIONS:
        raise ValidationException(
            f"1 validation error detected: Value '{action}' at 'attributeUpdates.{name}.member.action' failed to "
            f"satisfy constraint: Member must satisfy enum value set: [{', '.join(_ACTIONS)}]"
        )
    if value is None:
        if action != "DELETE":
            raise ValidationException(f"{_INVALID}Only DELETE action is allowed when no attribute value is specified")
        return action, None
    kind = type_of(value)
    if action == "DELETE" and kind not in SET_TYPES:
        raise ValidationException(f"{_INVALID}DELETE action with value is not supported for the type {kind}")
    if action == "ADD" and kind not in _ADDABLE:
        raise ValidationException(f"{_INVALID}ADD action is not supported for the type {kind}")
    return action, value
