"""What AWS checks of a condition before it looks at an item: functions, their operands, bounds of BETWEEN.

A condition's tree enters; faults of form raise, the rest leaves as one `Leaf` of checks per comparison or call.
"""

from __future__ import annotations

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import (
    And,
    Between,
    Comparison,
    Condition,
    ConditionTree,
    Function,
    In,
    Not,
    Operand,
    Or,
    Path,
    Value,
)
from trine.dynamodb.expressions.checks import (
    Check,
    Leaf,
    check_function_names,
    check_reserved,
    distinct_check,
    fault,
    functions_of,
    misplaced,
    operand_count_fault,
    operand_type_fault,
    path_needed_fault,
    paths_of,
    references_of,
    type_check,
)
from trine.dynamodb.expressions.names import Names, Values
from trine.dynamodb.limits import EXPRESSION_MAX_IN_OPERANDS
from trine.dynamodb.model.attribute import TYPES, compare, type_of

_OPERANDS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
_UPDATE_FUNCTIONS = frozenset(("if_not_exists", "list_append"))
_KNOWN = frozenset(_OPERANDS) | _UPDATE_FUNCTIONS
_ORDERED = frozenset(("S", "N", "B"))
_SIZED = TYPES - {"N", "BOOL", "NULL"}
_LEADING = frozenset(("S", "B"))
# AWS prints the types in the order of its own hash sets.
_ALL_TYPES_TEXT = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
_VALID_TYPES_TEXT = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"

LeafNode = Comparison | Between | In | Function


def leaves_of(root: Condition) -> list[LeafNode]:
    """The comparisons and calls of a condition, in the order they are written."""
    found: list[LeafNode] = []
    pending: list[Condition] = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, And | Or):
            pending.extend(node.terms[::-1])
        elif isinstance(node, Not):
            pending.append(node.term)
        else:
            found.append(node)
    return found


def operands_of(leaf: LeafNode) -> tuple[Operand, ...]:
    """A leaf's operands; a call is its own operand."""
    if isinstance(leaf, Function):
        return (leaf,)
    if isinstance(leaf, Comparison):
        return leaf.left, leaf.right
    if isinstance(leaf, Between):
        return leaf.operand, leaf.low, leaf.high
    return leaf.operand, *leaf.choices


def check_tree(tree: ConditionTree, parameter: str) -> None:
    """Faults of form, in AWS's order. ValidationException."""
    if tree.redundant_parentheses:
        raise ValidationException(f"Invalid {parameter}: The expression has redundant parentheses;")
    leaves = leaves_of(tree.root)
    functions = [function for leaf in leaves for function in functions_of(operands_of(leaf))]
    check_function_names(functions, _KNOWN, parameter)
    for leaf in leaves:
        _check_places(leaf, parameter)
    check_reserved((path for leaf in leaves for path in paths_of(operands_of(leaf))), parameter)


def _check_places(leaf: LeafNode, parameter: str) -> None:
    outer = operands_of(leaf)
    inner: list[Operand] = list(leaf.arguments) if isinstance(leaf, Function) else list(outer)
    for function in functions_of(inner):
        if function.name != "size":
            raise misplaced(function, parameter)
    if isinstance(leaf, Function) and (leaf.name == "size" or leaf.name in _UPDATE_FUNCTIONS):
        raise misplaced(leaf, parameter)


def leaf_of(leaf: LeafNode) -> Leaf:
    """A comparison's or call's placeholders and checks."""
    operands = operands_of(leaf)
    checks: list[Check | None] = []
    for function in functions_of(operands):
        checks += _function_checks(function)
    if isinstance(leaf, Comparison):
        checks.append(distinct_check(leaf.operator, leaf.left, leaf.right))
        if leaf.operator not in ("=", "<>"):
            checks += [type_check(leaf.operator, operand, _ORDERED, None) for operand in operands]
    elif isinstance(leaf, Between):
        checks += [type_check("BETWEEN", operand, _ORDERED, None) for operand in operands]
        if isinstance(leaf.low, Value) and isinstance(leaf.high, Value):
            checks.append(_bounds_check(leaf.low, leaf.high))
    elif isinstance(leaf, In):
        if len(leaf.choices) > EXPRESSION_MAX_IN_OPERANDS:
            checks.append(
                fault(f"The IN operator is provided with too many operands; number of operands: {len(leaf.choices)}")
            )
        checks += [distinct_check("IN", leaf.operand, choice) for choice in leaf.choices]
    return Leaf(references_of(operands), tuple(check for check in checks if check is not None))


def _function_checks(function: Function) -> list[Check | None]:
    name, arguments = function.name, function.arguments
    if len(arguments) != _OPERANDS[name]:
        return [operand_count_fault(name, len(arguments))]
    checks: list[Check | None] = []
    if len(arguments) == 2:
        checks.append(distinct_check(name, arguments[0], arguments[1]))
    if name in ("attribute_exists", "attribute_not_exists"):
        if not isinstance(arguments[0], Path):
            checks.append(path_needed_fault(name))
    elif name == "size":
        checks.append(type_check(name, arguments[0], _SIZED, _result(arguments[0])))
    elif name == "begins_with":
        checks += [type_check(name, argument, _LEADING, _result(argument)) for argument in arguments]
    elif name == "attribute_type":
        checks.append(_type_name_check(arguments[1]))
    return checks


def _result(operand: Operand) -> str | None:
    return "N" if isinstance(operand, Function) else None


def _type_name_check(operand: Operand) -> Check:
    if not isinstance(operand, Value):
        return fault(operand_type_fault("attribute_type", _result(operand) or _ALL_TYPES_TEXT).message)
    placeholder = operand.name

    def check(names: Names, values: Values) -> None:
        value = values[placeholder]
        if "S" not in value:
            raise operand_type_fault("attribute_type", type_of(value))
        if value["S"] not in TYPES:
            raise ValidationException(
                f"Invalid attribute type name found; type: {value['S']}, valid types: {_VALID_TYPES_TEXT}"
            )

    return check


def _bounds_check(low: Value, high: Value) -> Check:
    def check(names: Names, values: Values) -> None:
        bottom, top = values[low.name], values[high.name]
        order = compare(bottom, top)
        if order in (-1, 0):
            return
        kinds = type_of(bottom), type_of(top)
        rule = (
            "requires same data type for lower and upper bounds"
            if kinds[0] != kinds[1]
            else "requires upper bound to be greater than or equal to lower bound"
        )
        raise ValidationException(
            f"The BETWEEN operator {rule}; lower bound operand: AttributeValue: {{{kinds[0]}:{bottom[kinds[0]]}}}, "
            f"upper bound operand: AttributeValue: {{{kinds[1]}:{top[kinds[1]]}}}"
        )

    return check
