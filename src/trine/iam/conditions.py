"""Condition operators: each compiled once to a predicate over the request's context.

Enters `{"StringLike": {"dynamodb:LeadingKeys": ["a*"]}}`, leaves `Condition` values. Semantics after the IAM User
Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys": values of one key are
alternatives, keys and operators all have to hold, a negated operator asks that no value matches, a missing key fails
a positive operator and passes a negated one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from operator import ge, gt, le, lt
from typing import Any

from msgspec import Struct

from trine.iam.errors import MalformedPolicy
from trine.iam.matching import Lookup, Predicate, Token, arn_glob, bind, glob, tokenize, variables_of

Test = Callable[[str], bool]
"""Does one value of the request's context match one value of the policy?"""


class Condition(Struct, frozen=True):
    """One operator on one key: `holds(lookup)` says whether the request meets it."""

    operator: str
    key: str
    """Lower case; context keys are not case-sensitive."""
    values: tuple[str, ...]
    holds: Callable[[Lookup], bool]
    keys: frozenset[str]
    """Every context key read: the tested one and those of policy variables in the values."""
    name: str
    """The key as the policy spells it."""


def _equal(tokens: Sequence[Token]) -> Test:
    wanted = "".join(token for token in tokens if isinstance(token, str))
    return wanted.__eq__


def _equal_any_case(tokens: Sequence[Token]) -> Test:
    wanted = "".join(token for token in tokens if isinstance(token, str)).casefold()
    return lambda text: text.casefold() == wanted


def _like(tokens: Sequence[Token]) -> Test:
    return glob(tokens)


def _arn(tokens: Sequence[Token]) -> Test:
    return arn_glob(tokens)


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"not a number: {text!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a number: {text!r}")
    return number


def _instant(text: str) -> Decimal:
    """Seconds since the epoch from ISO 8601 (W3C profile) or from epoch seconds."""
    text = text.strip()
    if text.lstrip("-").replace(".", "", 1).isdigit():
        return _number(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Decimal(str(moment.timestamp()))


def _compare(read: Callable[[str], Decimal], holds: Callable[[Any, Any], bool], text: str) -> Test:
    wanted = read(text)

    def test(given: str) -> bool:
        try:
            return holds(read(given), wanted)
        except ValueError:
            return False

    return test


def _same(left: Any, right: Any) -> bool:
    return bool(left == right)


def _boolean(text: str) -> Test:
    wanted = text.strip().lower()
    if wanted not in {"true", "false"}:
        raise ValueError(f"not a boolean: {text!r}")
    return lambda given: given.strip().lower() == wanted


def _binary(text: str) -> Test:
    try:
        wanted = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"not base64: {text!r}") from None

    def test(given: str) -> bool:
        try:
            return base64.b64decode(given, validate=True) == wanted
        except (binascii.Error, ValueError):
            return False

    return test


def _address(text: str) -> Test:
    import ipaddress  # only policies with an address condition pay for it

    network = ipaddress.ip_network(text.strip(), strict=False)

    def test(given: str) -> bool:
        try:
            return ipaddress.ip_address(given.strip()) in network
        except ValueError:
            return False

    return test


_PATTERNS: Mapping[str, tuple[Callable[[Sequence[Token]], Test], bool, bool]] = {
    # operator: (maker of the test from tokens, negated, wildcards count)
    "stringequals": (_equal, False, False),
    "stringnotequals": (_equal, True, False),
    "stringequalsignorecase": (_equal_any_case, False, False),
    "stringnotequalsignorecase": (_equal_any_case, True, False),
    "stringlike": (_like, False, True),
    "stringnotlike": (_like, True, True),
    "arnequals": (_arn, False, True),
    "arnlike": (_arn, False, True),
    "arnnotequals": (_arn, True, True),
    "arnnotlike": (_arn, True, True),
}
_TYPED: Mapping[str, tuple[Callable[[str], Test], bool]] = {
    # operator: (maker of the test from text, negated); these values take no variables
    "numericequals": (partial(_compare, _number, _same), False),
    "numericnotequals": (partial(_compare, _number, _same), True),
    "numericlessthan": (partial(_compare, _number, lt), False),
    "numericlessthanequals": (partial(_compare, _number, le), False),
    "numericgreaterthan": (partial(_compare, _number, gt), False),
    "numericgreaterthanequals": (partial(_compare, _number, ge), False),
    "dateequals": (partial(_compare, _instant, _same), False),
    "datenotequals": (partial(_compare, _instant, _same), True),
    "datelessthan": (partial(_compare, _instant, lt), False),
    "datelessthanequals": (partial(_compare, _instant, le), False),
    "dategreaterthan": (partial(_compare, _instant, gt), False),
    "dategreaterthanequals": (partial(_compare, _instant, ge), False),
    "bool": (_boolean, False),
    "binaryequals": (_binary, False),
    "ipaddress": (_address, False),
    "notipaddress": (_address, True),
}


def compile_condition(operator: str, key: str, raw: Any, place: str, *, variables: bool = True) -> Condition:
    """Compile one operator with its key and value or values. MalformedPolicy names `place` when they do not fit."""
    values = _texts(raw, place)
    quantifier, _, rest = operator.rpartition(":")
    quantifier, name = quantifier.lower(), rest.lower()
    if quantifier not in {"", "forallvalues", "foranyvalue"}:
        raise MalformedPolicy(f"Invalid Condition type : {operator}.", place)
    if ":" not in key:
        raise MalformedPolicy("Conditions must be prefaced by a vendor, e.g., aws, dynamodb, lambda, etc.", place)
    lowered = key.lower()
    if name == "null" and not quantifier:
        return Condition(operator, lowered, values, _null(lowered, values, place), frozenset({lowered}), key)
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    read = {lowered}
    if name in _PATTERNS:
        make, negated, wildcards = _PATTERNS[name]
        patterns = [tokenize(value, wildcards=wildcards, variables=variables) for value in values]
        open_ones = [tokens for tokens in patterns if variables_of(tokens)]
        fixed = [make(tokens) for tokens in patterns if not variables_of(tokens)]
        read.update(*map(variables_of, open_ones))
    elif name in _TYPED:
        make_typed, negated = _TYPED[name]
        make, open_ones = _equal, []
        try:
            fixed = [make_typed(value) for value in values]
        except ValueError as error:
            raise MalformedPolicy(f"Invalid value for condition {operator}: {error}.", place) from None
    else:
        raise MalformedPolicy(f"Invalid Condition type : {operator}.", place)
    tests = _tests(fixed, open_ones, make)
    return Condition(
        operator, lowered, values, _quantified(quantifier, lowered, tests, negated, if_exists), frozenset(read), key
    )


def _texts(raw: Any, place: str) -> tuple[str, ...]:
    values = raw if isinstance(raw, list) else [raw]
    texts = []
    for value in values:
        if isinstance(value, bool):
            texts.append("true" if value else "false")
        elif isinstance(value, str | int | float):
            texts.append(str(value))
        else:
            raise MalformedPolicy("Syntax errors in policy.", place)
    return tuple(texts)


def _null(key: str, values: tuple[str, ...], place: str) -> Callable[[Lookup], bool]:
    if len(values) != 1 or values[0].lower() not in {"true", "false"}:
        raise MalformedPolicy("Invalid value for condition Null: true or false.", place)
    absent = values[0].lower() == "true"
    return lambda lookup: (not lookup(key)) == absent


def _tests(
    fixed: Sequence[Test], open_ones: Sequence[Sequence[Token]], make: Callable[[Sequence[Token]], Test]
) -> Callable[[Lookup], Sequence[Test]]:
    """The policy's values as tests; those with variables are bound for each request, unbound ones match nothing."""
    if not open_ones:
        return lambda lookup: fixed
    return lambda lookup: [
        *fixed, *(make(bound) for tokens in open_ones if (bound := bind(tokens, lookup)) is not None)
    ]  # fmt: skip


def _quantified(
    quantifier: str, key: str, tests_of: Callable[[Lookup], Sequence[Test]], negated: bool, if_exists: bool
) -> Callable[[Lookup], bool]:
    def holds(lookup: Lookup) -> bool:
        given = lookup(key)
        if not given:
            # A missing key: IfExists and ForAllValues pass, ForAnyValue fails, else only a negated operator passes.
            return if_exists or quantifier == "forallvalues" or (negated and quantifier != "foranyvalue")
        tests = tests_of(lookup)
        matched = (any(test(value) for test in tests) for value in given)
        if quantifier == "forallvalues":
            return not any(matched) if negated else all(matched)
        if quantifier == "foranyvalue":
            return not all(matched) if negated else any(matched)
        return any(matched) != negated

    return holds


__all__ = ["Condition", "Predicate", "compile_condition"]
