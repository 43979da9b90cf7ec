"""Placeholders: ExpressionAttributeNames and ExpressionAttributeValues of one request, checked and kept account of.

A request's two maps enter; compiled expressions are bound to them and mark what they used; what is left over is an
error. One context serves all expressions of a request (or of one transaction item).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import ATTRIBUTE_NAME_MAX_BYTES, PLACEHOLDER_MAX_BYTES, SUBSTITUTION_MAX_BYTES
from trine.dynamodb.model.attribute import AttributeValue, ValueTooLarge, validate_value

_VALUES_TOO_LARGE = "ExpressionAttributeValues exceeds max size"
_PLACEHOLDER = re.compile(r"[#:][0-9a-zA-Z_]+").fullmatch

Names = Mapping[str, str]
Values = Mapping[str, AttributeValue]


class ExpressionContext:
    """The names and values that a request's expressions may refer to. ValidationException when one is malformed.

    `values` are validated and normalised in place.
    """

    __slots__ = ("names", "used_names", "used_values", "values")

    def __init__(self, names: dict[str, str] | None = None, values: dict[str, Any] | None = None) -> None:
        self.names: Names = {} if names is None else names
        self.values: Values = {} if values is None else values
        self.used_names: set[str] = set()
        self.used_values: set[str] = set()
        if names is not None:
            _check_names(names)
        if values is not None:
            _check_values(values)

    def use(self, names: frozenset[str], values: frozenset[str]) -> None:
        """Mark placeholders as used."""
        if names:
            self.used_names |= names
        if values:
            self.used_values |= values

    def check_all_used(self) -> None:
        """ValidationException when a name or value was given that no expression refers to."""
        if len(self.used_names) != len(self.names):
            raise _unused("Names", self.names, self.used_names)
        if len(self.used_values) != len(self.values):
            raise _unused("Values", self.values, self.used_values)


def _unused(which: str, given: Mapping[str, Any], used: set[str]) -> ValidationException:
    left = ", ".join(name for name in given if name not in used)
    return ValidationException(f"Value provided in ExpressionAttribute{which} unused in expressions: keys: {{{left}}}")


@lru_cache(4096)
def _well_formed(placeholder: str) -> bool:
    return _PLACEHOLDER(placeholder) is not None


def _is_placeholder(text: str, sign: str) -> bool:
    # Clients repeat their placeholders: what was good once is remembered, what is too long never looked at.
    return text[:1] == sign and len(text) <= PLACEHOLDER_MAX_BYTES and _well_formed(text)


def _check_names(names: dict[str, str]) -> None:
    if not names:
        raise ValidationException("ExpressionAttributeNames must not be empty")
    for placeholder, name in names.items():
        if not _is_placeholder(placeholder, "#"):
            raise ValidationException(
                f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{placeholder}"'
            )
        if not name:
            raise ValidationException(
                f"ExpressionAttributeNames contains invalid value: Empty attribute name for key {placeholder}"
            )
        if len(name) > ATTRIBUTE_NAME_MAX_BYTES // 4:
            _check_name_size(placeholder, name)


def _check_name_size(placeholder: str, name: str) -> None:
    if len(name.encode()) > ATTRIBUTE_NAME_MAX_BYTES:
        raise ValidationException(
            f"ExpressionAttributeNames contains invalid value: Attribute name is too large, "
            f"must be less than {ATTRIBUTE_NAME_MAX_BYTES + 1} bytes for key {placeholder}"
        )


def _check_values(values: dict[str, Any]) -> None:
    if not values:
        raise ValidationException("ExpressionAttributeValues must not be empty")
    for placeholder in values:
        if not _is_placeholder(placeholder, ":"):
            raise ValidationException(
                f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{placeholder}"'
            )
    size = 0
    for placeholder, value in values.items():
        try:
            size += validate_value(value)
        except ValueTooLarge:
            raise ValidationException(_VALUES_TOO_LARGE) from None
        except ValidationException as error:
            raise ValidationException(
                f"ExpressionAttributeValues contains invalid value: {error.message} for key {placeholder}"
            ) from None
        if size > SUBSTITUTION_MAX_BYTES:
            raise ValidationException(_VALUES_TOO_LARGE)


def undefined_name(placeholder: str) -> ValidationException:
    """The error for `#n` without a name; the caller puts `Invalid …Expression: ` in front."""
    return ValidationException(
        f"An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
    )


def undefined_value(placeholder: str) -> ValidationException:
    """The error for `:v` without a value; the caller puts `Invalid …Expression: ` in front."""
    return ValidationException(
        f"An expression attribute value used in expression is not defined; attribute value: {placeholder}"
    )
