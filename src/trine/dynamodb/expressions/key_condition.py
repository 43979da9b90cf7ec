"""KeyConditionExpression: which partition, and which part of it in sort order.

Text and context enter `key_terms`, which knows no table: AWS refuses most faults before it looks the table up. Terms
and the key schema of a table or index then give a `KeyCondition`: partition values, sort operator and operands, types
checked. Keys of several attributes: all partition attributes by equality, sort attributes from the left, only the last
of them by anything but equality (developer guide, "Multi-attribute keys").
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import (
    And,
    Between,
    Comparison,
    Condition,
    Function,
    In,
    Not,
    Operand,
    Or,
    Path,
    Value,
)
from trine.dynamodb.expressions.condition import compiled_condition
from trine.dynamodb.expressions.names import ExpressionContext, Names
from trine.dynamodb.expressions.text_cache import cached_by_text
from trine.dynamodb.model.attribute import AttributeValue, Item
from trine.dynamodb.model.key import KeyAttribute, KeySchema

PARAMETER = "KeyConditionExpression"
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class _Term(Struct, frozen=True):
    """One condition on one attribute; `attribute` may be a `#` placeholder, operands are `:` placeholders."""

    attribute: str
    operator: str
    operands: tuple[str, ...]


class KeyTerm(NamedTuple):
    """One condition with its values: `=`, `<`, `<=`, `>`, `>=`, `BETWEEN` or `begins_with`."""

    operator: str
    operands: tuple[AttributeValue, ...]


class KeyCondition(NamedTuple):
    """What to read.

    `partition`: a value for each partition attribute, in schema order. `sort_prefix`: values of the leading sort
    attributes that stand before the one `operator` is about (empty but for keys of several attributes).
    `operator` and `operands`: the condition on the next sort attribute, None when there is none.
    """

    schema: KeySchema
    partition: tuple[AttributeValue, ...]
    sort_prefix: tuple[AttributeValue, ...] = ()
    operator: str | None = None
    operands: tuple[AttributeValue, ...] = ()

    @property
    def partition_key(self) -> Item:
        """Partition attribute name → value."""
        return {attribute.name: value for attribute, value in zip(self.schema.partition, self.partition, strict=True)}

    @property
    def is_single_item(self) -> bool:
        """Whether every attribute of the key is given by equality."""
        sort = self.schema.sort
        return not sort or (self.operator == "=" and len(self.sort_prefix) + 1 == len(sort))


class KeyTerms:
    """A key condition bound to names and values, before a table is known.

    Its syntax and operands are right. `check` (before the table is looked up, after the other expressions) finds what
    is no key condition at all, `against` (after it) what does not fit the key.
    """

    __slots__ = ("_context", "_terms", "_text")

    def __init__(self, text: str, context: ExpressionContext) -> None:
        self._text = text
        self._context = context
        self._terms: dict[str, KeyTerm] | None = None

    def check(self) -> dict[str, KeyTerm]:
        """The conditions by attribute name. ValidationException with AWS's sentence."""
        if self._terms is None:
            self._terms = _key_terms(self._text, self._context)
        return self._terms

    def against(self, schema: KeySchema) -> KeyCondition:
        """The condition on a table's or index's key. ValidationException with AWS's sentence."""
        return check_terms(schema, self.check())


def check_terms(schema: KeySchema, terms: dict[str, KeyTerm]) -> KeyCondition:
    """Conditions by attribute name as a condition on a key. ValidationException with AWS's sentence."""
    if len(schema.partition) == 1 and len(schema.sort) <= 1:
        return _simple(schema, terms)
    return _several(schema, terms)


def _simple(schema: KeySchema, terms: dict[str, KeyTerm]) -> KeyCondition:
    if len(terms) > 2:
        raise _too_many(schema, terms)
    if not schema.sort and len(terms) > 1:
        raise ValidationException("Query key condition not supported")
    partition = schema.partition[0]
    term = terms.get(partition.name)
    if term is None:
        raise _missed(partition)
    _check_types(partition, term)
    if term.operator != "=":
        raise ValidationException("Query key condition not supported")
    if len(terms) == 1:
        return KeyCondition(schema, term.operands)
    sort = terms.get(schema.sort[0].name)
    if sort is None:
        raise _missed(schema.sort[0])
    _check_types(schema.sort[0], sort)
    return KeyCondition(schema, term.operands, (), sort.operator, sort.operands)


def _several(schema: KeySchema, terms: dict[str, KeyTerm]) -> KeyCondition:
    if len(terms) > len(schema.attributes):
        raise _too_many(schema, terms)
    missing = [a.name for a in schema.partition if a.name not in terms or terms[a.name].operator != "="]
    if missing:
        raise ValidationException(
            f"HASH key attributes {', '.join(missing)} must have equality conditions specified in the query"
        )
    for attribute in schema.attributes:
        if attribute.name in terms:
            _check_types(attribute, terms[attribute.name])
    given = [position for position, attribute in enumerate(schema.sort) if attribute.name in terms]
    if len(schema.partition) + len(given) != len(terms):
        raise _missed(next((a for a in schema.sort if a.name not in terms), schema.attributes[-1]))
    partition = tuple(terms[attribute.name].operands[0] for attribute in schema.partition)
    if not given:
        return KeyCondition(schema, partition)
    last = schema.sort[given[-1]]
    before = schema.sort[: given[-1]]
    gaps = [a.name for a in before if a.name not in terms or terms[a.name].operator != "="]
    if gaps:
        raise ValidationException(
            f"RANGE key attributes {', '.join(gaps)} must have equality conditions specified in the query because "
            f"a condition is present on key attribute {last.name}"
        )
    prefix = tuple(terms[attribute.name].operands[0] for attribute in before)
    return KeyCondition(schema, partition, prefix, terms[last.name].operator, terms[last.name].operands)


def _too_many(schema: KeySchema, terms: dict[str, KeyTerm]) -> ValidationException:
    return ValidationException(
        f"The number of query conditions ({len(terms)}) exceeds the number of key attributes defined in the schema "
        f"({len(schema.attributes)})"
    )


def _missed(attribute: KeyAttribute) -> ValidationException:
    return ValidationException(f"Query condition missed key schema element: {attribute.name}")


def _check_types(attribute: KeyAttribute, term: KeyTerm) -> None:
    for operand in term.operands:
        if attribute.type not in operand:
            raise ValidationException(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
        if not operand[attribute.type] and term.operator != "begins_with":
            what = "string" if attribute.type == "S" else "binary"
            raise ValidationException(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                f"an empty {what} value. Key: {attribute.name}"
            )


def key_terms(text: str, context: ExpressionContext) -> KeyTerms:
    """`text` bound to the request's names and values. ValidationException for syntax, names, values, operands."""
    compiled_condition(text, PARAMETER).binding.bind(context)
    return KeyTerms(text, context)


def key_condition(text: str, context: ExpressionContext, schema: KeySchema) -> KeyCondition:
    """`key_terms`, `check` and `against` in one."""
    return key_terms(text, context).against(schema)


def _key_terms(text: str, context: ExpressionContext) -> dict[str, KeyTerm]:
    fault, raw = _terms(text, PARAMETER)
    names, values = context.names, context.values
    found: dict[str, KeyTerm] = {}
    for term in raw:
        name = _resolved(term.attribute, names)
        if name in found:
            raise ValidationException(
                "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"
            )
        found[name] = KeyTerm(term.operator, tuple([values[operand] for operand in term.operands]))
    if fault is not None:
        raise ValidationException(fault)
    return found


def _resolved(name: str, names: Names) -> str:
    return names[name] if name[0] == "#" else name


@cached_by_text
def _terms(text: str, parameter: str) -> tuple[str | None, tuple[_Term, ...]]:
    """The terms in the order written, up to the first fault, and that fault's sentence."""
    terms: list[_Term] = []
    pending: list[Condition] = [compiled_condition(text, parameter).tree]
    try:
        while pending:
            node = pending.pop()
            if isinstance(node, And):
                pending.extend(node.terms[::-1])
            else:
                terms.append(_term(node))
    except ValidationException as error:
        return error.message, tuple(terms)
    return None, tuple(terms)


def _term(node: Condition) -> _Term:
    operator, operands = _operator_and_operands(node)
    attribute: str | None = None
    position = 0
    values: list[str] = []
    for index, operand in enumerate(operands):
        if isinstance(operand, Path):
            if attribute is not None:
                raise ValidationException(
                    "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: "
                    "Multiple attribute names used in one condition"
                )
            if len(operand.elements) > 1:
                raise ValidationException("KeyConditionExpressions cannot have conditions on nested attributes")
            attribute, position = str(operand.elements[0]), index
        elif isinstance(operand, Value):
            values.append(operand.name)
        else:
            raise ValidationException("KeyConditionExpressions cannot contain nested operations")
    if attribute is None:
        raise ValidationException("Invalid condition in KeyConditionExpression: No key attribute specified")
    return _Term(attribute, operator if position == 0 else _MIRRORED[operator], tuple(values))


def _operator_and_operands(node: Condition) -> tuple[str, tuple[Operand, ...]]:
    if isinstance(node, Comparison) and node.operator != "<>":
        return node.operator, (node.left, node.right)
    operands: tuple[Operand, ...]
    if isinstance(node, Between):
        operator, operands = "BETWEEN", (node.operand, node.low, node.high)
    elif isinstance(node, Function) and node.name == "begins_with":
        operator, operands = node.name, node.arguments
    else:
        raise ValidationException(f"Invalid operator used in KeyConditionExpression: {_operator_name(node)}")
    if not isinstance(operands[0], Path):
        raise ValidationException(
            f"Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute "
            "as its first operand"
        )
    return operator, operands


def _operator_name(node: Condition) -> str:
    if isinstance(node, Or):
        return "OR"
    if isinstance(node, Not):
        return "NOT"
    if isinstance(node, In):
        return "IN"
    if isinstance(node, Function):
        return node.name
    assert isinstance(node, Comparison)
    return node.operator
