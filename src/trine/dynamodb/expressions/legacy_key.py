"""`KeyConditions`: the key condition of a Query as it was before expressions.

The request's map enters, `LegacyKeyTerms` leaves, which answer as `KeyTerms` do: `check` before the table is known,
`against` when it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.key_condition import KeyCondition, KeyTerm, check_terms
from trine.dynamodb.expressions.legacy_condition import Arguments, read_condition
from trine.dynamodb.limits import INDEX_KEY_ATTRIBUTES_MAX_COUNT
from trine.dynamodb.model.key import KeySchema

_OPERATORS = {
    "EQ": "=",
    "LT": "<",
    "LE": "<=",
    "GT": ">",
    "GE": ">=",
    "BETWEEN": "BETWEEN",
    "BEGINS_WITH": "begins_with",
}


class LegacyKeyTerms:
    """Conditions by attribute name, before a table is known."""

    __slots__ = ("_conditions",)

    def __init__(self, conditions: dict[str, tuple[str, Arguments]]) -> None:
        self._conditions = conditions

    def check(self) -> dict[str, KeyTerm]:
        """The conditions that a key can have, by attribute name."""
        return {
            name: KeyTerm(_OPERATORS[operator], tuple(arguments))
            for name, (operator, arguments) in self._conditions.items()
            if operator in _OPERATORS
        }

    def against(self, schema: KeySchema) -> KeyCondition:
        """The condition on a table's or index's key. ValidationException with AWS's sentence."""
        for name in schema.names:
            if name in self._conditions and self._conditions[name][0] not in _OPERATORS:
                raise ValidationException("Attempted conditional constraint is not an indexable operation")
        # A condition that no key can have counts all the same: it is one too many, or in place of one that is missed.
        others = {name: KeyTerm("=", ()) for name in self._conditions if name not in schema.names}
        return check_terms(schema, {**self.check(), **others})


def key_conditions(document: Mapping[str, Any]) -> LegacyKeyTerms:
    """`KeyConditions` of Query. ValidationException."""
    conditions = {name: read_condition(name, condition, "KeyConditions") for name, condition in document.items()}
    if not 1 <= len(conditions) <= 2 * INDEX_KEY_ATTRIBUTES_MAX_COUNT:
        raise ValidationException("Conditions can be of length 1 or 2 only")
    return LegacyKeyTerms(conditions)
