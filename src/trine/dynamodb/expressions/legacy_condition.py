"""Conditions as they were before expressions: `Expected`, `QueryFilter`, `ScanFilter` and `ConditionalOperator`.

A request's map of attribute name → condition enters, a `LegacyCondition` leaves: call it with an item. Values are
validated and normalised in place; AWS's sentences for what is wrong. `legacy_key` reads `KeyConditions` with the same
rules for operators and their arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trine.dynamodb.errors import SerializationException, ValidationException
from trine.dynamodb.expressions.functions import begins_with, contains
from trine.dynamodb.expressions.path import Resolved
from trine.dynamodb.limits import EXPRESSION_MAX_IN_OPERANDS
from trine.dynamodb.model.attribute import AttributeValue, Item, compare, equal, type_of, validate_value

_INVALID = "One or more parameter values were invalid: "
# In the order AWS prints them.
OPERATORS = (
    "IN",
    "NULL",
    "BETWEEN",
    "LT",
    "NOT_CONTAINS",
    "EQ",
    "GT",
    "NOT_NULL",
    "NE",
    "LE",
    "BEGINS_WITH",
    "GE",
    "CONTAINS",
)
_ARGUMENT_COUNTS = {"NULL": (0, 0), "NOT_NULL": (0, 0), "IN": (1, EXPRESSION_MAX_IN_OPERANDS), "BETWEEN": (2, 2)}
_SCALARS = ("S", "N", "B")
_ARGUMENT_TYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("LE", "LT", "GE", "GT", "IN", "BETWEEN"), _SCALARS),
    **dict.fromkeys(("CONTAINS", "NOT_CONTAINS"), (*_SCALARS, "BOOL", "NULL")),
    "BEGINS_WITH": ("S", "B"),
}
Arguments = list[AttributeValue]
_Test = Callable[[AttributeValue | None, Arguments], bool]


class LegacyCondition:
    """Conditions on top-level attributes, all or any of which must hold. None at all hold always."""

    __slots__ = ("_any", "_terms")

    def __init__(self, terms: list[tuple[str, str, Arguments]], operator: str | None) -> None:
        self._terms = [(name, _TESTS[comparison], arguments) for name, comparison, arguments in terms]
        self._any = operator == "OR"

    def __call__(self, item: Item) -> bool:
        if not self._terms:
            return True
        answers = (test(item.get(name), arguments) for name, test, arguments in self._terms)
        return any(answers) if self._any else all(answers)

    @property
    def nested(self) -> frozenset[str]:
        """The attributes of which a part is read: never one."""
        return frozenset()

    @property
    def attributes(self) -> set[str]:
        """The attributes read."""
        return {name for name, _, _ in self._terms}

    @property
    def paths(self) -> list[Resolved]:
        """The paths read: always top-level attributes."""
        return [(name,) for name, _, _ in self._terms]


def check_conditional_operator(operator: str | None, *conditions: Mapping[str, Any] | None) -> None:
    """ValidationException for a `ConditionalOperator` with nothing, or only one thing, to combine."""
    if operator is None:
        return
    count = max((len(given) for given in conditions if given is not None), default=0)
    if count == 0:
        raise ValidationException("ConditionalOperator cannot be used without Filter or Expected")
    if count == 1:
        raise ValidationException(
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
        )


def expected(document: Mapping[str, Any], operator: str | None = None) -> LegacyCondition:
    """`Expected` of PutItem, UpdateItem and DeleteItem. ValidationException."""
    terms = [(name, *_expectation(name, condition)) for name, condition in document.items()]
    check_conditional_operator(operator, document)
    return LegacyCondition(terms, operator)


def legacy_filter(document: Mapping[str, Any], operator: str | None, parameter: str) -> LegacyCondition:
    """`QueryFilter` or `ScanFilter` (`parameter` says which). ValidationException."""
    terms = [(name, *read_condition(name, condition, parameter)) for name, condition in document.items()]
    check_conditional_operator(operator, document)
    return LegacyCondition(terms, operator)


def read_condition(name: str, condition: Any, parameter: str) -> tuple[str, Arguments]:
    """Operator and arguments of one `Condition`. ValidationException."""
    members = _members(condition, "Condition")
    operator = _operator(members, name, parameter)
    arguments = _arguments(members)
    check_arguments(operator, arguments)
    return operator, arguments


def _members(condition: Any, shape: str) -> Mapping[str, Any]:
    if isinstance(condition, list):
        raise SerializationException(f"Unrecognized collection type class com.amazonaws.dynamodb.v20120810.{shape}")
    if not isinstance(condition, dict):
        raise SerializationException("Unexpected value type in payload")
    return {name: content for name, content in condition.items() if content is not None}


def _operator(members: Mapping[str, Any], name: str, parameter: str) -> str:
    operator = members.get("ComparisonOperator")
    if operator in OPERATORS:
        return str(operator)
    if operator is not None and not isinstance(operator, str):
        raise SerializationException("Unexpected value type in payload")
    constraint = (
        "Member must not be null"
        if operator is None
        else f"Member must satisfy enum value set: [{', '.join(OPERATORS)}]"
    )
    shown = "null" if operator is None else f"'{operator}'"
    where = f"{parameter[0].lower()}{parameter[1:]}.{name}.member.comparisonOperator"
    raise ValidationException(
        f"1 validation error detected: Value {shown} at '{where}' failed to satisfy constraint: {constraint}"
    )


def _arguments(members: Mapping[str, Any]) -> Arguments:
    given = members.get("AttributeValueList", [])
    if not isinstance(given, list):
        raise SerializationException(
            "Start of structure or map found where not expected" if isinstance(given, dict) else "Unexpected field type"
        )
    for value in given:
        validate_value(value)
    return given


def check_arguments(operator: str, arguments: Arguments) -> None:
    """ValidationException unless an operator's arguments are as many and of such types as it takes."""
    least, most = _ARGUMENT_COUNTS.get(operator, (1, 1))
    if not least <= len(arguments) <= most:
        raise ValidationException(f"{_INVALID}Invalid number of argument(s) for the {operator} ComparisonOperator")
    kinds = [type_of(value) for value in arguments]
    if len(set(kinds)) > 1:
        raise ValidationException(f"{_INVALID}AttributeValues inside AttributeValueList must be of same type")
    allowed = _ARGUMENT_TYPES.get(operator)
    if allowed is not None and kinds and kinds[0] not in allowed:
        raise ValidationException(
            f"{_INVALID}ComparisonOperator {operator} is not valid for {kinds[0]} AttributeValue type"
        )
    if operator == "BETWEEN" and compare(arguments[0], arguments[1]) == 1:
        raise ValidationException(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )


def _expectation(name: str, condition: Any) -> tuple[str, Arguments]:
    """One entry of `Expected`: an operator with arguments, or the older Value and Exists."""
    members = _members(condition, "ExpectedAttributeValue")
    where = f"for Attribute: {name}"
    if "AttributeValueList" in members and "Value" in members:
        raise ValidationException(f"{_INVALID}Value and AttributeValueList cannot be used together {where}")
    if "ComparisonOperator" in members:
        operator = _operator(members, name, "Expected")
        if "Exists" in members:
            raise ValidationException(f"{_INVALID}Exists and ComparisonOperator cannot be used together {where}")
        if operator not in ("NULL", "NOT_NULL") and not members.keys() & {"AttributeValueList", "Value"}:
            raise ValidationException(
                f"{_INVALID}Value or AttributeValueList must be used with ComparisonOperator: {operator} {where}"
            )
        arguments = _arguments(members)
        if "Value" in members:
            validate_value(members["Value"])
            arguments = [members["Value"]]
        check_arguments(operator, arguments)
        return operator, arguments
    if "AttributeValueList" in members:
        raise ValidationException(f"{_INVALID}AttributeValueList can only be used with a ComparisonOperator {where}")
    return _existence(members, where)


def _existence(members: Mapping[str, Any], where: str) -> tuple[str, Arguments]:
    exists = members.get("Exists")
    if exists is not None and not isinstance(exists, bool):
        raise SerializationException("Unexpected token received from parser")
    if exists is False:
        if "Value" in members:
            raise ValidationException(f"{_INVALID}Value cannot be used when Exists is false {where}")
        return "NULL", []
    if "Value" not in members:
        said = "null" if exists is None else "true"
        raise ValidationException(f"{_INVALID}Value must be provided when Exists is {said} {where}")
    validate_value(members["Value"])
    return "EQ", [members["Value"]]


def _ordered(*accepted: int) -> _Test:
    return lambda value, arguments: value is not None and compare(value, arguments[0]) in accepted


def _between(value: AttributeValue | None, arguments: Arguments) -> bool:
    return value is not None and compare(arguments[0], value) in (-1, 0) and compare(value, arguments[1]) in (-1, 0)


def _in(value: AttributeValue | None, arguments: Arguments) -> bool:
    return value is not None and any(equal(value, argument) for argument in arguments)


_TESTS: dict[str, _Test] = {
    "EQ": lambda value, arguments: value is not None and equal(value, arguments[0]),
    "NE": lambda value, arguments: value is None or not equal(value, arguments[0]),
    "LT": _ordered(-1),
    "LE": _ordered(-1, 0),
    "GT": _ordered(1),
    "GE": _ordered(1, 0),
    "NULL": lambda value, arguments: value is None,
    "NOT_NULL": lambda value, arguments: value is not None,
    "CONTAINS": lambda value, arguments: value is not None and contains(value, arguments[0]),
    # What is not there neither contains nor does not contain.
    "NOT_CONTAINS": lambda value, arguments: value is not None and not contains(value, arguments[0]),
    "BEGINS_WITH": lambda value, arguments: value is not None and begins_with(value, arguments[0]),
    "IN": _in,
    "BETWEEN": _between,
}
