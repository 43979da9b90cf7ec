"""From a key condition to the bytes it spans.

A key space with a `KeyCondition` enters; start and stop of its keys leave, in ascending order whatever the direction.
"""

from __future__ import annotations

from trine.dynamodb.expressions.key_condition import KeyCondition
from trine.dynamodb.storage.keyspace import KeySpace, encode_key_value, encode_prefix
from trine.kv.tuple import after


def range_of(space: KeySpace, condition: KeyCondition) -> tuple[bytes, bytes]:
    """Start (inclusive) and stop (exclusive) of the keys that satisfy `condition`."""
    prefix = space.partition(condition.partition_key)
    for value in condition.sort_prefix:
        prefix += encode_key_value(value)
    operator = condition.operator
    if operator is None:
        return prefix, after(prefix)
    if operator == "begins_with":
        begun = prefix + encode_prefix(condition.operands[0])
        return begun, after(begun)
    bound = prefix + encode_key_value(condition.operands[0])
    if operator == "=":
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
    return bound, after(prefix + encode_key_value(condition.operands[1]))
