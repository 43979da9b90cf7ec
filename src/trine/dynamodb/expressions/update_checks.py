"""What AWS checks of an update before it looks at an item, in AWS's order.

Reserved words, unknown functions, a section named twice; then, with names and values: placeholders that are not
defined (names first), paths that overlap or conflict, operands of ADD and DELETE, operands of functions.
"""

from __future__ import annotations

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import (
    AddAction,
    Arithmetic,
    DeleteAction,
    Function,
    Path,
    SetAction,
    SetOperand,
    UpdateTree,
    Value,
)
from trine.dynamodb.expressions.checks import (
    Binding,
    Check,
    Leaf,
    binding,
    check_function_names,
    check_reserved,
    distinct_check,
    functions_of,
    misplaced,
    operand_count_fault,
    path_needed_fault,
    paths_of,
    references_of,
    type_check,
)
from trine.dynamodb.expressions.names import Names, Values
from trine.dynamodb.expressions.path import overlap_check
from trine.dynamodb.model.attribute import SET_TYPES, type_of

_OPERANDS = {"if_not_exists": 2, "list_append": 2}
_CONDITION_FUNCTIONS = frozenset(
    ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
)
_KNOWN = frozenset(_OPERANDS) | _CONDITION_FUNCTIONS
_NUMBER = frozenset(("N",))
_LIST = frozenset(("L",))
_LONG_NAMES = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "NULL": "NULL",
    "BOOL": "BOOL",
    "L": "LIST",
    "M": "MAP",
}


def _operands(tree: UpdateTree) -> list[SetOperand]:
    found: list[SetOperand] = []
    for action in tree.actions:
        found.append(action.path)
        if not hasattr(action, "value"):
            continue
        found.append(action.value)
    return found


def check_update(tree: UpdateTree, parameter: str) -> None:
    """Faults of form. ValidationException."""
    if tree.redundant_parentheses:
        raise ValidationException(f"Invalid {parameter}: The expression has redundant parentheses;")
    operands = _operands(tree)
    check_reserved(paths_of(operands), parameter)
    functions = functions_of(operands)
    check_function_names(functions, _KNOWN, parameter)
    for function in functions:
        if function.name in _CONDITION_FUNCTIONS:
            raise misplaced(function, parameter)
        if function.name == "list_append":
            for argument in function.arguments:
                if isinstance(argument, Function) and argument.name == "list_append":
                    raise misplaced(argument, parameter)
    if tree.repeated_section is not None:
        raise ValidationException(
            f'Invalid {parameter}: The "{tree.repeated_section}" section can only be used once in an update expression;'
        )


def update_bindings(tree: UpdateTree, parameter: str) -> tuple[Binding, Binding]:
    """The placeholders of an update and the checks that need them; the second binding leaves out overlapping paths.

    Whether paths overlap depends on names alone, which are the same from request to request.
    """
    references = references_of(_operands(tree))
    ordered = sorted(references, key=lambda reference: reference[0] == ":")
    checks: list[Check | None] = []
    for action in tree.actions:
        if isinstance(action, AddAction):
            checks.append(_set_operand_check("ADD", action.value))
        elif isinstance(action, DeleteAction):
            checks.append(_set_operand_check("DELETE", action.value))
    for action in tree.actions:
        if isinstance(action, SetAction):
            checks += _value_checks(action.value)
    placeholders = Leaf(tuple(ordered), ())
    rest = Leaf((), tuple(check for check in checks if check is not None))
    overlap = overlap_check([action.path for action in tree.actions])
    paths = Leaf((), () if overlap is None else (overlap,))
    return binding(parameter, (placeholders, paths, rest)), binding(parameter, (placeholders, rest))


def _set_operand_check(section: str, value: Value) -> Check:
    placeholder = value.name

    def check(names: Names, values: Values) -> None:
        kind = type_of(values[placeholder])
        if kind not in SET_TYPES and not (section == "ADD" and kind == "N"):
            raise ValidationException(
                "Incorrect operand type for operator or function; "
                # The set of types has this name for DELETE too, in what AWS answers.
                f"operator: {section}, operand type: {_LONG_NAMES[kind]}, typeSet: ALLOWED_FOR_ADD_OPERAND"
            )

    return check


def _value_checks(value: SetOperand) -> list[Check | None]:
    checks: list[Check | None] = []
    for function in functions_of([value]):
        checks += _function_checks(function)
    if isinstance(value, Arithmetic):
        checks += [
            type_check(value.operator, operand, _NUMBER, _result(operand)) for operand in (value.left, value.right)
        ]
    return checks


def _function_checks(function: Function) -> list[Check | None]:
    name, arguments = function.name, function.arguments
    if len(arguments) != _OPERANDS[name]:
        return [operand_count_fault(name, len(arguments))]
    if name == "if_not_exists":
        if not isinstance(arguments[0], Path):
            return [path_needed_fault(name)]
        fallback = arguments[1]
        return [distinct_check(name, arguments[0], fallback)] if isinstance(fallback, Path) else []
    return [type_check(name, argument, _LIST, _result(argument)) for argument in arguments]


def _result(operand: SetOperand) -> str | None:
    return "L" if isinstance(operand, Function) and operand.name == "list_append" else None
