"""The syntax tree of expressions: frozen values, names and values still as written (`#n`, `:v`).

A path's elements are attribute names, `#` placeholders and list indexes. The parser makes these, the compilers of
conditions, updates, projections and key conditions read them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: `a.#b[3]` is ("a", "#b", 3)."""

    elements: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A placeholder `:v`."""

    name: str


@dataclass(frozen=True, slots=True)
class Function:
    """A call; whether the name exists is checked later, as AWS does."""

    name: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right` or `left - right` in SET."""

    operator: str
    left: Operand
    right: Operand


Operand = Path | Value | Function
SetOperand = Operand | Arithmetic


@dataclass(frozen=True, slots=True)
class Comparison:
    """One of `= <> < <= > >=`."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    """`operand BETWEEN low AND high`."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class In:
    """`operand IN (choices)`."""

    operand: Operand
    choices: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT term`."""

    term: Condition


@dataclass(frozen=True, slots=True)
class And:
    """Two or more terms, all of which must hold."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more terms, one of which must hold."""

    terms: tuple[Condition, ...]


Condition = Comparison | Between | In | Not | And | Or | Function


@dataclass(frozen=True, slots=True)
class SetAction:
    """`SET path = value`."""

    path: Path
    value: SetOperand


@dataclass(frozen=True, slots=True)
class RemoveAction:
    """`REMOVE path`."""

    path: Path


@dataclass(frozen=True, slots=True)
class AddAction:
    """`ADD path :value`."""

    path: Path
    value: Value


@dataclass(frozen=True, slots=True)
class DeleteAction:
    """`DELETE path :value`."""

    path: Path
    value: Value


Action = SetAction | RemoveAction | AddAction | DeleteAction


@dataclass(frozen=True, slots=True)
class ConditionTree:
    """A whole condition. `redundant_parentheses` is a fault that AWS reports after syntax."""

    root: Condition
    redundant_parentheses: bool


@dataclass(frozen=True, slots=True)
class UpdateTree:
    """A whole update. `repeated_section` is the section named twice, if any: reported after syntax, as parentheses."""

    actions: tuple[Action, ...]
    repeated_section: str | None
    redundant_parentheses: bool
