"""The syntax tree of expressions: frozen values, names and values still as written (`#n`, `:v`).

A path's elements are attribute names, `#` placeholders and list indexes. The parser makes these, the compilers of
conditions, updates, projections and key conditions read them.
"""

from __future__ import annotations

from msgspec import Struct


class Path(Struct, frozen=True):
    """A document path: `a.#b[3]` is ("a", "#b", 3)."""

    elements: tuple[str | int, ...]


class Value(Struct, frozen=True):
    """A placeholder `:v`."""

    name: str


class Function(Struct, frozen=True):
    """A call; whether the name exists is checked later, as AWS does."""

    name: str
    arguments: tuple[Operand, ...]


class Arithmetic(Struct, frozen=True):
    """`left + right` or `left - right` in SET."""

    operator: str
    left: Operand
    right: Operand


Operand = Path | Value | Function
SetOperand = Operand | Arithmetic


class Comparison(Struct, frozen=True):
    """One of `= <> < <= > >=`."""

    operator: str
    left: Operand
    right: Operand


class Between(Struct, frozen=True):
    """`operand BETWEEN low AND high`."""

    operand: Operand
    low: Operand
    high: Operand


class In(Struct, frozen=True):
    """`operand IN (choices)`."""

    operand: Operand
    choices: tuple[Operand, ...]


class Not(Struct, frozen=True):
    """`NOT term`."""

    term: Condition


class And(Struct, frozen=True):
    """Two or more terms, all of which must hold."""

    terms: tuple[Condition, ...]


class Or(Struct, frozen=True):
    """Two or more terms, one of which must hold."""

    terms: tuple[Condition, ...]


Condition = Comparison | Between | In | Not | And | Or | Function


class SetAction(Struct, frozen=True):
    """`SET path = value`."""

    path: Path
    value: SetOperand


class RemoveAction(Struct, frozen=True):
    """`REMOVE path`."""

    path: Path


class AddAction(Struct, frozen=True):
    """`ADD path :value`."""

    path: Path
    value: Value


class DeleteAction(Struct, frozen=True):
    """`DELETE path :value`."""

    path: Path
    value: Value


Action = SetAction | RemoveAction | AddAction | DeleteAction


class ConditionTree(Struct, frozen=True):
    """A whole condition. `redundant_parentheses` is a fault that AWS reports after syntax."""

    root: Condition
    redundant_parentheses: bool


class UpdateTree(Struct, frozen=True):
    """A whole update. `repeated_section` is the section named twice, if any: reported after syntax, as parentheses."""

    actions: tuple[Action, ...]
    repeated_section: str | None
    redundant_parentheses: bool
