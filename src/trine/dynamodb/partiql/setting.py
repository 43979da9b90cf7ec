"""UPDATE's SET and REMOVE clauses: read into the syntax tree of an update expression.

`SET a = b + 1`, `list_append`, `if_not_exists` are SET; `SET a = set_add(a, <<…>>)` is ADD and `set_delete` DELETE.
"""

from __future__ import annotations

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import (
    Action,
    AddAction,
    Arithmetic,
    DeleteAction,
    Operand,
    Path,
    RemoveAction,
    SetAction,
    SetOperand,
    UpdateTree,
    Value,
)
from trine.dynamodb.limits import STATEMENT_MAX_NESTING
from trine.dynamodb.partiql.literal import is_literal, literal
from trine.dynamodb.partiql.reader import Reader
from trine.dynamodb.partiql.statement import Parameter
from trine.dynamodb.partiql.token import PARAMETER, Token, not_well_formed

_SET_FUNCTIONS = frozenset(("set_add", "set_delete"))
_FUNCTIONS = frozenset(("list_append", "if_not_exists"))


def update_clauses(reader: Reader) -> UpdateTree:
    """One or more SET and REMOVE clauses. ValidationException."""
    actions: list[Action] = []
    while True:
        clause = reader.accept_keyword("SET", "REMOVE")
        if clause is None:
            if actions:
                return UpdateTree(tuple(actions), None, False)
            raise reader.unexpected()
        while True:
            actions.append(_set(reader) if clause == "SET" else RemoveAction(reader.path()))
            if not reader.accept(","):
                break


def _set(reader: Reader) -> Action:
    path = reader.path()
    reader.expect("=")
    if reader.next_is_call() and reader.token.text.lower() in _SET_FUNCTIONS:
        return _set_function(reader, path)
    return SetAction(path, _value(reader))


def _set_function(reader: Reader, target: Path) -> Action:
    token = reader.advance()
    name = token.text.upper()
    reader.expect("(")
    first: Token = reader.token
    arguments: list[Operand] = []
    while not reader.accept(")"):
        if arguments:
            reader.expect(",")
        arguments.append(_operand(reader, 1))
    if len(arguments) != 2:
        raise ValidationException(f"{name} must have exactly two arguments {token.place}")
    if arguments[0] != target:
        raise ValidationException(f"The first argument to {name} must equal the assignment value {token.place}")
    second = arguments[1]
    if not isinstance(second, Value) or not _may_be_set(reader, second):
        raise ValidationException(f"The second argument to {name} must be a value with type SET {first.place}")
    return AddAction(target, second) if name == "SET_ADD" else DeleteAction(target, second)


def _may_be_set(reader: Reader, value: Value) -> bool:
    content = reader.values[value.name]
    return isinstance(content, Parameter) or bool(content.keys() & {"SS", "NS", "BS"})


def _value(reader: Reader) -> SetOperand:
    left = _operand(reader, 0)
    if reader.token.kind not in ("+", "-"):
        return left
    operator = reader.advance().kind
    return Arithmetic(operator, left, _operand(reader, 0))


def _operand(reader: Reader, depth: int) -> Operand:
    if depth > STATEMENT_MAX_NESTING:
        raise not_well_formed("Expression is nested too deeply")
    if reader.accept("("):
        node = _operand(reader, depth + 1)
        reader.expect(")")
        return node
    if reader.token.kind == PARAMETER:
        return reader.value(reader.parameter())
    if is_literal(reader):
        return reader.value(literal(reader))
    if not reader.next_is_call():
        return reader.path()
    return reader.call(_FUNCTIONS, lambda name: _operand(reader, depth + 1))
