"""The WHERE clause: read into the syntax tree of a condition expression.

PartiQL's own forms are put into those that expressions have: `IS MISSING` is `attribute_not_exists`, `IS NULL` and
`IS STRING` are `attribute_type`, `IN [1, 2]` is IN. A condition compared with a value (`contains(a, 'x') = false`) is
the value compared with TRUE where the condition holds and with FALSE where it does not.
"""

from __future__ import annotations

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
from trine.dynamodb.expressions.checks import operand_type_fault
from trine.dynamodb.limits import STATEMENT_MAX_NESTING
from trine.dynamodb.partiql.literal import is_literal, literal
from trine.dynamodb.partiql.reader import Reader
from trine.dynamodb.partiql.token import END, PARAMETER, not_well_formed

_COMPARATORS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CONDITIONS = frozenset(("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"))
_PATH_FIRST = frozenset(("attribute_exists", "attribute_not_exists"))
_IS_TYPES = {
    "NULL": "NULL",
    "BOOL": "BOOL",
    "BOOLEAN": "BOOL",
    "BLOB": "B",
    "STRING": "S",
    "NUMERIC": "N",
    "NUMBER": "N",
    "STRUCT": "M",
    "TUPLE": "M",
    "MAP": "M",
    "LIST": "L",
}
_OTHER_TYPES = frozenset(
    """
    ANY BAG BIGINT CHAR CHARACTER CLOB DATE DECIMAL DOUBLE FLOAT INT INT4 INT8 INTEGER INTEGER4 INTEGER8 REAL SEXP
    SMALLINT SYMBOL TIME TIMESTAMP VARCHAR
    """.split()  # noqa: SIM905
)
"""Types that PartiQL knows and DynamoDB does not store."""
Term = Condition | Operand


def where_clause(reader: Reader) -> Condition:
    """The condition after WHERE. ValidationException."""
    return _as_condition(_disjunction(reader, 0))


def _as_condition(term: Term) -> Condition:
    if isinstance(term, Path | Value) or (isinstance(term, Function) and term.name == "size"):
        raise ValidationException("WHERE clause must contain an expression that resolves to a boolean")
    return term


def _is_condition(term: Term) -> bool:
    return not isinstance(term, Path | Value) and not (isinstance(term, Function) and term.name == "size")


def _disjunction(reader: Reader, depth: int) -> Term:
    if depth > STATEMENT_MAX_NESTING:
        raise not_well_formed("Expression is nested too deeply")
    terms = [_conjunction(reader, depth)]
    while reader.accept_keyword("OR"):
        _right_hand_side(reader)
        terms.append(_conjunction(reader, depth))
    return terms[0] if len(terms) == 1 else Or(tuple(map(_as_condition, terms)))


def _conjunction(reader: Reader, depth: int) -> Term:
    terms = [_negation(reader, depth)]
    while reader.accept_keyword("AND"):
        _right_hand_side(reader)
        terms.append(_negation(reader, depth))
    return terms[0] if len(terms) == 1 else And(tuple(map(_as_condition, terms)))


def _right_hand_side(reader: Reader) -> None:
    if reader.token.kind in (END, ";"):
        raise not_well_formed("Missing right-hand side expression of infix operator")


def _negation(reader: Reader, depth: int) -> Term:
    negations = 0
    while reader.accept_keyword("NOT"):
        negations += 1
    term = _predicate(reader, depth)
    if not negations:
        return term
    condition = _as_condition(term)
    return Not(condition) if negations % 2 else condition


def _predicate(reader: Reader, depth: int) -> Term:
    left = _primary(reader, depth)
    while True:
        comparator = _COMPARATORS.get(reader.token.kind)
        if comparator is not None:
            reader.advance()
            left = _compared(reader, comparator, left, _primary(reader, depth))
        elif reader.accept_keyword("BETWEEN"):
            low = _operand(reader, depth)
            reader.expect_keyword("AND")
            left = Between(_as_operand(left), low, _operand(reader, depth))
        elif reader.accept_keyword("IN"):
            left = _in(reader, left, depth)
        elif reader.accept_keyword("IS"):
            left = _is(reader, left)
        elif reader.token.keyword == "NOT":
            # x NOT IN [...], x NOT BETWEEN ... AND ...
            reader.advance()
            if reader.token.keyword not in ("IN", "BETWEEN"):
                raise reader.unexpected()
            left = Not(_as_condition(_predicate_of(reader, left, depth)))
        else:
            return left


def _predicate_of(reader: Reader, left: Term, depth: int) -> Term:
    if reader.accept_keyword("IN"):
        return _in(reader, left, depth)
    reader.expect_keyword("BETWEEN")
    low = _operand(reader, depth)
    reader.expect_keyword("AND")
    return Between(_as_operand(left), low, _operand(reader, depth))


def _primary(reader: Reader, depth: int) -> Term:
    if reader.accept("("):
        term = _disjunction(reader, depth + 1)
        reader.expect(")")
        return term
    if reader.next_is_call():
        return _call(reader, depth)
    if reader.token.kind == PARAMETER:
        return reader.value(reader.parameter())
    if is_literal(reader):
        return reader.value(literal(reader))
    if reader.token.keyword == "MISSING":
        raise ValidationException("MISSING must be compared using IS operator")
    return reader.path()


def _operand(reader: Reader, depth: int) -> Operand:
    return _as_operand(_primary(reader, depth))


def _as_operand(term: Term) -> Operand:
    if isinstance(term, Path | Value) or (isinstance(term, Function) and term.name == "size"):
        return term
    raise operand_type_fault("BETWEEN", "BOOL")


def _call(reader: Reader, depth: int) -> Function:
    if depth > STATEMENT_MAX_NESTING:
        raise not_well_formed("Expression is nested too deeply")

    def argument(name: str) -> Operand:
        term = _primary(reader, depth + 1)
        if not isinstance(term, Path | Value) and not (isinstance(term, Function) and term.name == "size"):
            raise operand_type_fault(name, "BOOL")
        return term

    return reader.call(_CONDITIONS | {"size"}, argument)


def _compared(reader: Reader, comparator: str, left: Term, right: Term) -> Condition:
    if not _is_condition(left) and not _is_condition(right):
        return Comparison(comparator, _as_operand(left), _as_operand(right))
    if comparator not in ("=", "<>"):
        raise operand_type_fault(comparator, "BOOL")
    same = _agree(reader, left, right) if _is_condition(left) else _agree(reader, right, left)
    return same if comparator == "=" else Not(same)


def _agree(reader: Reader, condition: Term, other: Term) -> Condition:
    """Whether a condition's answer is the same as another's, or as a Boolean value."""
    test = _as_condition(condition)
    if _is_condition(other):
        second = _as_condition(other)
        return Or((And((test, second)), And((Not(test), Not(second)))))
    value = _as_operand(other)
    yes = Comparison("=", value, reader.value({"BOOL": True}))
    no = Comparison("=", value, reader.value({"BOOL": False}))
    return Or((And((test, yes)), And((Not(test), no))))


def _in(reader: Reader, left: Term, depth: int) -> Condition:
    closing = "]" if reader.accept("[") else ")" if reader.accept("(") else None
    if closing is None:
        raise ValidationException(
            "IN operator must have a left hand argument of type Variable Reference and right hand argument of type "
            "Seq with at least one member"
        )
    choices: list[Operand] = []
    while not reader.accept(closing):
        if choices:
            reader.expect(",")
        choices.append(_operand(reader, depth))
    if not choices:
        raise ValidationException(
            "IN operator must have a left hand argument of type Variable Reference and right hand argument of type "
            "Seq with at least one member"
        )
    if _is_condition(left):
        return Or(tuple(_agree(reader, left, choice) for choice in (*choices, choices[-1])))
    return In(_as_operand(left), tuple(choices))


def _is(reader: Reader, left: Term) -> Condition:
    negative = reader.accept_keyword("NOT") is not None
    if not isinstance(left, Path | Value):
        raise ValidationException("The left hand side argument to IS must be a Variable Reference, Literal, or Path")
    token = reader.token
    reader.advance()
    if token.keyword == "MISSING":
        return Function("attribute_exists" if negative else "attribute_not_exists", (left,))
    kind = _IS_TYPES.get(token.keyword)
    if kind is None and token.keyword not in _OTHER_TYPES:
        raise not_well_formed("Expected type name")
    if kind is None:
        raise ValidationException(
            f"Unsupported data type for IS operator: {token.text}. Supported data types are "
            "[MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]"
        )
    test = Function("attribute_type", (left, reader.value({"S": kind})))
    return Not(test) if negative else test
