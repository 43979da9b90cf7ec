"""The functions of conditions, and operands: compiled to closures over (item, names, values).

`attribute_exists`, `attribute_not_exists`, `attribute_type`, `begins_with` and `contains` answer yes or no; `size`
gives a number. What an operand has at run time that a function does not take makes the answer no, never an error.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable
from typing import Any

from trine.dynamodb.expressions.ast import Function, Operand, Path, Value
from trine.dynamodb.expressions.names import Names, Values
from trine.dynamodb.expressions.path import Getter, getter
from trine.dynamodb.model.attribute import AttributeValue, Item, equal, type_of

_Test = Callable[[Item, Names, Values], bool]
_ELEMENT_TYPES = {"SS": "S", "NS": "N", "BS": "B"}


def compile_operand(operand: Operand) -> Getter:
    """A function that gives the operand's value, or None when there is none."""
    if isinstance(operand, Value):
        name = operand.name
        return lambda item, names, values: values[name]
    if isinstance(operand, Path):
        return getter(operand)
    assert operand.name == "size"
    return _size(compile_operand(operand.arguments[0]))


def compile_function(function: Function) -> _Test:
    """A function that gives the answer of a call; name and operands are checked already."""
    return _COMPILERS[function.name](*[compile_operand(argument) for argument in function.arguments])


def _exists(operand: Getter) -> _Test:
    return lambda item, names, values: operand(item, names, values) is not None


def _not_exists(operand: Getter) -> _Test:
    return lambda item, names, values: operand(item, names, values) is None


def _type(operand: Getter, wanted: Getter) -> _Test:
    def is_type(item: Item, names: Names, values: Values) -> bool:
        value, kind = operand(item, names, values), wanted(item, names, values)
        return value is not None and kind is not None and kind.get("S") in value

    return is_type


def _begins_with(operand: Getter, prefix: Getter) -> _Test:
    def begins(item: Item, names: Names, values: Values) -> bool:
        value, start = operand(item, names, values), prefix(item, names, values)
        return value is not None and start is not None and begins_with(value, start)

    return begins


def begins_with(value: AttributeValue, prefix: AttributeValue) -> bool:
    """Whether a string or binary begins with another of its type."""
    kind = type_of(value)
    if kind not in prefix:
        return False
    if kind == "S":
        text: str = value["S"]
        return text.startswith(prefix["S"])
    return kind == "B" and a2b_base64(value["B"]).startswith(a2b_base64(prefix["B"]))


def _contains(operand: Getter, sought: Getter) -> _Test:
    def is_in(item: Item, names: Names, values: Values) -> bool:
        value, element = operand(item, names, values), sought(item, names, values)
        return value is not None and element is not None and contains(value, element)

    return is_in


def contains(value: AttributeValue, sought: AttributeValue) -> bool:
    """Whether a string or binary has a part, a set an element, or a list an equal element."""
    kind = type_of(value)
    content: Any = value[kind]
    if kind == "L":
        return any(equal(element, sought) for element in content)
    kind_sought = type_of(sought)
    if kind in _ELEMENT_TYPES:
        return _ELEMENT_TYPES[kind] == kind_sought and sought[kind_sought] in content
    if kind != kind_sought:
        return False
    if kind == "S":
        return bool(sought["S"] in content)
    return kind == "B" and a2b_base64(sought["B"]) in a2b_base64(content)


def _size(operand: Getter) -> Getter:
    def size(item: Item, names: Names, values: Values) -> AttributeValue | None:
        value = operand(item, names, values)
        count = None if value is None else size_of(value)
        return None if count is None else {"N": str(count)}

    return size


def size_of(value: AttributeValue) -> int | None:
    """What `size` gives: the length of a string as Java counts it (UTF-16 units; recorded on AWS by dynalite), bytes of
    a binary, elements; None for what has no size."""
    kind = type_of(value)
    content: Any = value[kind]
    if kind == "S":
        return len(content) if content.isascii() else len(content.encode("utf-16-le")) // 2
    if kind == "B":
        return len(a2b_base64(content))
    return None if kind in ("N", "BOOL", "NULL") else len(content)


_COMPILERS: dict[str, Callable[..., _Test]] = {
    "attribute_exists": _exists,
    "attribute_not_exists": _not_exists,
    "attribute_type": _type,
    "begins_with": _begins_with,
    "contains": _contains,
}
