"""What is wrong with an expression in meaning: reserved words, functions unknown or misplaced, operands of wrong types.

A syntax tree enters. Faults that need no names or values raise at once; the others leave as a `Binding`: the
placeholders used and the checks to run when a request's names and values are known. The order of faults is AWS's:
parentheses, functions unknown, functions misplaced, reserved words, then condition by condition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import Arithmetic, Function, Operand, Path, SetOperand, Value
from trine.dynamodb.expressions.names import ExpressionContext, Names, Values, undefined_name, undefined_value
from trine.dynamodb.expressions.path import path_text, resolve
from trine.dynamodb.expressions.reserved import RESERVED_WORDS
from trine.dynamodb.model.attribute import type_of

Check = Callable[[Names, Values], None]
"""Raises ValidationException, without the `Invalid …Expression: ` in front."""


class Leaf(Struct, frozen=True):
    """One condition or action: its placeholders as written, and what to check of them."""

    references: tuple[str, ...]
    checks: tuple[Check, ...]


class Binding(Struct, frozen=True):
    """All placeholders of an expression and all its checks."""

    parameter: str
    leaves: tuple[Leaf, ...]
    names: frozenset[str]
    values: frozenset[str]
    checks: tuple[Check, ...]

    def bind(self, context: ExpressionContext) -> None:
        """Check the request's names and values, and mark them used. ValidationException with AWS's sentence."""
        if self.names <= context.names.keys() and self.values <= context.values.keys():
            if self.checks:
                try:
                    for check in self.checks:
                        check(context.names, context.values)
                except ValidationException as error:
                    raise ValidationException(f"Invalid {self.parameter}: {error.message}") from None
            context.use(self.names, self.values)
            return
        self._explain(context)

    def _explain(self, context: ExpressionContext) -> None:
        try:
            for leaf in self.leaves:
                for reference in leaf.references:
                    if reference[0] == "#" and reference not in context.names:
                        raise undefined_name(reference)
                    if reference[0] == ":" and reference not in context.values:
                        raise undefined_value(reference)
                for check in leaf.checks:
                    check(context.names, context.values)
        except ValidationException as error:
            raise ValidationException(f"Invalid {self.parameter}: {error.message}") from None
        raise AssertionError("a placeholder was missing and no leaf names it")


def binding(parameter: str, leaves: Iterable[Leaf]) -> Binding:
    """All leaves of an expression as one binding."""
    leaves = tuple(leaves)
    references = [reference for leaf in leaves for reference in leaf.references]
    return Binding(
        parameter,
        leaves,
        frozenset(reference for reference in references if reference[0] == "#"),
        frozenset(reference for reference in references if reference[0] == ":"),
        tuple(check for leaf in leaves for check in leaf.checks),
    )


def references_of(operands: Iterable[SetOperand]) -> tuple[str, ...]:
    """The placeholders of operands, in the order they are written."""
    found: list[str] = []
    pending = list(operands)[::-1]
    while pending:
        operand = pending.pop()
        if isinstance(operand, Value):
            found.append(operand.name)
        elif isinstance(operand, Path):
            found.extend(e for e in operand.elements if isinstance(e, str) and e[0] == "#")
        elif isinstance(operand, Function):
            pending.extend(operand.arguments[::-1])
        else:
            pending.extend((operand.right, operand.left))
    return tuple(found)


def paths_of(operands: Iterable[SetOperand]) -> list[Path]:
    """The paths in operands, in the order they are written."""
    found: list[Path] = []
    pending = list(operands)[::-1]
    while pending:
        operand = pending.pop()
        if isinstance(operand, Path):
            found.append(operand)
        elif isinstance(operand, Function):
            pending.extend(operand.arguments[::-1])
        elif isinstance(operand, Arithmetic):
            pending.extend((operand.right, operand.left))
    return found


def functions_of(operands: Iterable[SetOperand]) -> list[Function]:
    """The calls in operands, inner ones first, as they are closed."""
    found: list[Function] = []
    pending = list(operands)
    while pending:
        operand = pending.pop()
        if isinstance(operand, Function):
            found.append(operand)
            pending.extend(operand.arguments)
        elif isinstance(operand, Arithmetic):
            pending.extend((operand.left, operand.right))
    return found[::-1]


def check_reserved(paths: Iterable[Path], parameter: str) -> None:
    """ValidationException for the first attribute name that is a reserved word."""
    for path in paths:
        for element in path.elements:
            if isinstance(element, str) and element.upper() in RESERVED_WORDS:
                raise ValidationException(
                    f"Invalid {parameter}: Attribute name is a reserved keyword; reserved keyword: {element}"
                )


def check_function_names(functions: Iterable[Function], known: Iterable[str], parameter: str) -> None:
    """ValidationException for the first call of a function that no expression has."""
    for function in functions:
        if function.name not in known:
            raise ValidationException(f"Invalid {parameter}: Invalid function name; function: {function.name}")


def misplaced(function: Function, parameter: str) -> ValidationException:
    """The error for a function where none, or not this one, may stand."""
    return ValidationException(
        f"Invalid {parameter}: The function is not allowed to be used this way in an expression; "
        f"function: {function.name}"
    )


def fault(message: str) -> Check:
    """A check that always fails: what is wrong is known, but AWS says it only when its turn comes."""

    def check(names: Names, values: Values) -> None:
        raise ValidationException(message)

    return check


def operand_count_fault(name: str, count: int) -> Check:
    """The wrong number of operands."""
    return fault(
        f"Incorrect number of operands for operator or function; operator or function: {name}, "
        f"number of operands: {count}"
    )


def path_needed_fault(name: str) -> Check:
    """An operand that must be a path and is none."""
    return fault(f"Operator or function requires a document path; operator or function: {name}")


def operand_type_fault(name: str, kind: str) -> ValidationException:
    """An operand whose type the operator or function does not take."""
    return ValidationException(
        f"Incorrect operand type for operator or function; operator or function: {name}, operand type: {kind}"
    )


def type_check(operator: str, operand: SetOperand, allowed: frozenset[str], result_type: str | None) -> Check | None:
    """A check that the type of `operand`, as far as it is known before an item is, is among `allowed`.

    `result_type` is what the operand's function gives, when it is one.
    """
    if isinstance(operand, Value):
        name = operand.name

        def check(names: Names, values: Values) -> None:
            kind = type_of(values[name])
            if kind not in allowed:
                raise operand_type_fault(operator, kind)

        return check
    if result_type is not None and result_type not in allowed:
        return fault(operand_type_fault(operator, result_type).message)
    return None


def refuse_parts_of_keys(
    nested: frozenset[str], key_attributes: Iterable[str], index_key_attributes: Iterable[str]
) -> None:
    """ValidationException when one of the attributes in `nested`, of which parts are named, belongs to a key."""
    for what, names in (("Key", key_attributes), ("IndexKey", index_key_attributes)):
        for name in names:
            if name in nested:
                raise ValidationException(
                    "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
                    f"{what}: {name}"
                )


def distinct_check(operator: str, left: Operand, right: Operand) -> Check | None:
    """A check that two path operands are not the same path."""
    if not isinstance(left, Path) or not isinstance(right, Path) or len(left.elements) != len(right.elements):
        return None

    def check(names: Names, values: Values) -> None:
        one = resolve(left, names)
        if one == resolve(right, names):
            raise ValidationException(
                "The first operand must be distinct from the remaining operands for this operator or function; "
                f"operator: {operator}, first operand: {path_text(one)}"
            )

    return check
