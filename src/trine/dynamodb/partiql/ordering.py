"""ORDER BY, as far as keys can give it.

A statement's terms, its key schema and what it reads enter; a refusal, or the reads in the order wanted, leave. A
partition is read along its sort order, one way or the other; several partitions are read one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.key_condition import KeyCondition
from trine.dynamodb.model.attribute import AttributeValue, compare
from trine.dynamodb.model.key import KeySchema
from trine.dynamodb.partiql.statement import Ordering, Statement

Reads = tuple[KeyCondition, ...]


def check_order(statement: Statement, schema: KeySchema, reads: Reads | None) -> None:
    """ValidationException when ORDER BY wants what no key can give."""
    if not statement.order:
        return
    if statement.where is None:
        raise ValidationException("Must have WHERE clause in the statement when using ORDER BY clause.")
    if reads is None:
        raise ValidationException(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
        )
    for ordering in statement.order:
        if ordering.attribute not in schema.names:
            raise ValidationException(
                f"Variable reference {ordering.attribute} in ORDER BY clause must be part of the primary key"
            )


def is_reverse(order: Sequence[Ordering], schema: KeySchema) -> bool:
    """Whether each partition is read from its end."""
    return any(term.descending for term in order if term.attribute != schema.partition[0].name)


def ordered(reads: Reads, order: Sequence[Ordering], schema: KeySchema) -> Reads:
    """The reads in the order that ORDER BY wants; those it does not tell apart stay as the clause gives them."""
    for term in order[::-1]:
        if term.attribute == schema.partition[0].name:
            reads = _sorted(reads, lambda read: read.partition[0], term.descending)
        elif all(read.operator == "=" for read in reads):
            reads = _sorted(reads, lambda read: read.operands[0], term.descending)
    return reads


def _sorted(reads: Reads, value_of: Callable[[KeyCondition], AttributeValue], descending: bool) -> Reads:
    def by_value(one: KeyCondition, other: KeyCondition) -> int:
        return compare(value_of(one), value_of(other)) or 0

    return tuple(sorted(reads, key=cmp_to_key(by_value), reverse=descending))
