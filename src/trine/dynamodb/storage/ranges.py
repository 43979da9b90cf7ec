"""From a key condition to the bytes it spans.

A key space with a `KeyCondition` enters; start and stop of its keys leave, in ascending order whatever the direction.
`plain_range` is the short way for the usual text (`p = :p AND s >= :s`) with plain values; it accepts only what is
right and leaves the rest, and every complaint, to the long way.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import And, Between, Comparison, Condition, Function, Operand, Path, Value
from trine.dynamodb.expressions.checks import check_reserved
from trine.dynamodb.expressions.key_condition import PARAMETER, KeyCondition
from trine.dynamodb.expressions.names import ExpressionContext
from trine.dynamodb.expressions.parser import parse_condition
from trine.dynamodb.model.attribute import AttributeValue
from trine.dynamodb.model.key import KeySchema
from trine.dynamodb.storage.keyspace import STRING_END_BYTES, KeySpace, encode_key_value, encode_prefix
from trine.kv.tuple import after

Range = tuple[bytes, bytes]


def range_of(space: KeySpace, condition: KeyCondition) -> Range:
    """Start (inclusive) and stop (exclusive) of the keys that satisfy `condition`."""
    prefix = space.partition(condition.partition_key)
    for value in condition.sort_prefix:
        prefix += encode_key_value(value)
    operator, operands = condition.operator, condition.operands
    if operator is None:
        return prefix, after(prefix)
    if operator == "begins_with":
        return _range(prefix, operator, encode_prefix(operands[0]), b"")
    high = encode_key_value(operands[1]) if operator == "BETWEEN" else b""
    return _range(prefix, operator, encode_key_value(operands[0]), high)


def _range(prefix: bytes, operator: str, low: bytes, high: bytes) -> Range:
    bound = prefix + low
    if operator in ("=", "begins_with"):
        return bound, after(bound)
    if operator == "<":
        return prefix, bound
    if operator == "<=":
        return prefix, after(bound)
    if operator == ">":
        return after(bound), after(prefix)
    if operator == ">=":
        return bound, after(prefix)
    assert operator == "BETWEEN", operator
    return bound, after(prefix + high)


class _Shape(NamedTuple):
    """Which placeholder of a plain text is the partition's value, and what is said of the sort key."""

    partition: str
    operator: str | None
    low: str
    high: str
    placeholders: int


_PLAIN_NAMES_MAX_COUNT = 2
_PLAIN_NAME_MAX_CHARACTERS = 255


def plain_range(
    space: KeySpace,
    text: str,
    values: Mapping[str, AttributeValue] | None,
    names: Mapping[str, str] | None = None,
) -> Range | None:
    """The range of a plain key condition with plain names and values, none unused; None sends it the long way."""
    if names is None:
        shape = _shape(text, (), space.schema)
    elif 0 < len(names) <= _PLAIN_NAMES_MAX_COUNT and max(map(len, names.values())) <= _PLAIN_NAME_MAX_CHARACTERS:
        shape = _shape(text, tuple(names.items()), space.schema)
    else:
        return None
    if shape is None or values is None or len(values) != shape.placeholders:
        return None
    value = values.get(shape.partition)
    if value is None or (prefix := space.quick_partition(value)) is None:
        return None
    if shape.operator is None:
        return prefix, after(prefix)
    encode = space.quick_sort
    value = values.get(shape.low)
    if encode is None or value is None or (low := encode(value)) is None:
        return None
    if shape.operator == "begins_with":
        return _range(prefix, shape.operator, low[:-STRING_END_BYTES], b"")
    if shape.operator != "BETWEEN":
        return _range(prefix, shape.operator, low, b"")
    value = values.get(shape.high)
    if value is None or (high := encode(value)) is None or low > high:
        return None
    return _range(prefix, shape.operator, low, high)


@lru_cache(1024)
def _shape(text: str, names: tuple[tuple[str, str], ...], schema: KeySchema) -> _Shape | None:
    """What a text says of a simple key, or None when it is not plain."""
    if len(schema.partition) != 1 or len(schema.sort) > 1:
        return None
    try:
        tree = parse_condition(text, PARAMETER)
        terms = tree.root.terms if isinstance(tree.root, And) else (tree.root,)
        found = [_term(term) for term in terms]
        check_reserved([Path((name,)) for name, _, _ in found], PARAMETER)
        given = ExpressionContext(dict(names) if names else None).names
    except (ValidationException, ValueError):
        return None
    if tree.redundant_parentheses:
        return None
    used_names = {name for name, _, _ in found if name[0] == "#"}
    if used_names != given.keys():
        return None
    by_name = {given.get(name, name): (operator, values) for name, operator, values in found}
    partition = by_name.pop(schema.partition[0].name, None)
    if partition is None or partition[0] != "=" or len(found) != len(by_name) + 1:
        return None
    if not by_name:
        return _Shape(partition[1][0], None, "", "", 1)
    sort = by_name.pop(schema.sort[0].name, None) if schema.sort else None
    if sort is None or by_name or (sort[0] == "begins_with" and schema.sort[0].type != "S"):
        return None
    used = {*partition[1], *sort[1]}
    return _Shape(partition[1][0], sort[0], sort[1][0], sort[1][-1], len(used))


def _term(node: Condition) -> tuple[str, str, list[str]]:
    """Attribute, operator and placeholders of a term; ValueError when it is not `attribute operator :placeholder`."""
    operands: tuple[Operand, ...]
    if isinstance(node, Comparison) and node.operator != "<>":
        operator, operands = node.operator, (node.left, node.right)
    elif isinstance(node, Between):
        operator, operands = "BETWEEN", (node.operand, node.low, node.high)
    elif isinstance(node, Function) and node.name == "begins_with" and len(node.arguments) == 2:
        operator, operands = node.name, node.arguments
    else:
        raise ValueError("not plain")
    first, rest = operands[0], operands[1:]
    if not isinstance(first, Path) or len(first.elements) != 1 or not isinstance(first.elements[0], str):
        raise ValueError("not plain")
    name = first.elements[0]
    if not all(isinstance(value, Value) for value in rest):
        raise ValueError("not plain")
    return name, operator, [value.name for value in rest if isinstance(value, Value)]
