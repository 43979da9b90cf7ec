"""The new values of an update: each action compiled to a function of the item as it was.

SET's operands (paths, values, `if_not_exists`, `list_append`, `+`, `-`), ADD's sums and unions, DELETE's differences.
A value, `REMOVE` or `UNCHANGED` leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import (
    Action,
    AddAction,
    Arithmetic,
    Path,
    RemoveAction,
    SetAction,
    SetOperand,
    Value,
)
from trine.dynamodb.expressions.names import Names, Values
from trine.dynamodb.expressions.path import Getter, Resolved, find, getter
from trine.dynamodb.expressions.update_changes import REMOVE, UNCHANGED, Computed
from trine.dynamodb.model.attribute import AttributeValue, Item, in_order, type_of
from trine.dynamodb.model.number import add, subtract

Compute = Callable[[Item, Resolved, Names, Values], Computed]
"""(item as it was, the action's path, names, values) → what is to stand at the path."""

ABSENT = "The provided expression refers to an attribute that does not exist in the item"
WRONG_TYPE = "An operand in the update expression has an incorrect data type"


def compile_action(action: Action) -> Compute:
    """The function that computes one action; operands known before the item are checked already."""
    if isinstance(action, SetAction):
        value = compile_value(action.value)
        if isinstance(action.value, Value):
            name = action.value.name
            return lambda item, path, names, values: values[name]

        def compute(item: Item, path: Resolved, names: Names, values: Values) -> Computed:
            return _present(value(item, names, values))

        return compute
    if isinstance(action, RemoveAction):
        return lambda item, path, names, values: REMOVE
    operand = action.value.name
    change = _added if isinstance(action, AddAction) else _deleted

    def changed(item: Item, path: Resolved, names: Names, values: Values) -> Computed:
        return change(find(item, path), values[operand])

    return changed


def compile_value(operand: SetOperand) -> Getter:
    """A function that gives the operand's value, or None for a path that is not there."""
    if isinstance(operand, Value):
        name = operand.name
        return lambda item, names, values: values[name]
    if isinstance(operand, Path):
        return getter(operand)
    if isinstance(operand, Arithmetic):
        return _arithmetic(operand)
    left, right = (compile_value(argument) for argument in operand.arguments[:2])
    return _if_not_exists(left, right) if operand.name == "if_not_exists" else _list_append(left, right)


def _present(value: AttributeValue | None) -> AttributeValue:
    if value is None:
        raise ValidationException(ABSENT)
    return value


def _if_not_exists(path: Getter, default: Getter) -> Getter:
    def value(item: Item, names: Names, values: Values) -> AttributeValue | None:
        found = path(item, names, values)
        return default(item, names, values) if found is None else found

    return value


def _list_append(first: Getter, second: Getter) -> Getter:
    def value(item: Item, names: Names, values: Values) -> AttributeValue | None:
        front, back = _present(first(item, names, values)), _present(second(item, names, values))
        if "L" not in front or "L" not in back:
            raise ValidationException(WRONG_TYPE)
        return {"L": front["L"] + back["L"]}

    return value


def _arithmetic(node: Arithmetic) -> Getter:
    left, right = compile_value(node.left), compile_value(node.right)
    combine = add if node.operator == "+" else subtract

    def value(item: Item, names: Names, values: Values) -> AttributeValue | None:
        one, other = _present(left(item, names, values)), _present(right(item, names, values))
        if "N" not in one or "N" not in other:
            raise ValidationException(WRONG_TYPE)
        return {"N": combine(one["N"], other["N"])}

    return value


def _added(old: AttributeValue | None, operand: AttributeValue) -> Computed:
    if old is None:
        return operand
    kind = type_of(operand)
    if kind not in old:
        raise ValidationException(WRONG_TYPE)
    if kind == "N":
        return {"N": add(old["N"], operand["N"])}
    elements: list[Any] = old[kind]
    known = set(elements)
    return {kind: in_order(kind, elements + [element for element in operand[kind] if element not in known])}


def _deleted(old: AttributeValue | None, operand: AttributeValue) -> Computed:
    if old is None:
        return UNCHANGED
    kind = type_of(operand)
    if kind not in old:
        raise ValidationException(WRONG_TYPE)
    gone = set(operand[kind])
    left = [element for element in old[kind] if element not in gone]
    # A set is never empty: the attribute goes with its last element.
    return {kind: left} if left else REMOVE
