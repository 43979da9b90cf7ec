"""What a WHERE clause says of keys: which partitions, which part of the sort order, or nothing.

A condition's tree, its names and values, and a key schema enter; key conditions leave. The whole clause is applied to
what is read besides, so what is found here only has to hold for every item that the clause accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import And, Between, Comparison, Condition, Function, In, Operand, Or, Path, Value
from trine.dynamodb.expressions.condition_checks import LeafNode, operands_of
from trine.dynamodb.expressions.key_condition import KeyCondition
from trine.dynamodb.expressions.names import Names, Values
from trine.dynamodb.limits import STATEMENT_MAX_READS
from trine.dynamodb.model.attribute import AttributeValue, equal
from trine.dynamodb.model.key import KeyAttribute, KeySchema

_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
Range = tuple[str, tuple[AttributeValue, ...]]


class KeyReader:
    """A WHERE clause with its names and values."""

    def __init__(self, where: Condition, names: Names, values: Values) -> None:
        self.where = where
        self.names = names
        self.values = values

    def reads(self, schema: KeySchema) -> tuple[KeyCondition, ...] | None:
        """The key conditions that find all the clause can accept; None when that takes a scan."""
        partition = schema.partition[0]
        hashes = self._partitions(self.where, partition.name)
        if hashes is None:
            return None
        for value in hashes:
            _check_type(partition, value)
        ranges = self._ranges(schema.sort[0]) if schema.sort else [None]
        distinct = _distinct(hashes)
        if len(distinct) * len(ranges) > STATEMENT_MAX_READS:
            return None
        return tuple(
            KeyCondition(schema, (value,)) if found is None else KeyCondition(schema, (value,), (), *found)
            for value in distinct
            for found in ranges
        )

    def key_values(self, attribute: str, *, single_in: bool = False) -> list[AttributeValue]:
        """What the clause's conjunction says the attribute equals, all different (with `single_in`: IN of one too)."""
        found = [value for term in conjunction(self.where) for value in self.equalities(term, attribute, single_in)]
        return _distinct(found)

    def is_keyed(self, schema: KeySchema) -> bool:
        """Whether the clause's conjunction itself, and not one of its alternatives, names partitions."""
        name = schema.partition[0].name
        return any(
            any(self.equalities(term, name)) or (isinstance(term, In) and self.is_attribute(term.operand, name))
            for term in conjunction(self.where)
        )

    def is_only_key(self, schema: KeySchema) -> bool:
        """Whether the clause is an equality for each key attribute, one value each, and nothing else."""
        if any(len(self.key_values(name, single_in=True)) != 1 for name in schema.names):
            return False
        return all(
            any(list(self.equalities(term, name, True)) for name in schema.names) for term in conjunction(self.where)
        )

    def equalities(self, term: Condition, attribute: str, single_in: bool = False) -> Iterator[AttributeValue]:
        """What one term says the attribute equals (with `single_in`: IN of one too)."""
        if isinstance(term, Comparison) and term.operator == "=":
            for one, other in ((term.left, term.right), (term.right, term.left)):
                if self.is_attribute(one, attribute) and isinstance(other, Value):
                    yield self.values[other.name]
        elif single_in and isinstance(term, In) and len(term.choices) == 1:
            choice = term.choices[0]
            if self.is_attribute(term.operand, attribute) and isinstance(choice, Value):
                yield self.values[choice.name]

    def _partitions(self, node: Condition, attribute: str) -> list[AttributeValue] | None:
        """Values of which the attribute must have one for `node` to hold; None when it may have any."""
        if isinstance(node, And):
            for term in node.terms:
                found = self._partitions(term, attribute)
                if found is not None:
                    return found
            return None
        if isinstance(node, Or):
            every: list[AttributeValue] = []
            for term in node.terms:
                found = self._partitions(term, attribute)
                if found is None:
                    return None
                every += found
            return every
        if isinstance(node, In) and self.is_attribute(node.operand, attribute):
            return self._constants(node.choices)
        equal_to = list(self.equalities(node, attribute))
        return equal_to or None

    def _ranges(self, sort: KeyAttribute) -> list[Range | None]:
        """The sort conditions to read by, one after the other; [None] for the whole partition."""
        for term in conjunction(self.where):
            if isinstance(term, In) and self.is_attribute(term.operand, sort.name):
                choices = self._constants(term.choices)
                if choices is not None:
                    for value in choices:
                        _check_type(sort, value)
                    return [("=", (value,)) for value in _distinct(choices)]
        for term in conjunction(self.where):
            found = self.range_of(term, sort.name)
            if found is not None:
                for value in found[1]:
                    _check_type(sort, value)
                return [found]
        return [None]

    def range_of(self, term: Condition, attribute: str) -> Range | None:
        """The condition on a sort attribute that one term is, or None."""
        if isinstance(term, Comparison) and term.operator != "<>":
            if self.is_attribute(term.left, attribute) and isinstance(term.right, Value):
                return term.operator, (self.values[term.right.name],)
            if self.is_attribute(term.right, attribute) and isinstance(term.left, Value):
                return _MIRRORED[term.operator], (self.values[term.left.name],)
        elif isinstance(term, Between) and self.is_attribute(term.operand, attribute):
            bounds = self._constants((term.low, term.high))
            return None if bounds is None else ("BETWEEN", tuple(bounds))
        elif (
            isinstance(term, Function)
            and term.name == "begins_with"
            and self.is_attribute(term.arguments[0], attribute)
        ):
            prefix = self._constants(term.arguments[1:])
            return None if prefix is None else ("begins_with", tuple(prefix))
        return None

    def speaks_of(self, leaf: LeafNode, attribute: str) -> bool:
        """Whether the attribute itself is an operand of a comparison or call."""
        operands = leaf.arguments if isinstance(leaf, Function) else operands_of(leaf)
        return any(self.is_attribute(operand, attribute) for operand in operands)

    def is_attribute(self, operand: Operand, attribute: str) -> bool:
        """Whether an operand is this top-level attribute."""
        return (
            isinstance(operand, Path)
            and len(operand.elements) == 1
            and (self.names[str(operand.elements[0])] == attribute)
        )

    def _constants(self, operands: Iterable[Operand]) -> list[AttributeValue] | None:
        found: list[AttributeValue] = []
        for operand in operands:
            if not isinstance(operand, Value):
                return None
            found.append(self.values[operand.name])
        return found


def conjunction(node: Condition) -> Iterator[Condition]:
    """The terms that must all hold, those in grouped ANDs included."""
    pending = [node]
    while pending:
        term = pending.pop()
        if isinstance(term, And):
            pending.extend(term.terms[::-1])
        else:
            yield term


def _distinct(values: Iterable[AttributeValue]) -> list[AttributeValue]:
    found: list[AttributeValue] = []
    for value in values:
        if not any(equal(value, known) for known in found):
            found.append(value)
    return found


def _check_type(attribute: KeyAttribute, value: AttributeValue) -> None:
    if attribute.type not in value:
        raise ValidationException(
            f"Key attribute's data type should match its data type in table's schema: Key {attribute.name}"
        )
