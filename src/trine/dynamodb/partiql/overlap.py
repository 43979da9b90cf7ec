"""AWS's rule for alternatives in a WHERE clause: those that read one partition must not meet in the sort order.

A clause, its names and values, and a key schema enter; nothing leaves, or AWS's refusal. Alternatives are the branches
of the clause's disjunctive form, as far as they speak of keys: an OR of other attributes is a filter. A branch that
negates its sort condition is let through, as AWS does; so is a clause with a branch that names no partition: it is a
scan.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, replace

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import And, Comparison, Condition, In, Not, Or
from trine.dynamodb.expressions.condition_checks import LeafNode, leaves_of
from trine.dynamodb.limits import STATEMENT_MAX_READS
from trine.dynamodb.model.attribute import AttributeValue, compare, equal, type_of
from trine.dynamodb.model.key import KeySchema
from trine.dynamodb.partiql.reading import KeyReader, Range

OVERLAPPING = "Overlapping conditions with range keys are not supported in where clause"
Literal = tuple[LeafNode, bool]
"""A comparison or call, and whether it is negated."""
Bound = tuple[AttributeValue, bool] | None
"""A value and whether it is included; None for none."""


@dataclass(frozen=True, slots=True)
class _Span:
    low: Bound = None
    high: Bound = None

    def narrowed(self, other: _Span) -> _Span:
        low = other.low if _beyond(other.low, self.low, 1) else self.low
        high = other.high if _beyond(other.high, self.high, -1) else self.high
        return replace(self, low=low, high=high)

    def meets(self, other: _Span) -> bool:
        both = self.narrowed(other)
        if both.low is None or both.high is None:
            return True
        order = compare(both.low[0], both.high[0])
        return order == -1 or (order == 0 and both.low[1] and both.high[1])


def check_overlaps(reader: KeyReader, schema: KeySchema) -> None:
    """ValidationException when two alternatives of the clause read the same part of one partition."""
    hash_name = schema.partition[0].name
    sort_name = schema.sort[0].name if schema.sort else None
    branches = _branches(reader, reader.where, False, (hash_name, sort_name))
    if branches is None:
        return
    spans: list[tuple[AttributeValue, _Span]] = []
    for branch in branches:
        for part in _expanded(reader, branch, (hash_name, sort_name)):
            partition = next(
                (value for leaf, negated in part if not negated for value in reader.equalities(leaf, hash_name)), None
            )
            if partition is None:
                return
            span = _span(reader, part, sort_name)
            if span is None:
                continue
            if any(equal(partition, known) and span.meets(other) for known, other in spans):
                raise ValidationException(OVERLAPPING)
            spans.append((partition, span))
            if len(spans) > STATEMENT_MAX_READS:
                return


def _branches(
    reader: KeyReader, node: Condition, negated: bool, names: tuple[str, str | None]
) -> list[list[Literal]] | None:
    """The disjunctive form of what the node says of keys; None when it has too many branches."""
    if not any(reader.speaks_of(leaf, name) for leaf in leaves_of(node) for name in names if name):
        return [[]]
    if isinstance(node, Not):
        return _branches(reader, node.term, not negated, names)
    if isinstance(node, And | Or):
        parts = [_branches(reader, term, negated, names) for term in node.terms]
        if isinstance(node, Or) != negated:
            joined: list[list[Literal]] = []
            for part in parts:
                if part is None:
                    return None
                joined += part
            return joined if len(joined) <= STATEMENT_MAX_READS else None
        product: list[list[Literal]] = [[]]
        for part in parts:
            if part is None or len(product) * len(part) > STATEMENT_MAX_READS:
                return None
            product = [left + right for left in product for right in part]
        return product
    return [[(node, negated)]]


def _expanded(reader: KeyReader, branch: list[Literal], names: tuple[str, str | None]) -> list[list[Literal]]:
    """A branch with `key IN […]` written as one branch for each value."""
    expanded: list[list[Literal]] = [[]]
    for leaf, negated in branch:
        options: list[Literal] = [(leaf, negated)]
        if (
            isinstance(leaf, In)
            and not negated
            and any(reader.is_attribute(leaf.operand, name) for name in names if name)
        ):
            options = [(Comparison("=", leaf.operand, choice), False) for choice in leaf.choices]
        if len(expanded) * len(options) > STATEMENT_MAX_READS:
            return []
        expanded = [[*part, option] for part in expanded for option in options]
    return expanded


def _span(reader: KeyReader, branch: list[Literal], sort_name: str | None) -> _Span | None:
    """The part of the sort order that a branch reads; None when it negates a condition on it."""
    span = _Span()
    if sort_name is None:
        return span
    for leaf, negated in branch:
        found = reader.range_of(leaf, sort_name)
        if negated or (isinstance(leaf, Comparison) and leaf.operator == "<>"):
            if found is not None or reader.speaks_of(leaf, sort_name):
                return None
        elif found is not None:
            span = span.narrowed(_span_of(found))
    return span


def _span_of(found: Range) -> _Span:
    operator, values = found
    value = values[0]
    if operator == "=":
        return _Span((value, True), (value, True))
    if operator == "BETWEEN":
        return _Span((value, True), (values[1], True))
    if operator == "begins_with":
        after = _after_prefix(value)
        return _Span((value, True), None if after is None else (after, False))
    if operator[0] == "<":
        return _Span(None, (value, operator == "<="))
    return _Span((value, operator == ">="), None)


def _after_prefix(prefix: AttributeValue) -> AttributeValue | None:
    """The least value beyond all that begin with `prefix`; None when there is none."""
    kind = type_of(prefix)
    if kind == "S":
        text = prefix["S"].rstrip("\U0010ffff")
        if not text:
            return None
        following = ord(text[-1]) + 1
        return {"S": text[:-1] + chr(0xE000 if following == 0xD800 else following)}
    if kind != "B":
        return None
    data = b64decode(prefix["B"]).rstrip(b"\xff")
    return {"B": b64encode(data[:-1] + bytes((data[-1] + 1,))).decode()} if data else None


def _beyond(one: Bound, other: Bound, direction: int) -> bool:
    """Whether bound `one` is tighter than `other`; lower bounds tighten upwards (1), upper ones downwards (−1)."""
    if one is None:
        return False
    if other is None:
        return True
    order = compare(one[0], other[0])
    return order == direction or (order == 0 and not one[1])
