"""Numbers: as DynamoDB prints, measures, adds and sorts them."""

from __future__ import annotations

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.number import (
    NOT_NUMERIC,
    OVERFLOW,
    TOO_PRECISE,
    UNDERFLOW,
    add,
    compare_numbers,
    normalise,
    number_size,
    sortable_number,
    subtract,
)

EXACT = Context(prec=400, Emax=999_999, Emin=-999_999)
digits = st.integers(0, 10**38 - 1).map(str)
numbers = st.builds(
    lambda sign, digits, exponent: f"{sign}{digits[0]}.{digits[1:]}e{exponent}",
    st.sampled_from(["", "-", "+"]),
    digits.filter(lambda text: text[0] != "0"),
    st.integers(-130, 125),
)


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0e125", "0"),
        ("007", "7"),
        ("+3", "3"),
        (".123", "0.123"),
        ("1.", "1"),
        ("0042.1200", "42.12"),
        ("1e3", "1000"),
        ("1E+3", "1000"),
        ("-17.4E2", "-1740"),
        ("12345e-3", "12.345"),
        ("1e-3", "0.001"),
        ("1e125", "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("9" * 38, "9" * 38),
        ("1" + "0" * 60, "1" + "0" * 60),
    ],
)
def test_printed(given: str, printed: str) -> None:
    assert normalise(given) == printed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", NOT_NUMERIC),
        ("b", f"{NOT_NUMERIC}: b"),
        (" 1", f"{NOT_NUMERIC}:  1"),
        ("1_0", f"{NOT_NUMERIC}: 1_0"),
        ("NaN", f"{NOT_NUMERIC}: NaN"),
        ("Infinity", f"{NOT_NUMERIC}: Infinity"),
        ("0x10", f"{NOT_NUMERIC}: 0x10"),
        ("١", f"{NOT_NUMERIC}: ١"),
        ("1e9223372036854775808", f"{NOT_NUMERIC}: 1e9223372036854775808"),
        ("1e126", OVERFLOW),
        ("11e125", OVERFLOW),
        ("-1e126", OVERFLOW),
        ("1e99999999999", OVERFLOW),
        ("0e126", OVERFLOW),
        ("1e-131", UNDERFLOW),
        ("0.9e-130", UNDERFLOW),
        ("0e-131", UNDERFLOW),
        ("1e-99999999999", UNDERFLOW),
        ("1" * 39, TOO_PRECISE),
        ("-1.23456789012345678901234567890123456789", TOO_PRECISE),
    ],
)
def test_refused(given: str, message: str) -> None:
    with pytest.raises(ValidationException) as refusal:
        normalise(given)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("text", "size"),
    # Measured on AWS by others, byte by byte, at the 400 KB limit.
    [
        ("0", 1),
        ("-0", 1),
        ("1", 2),
        ("12", 2),
        ("123", 3),
        ("1234", 3),
        ("12345678901234567890123456789012345678", 20),
        ("0042", 2),
        ("100", 2),
        ("1010", 3),
        ("0.0000001", 2),
        ("1E125", 2),
        ("1E-100", 2),
        ("1.5", 3),
        ("15", 2),
        ("1.2", 3),
        ("1.200", 3),
        ("1.234", 4),
        ("3.14159", 5),
        ("123456", 4),
        ("100.5", 4),
        ("0.15", 2),
        ("-42", 3),
    ],
)
def test_size(text: str, size: int) -> None:
    assert number_size(text) == size


@given(numbers)
def test_printing_keeps_the_value_and_is_stable(text: str) -> None:
    printed = normalise(text)
    assert Decimal(printed) == Decimal(text)
    assert normalise(printed) == printed
    assert "e" not in printed.lower()
    assert not printed.startswith(("+", "-0.0e", "00"))


@given(numbers, numbers)
def test_sums_are_exact_or_refused(left: str, right: str) -> None:
    left, right = normalise(left), normalise(right)
    for operation, exact in ((add, EXACT.add), (subtract, EXACT.subtract)):
        wanted = exact(Decimal(left), Decimal(right))
        significant = str(wanted).lstrip("-").split("E")[0].replace(".", "").strip("0")
        if wanted and (len(significant) > 38 or not -130 <= wanted.adjusted() <= 125):
            with pytest.raises(ValidationException, match=r"^Number (over|under)flow"):
                operation(left, right)
        else:
            assert Decimal(operation(left, right)) == wanted


@given(numbers, numbers)
def test_sorts_as_numbers_do(left: str, right: str) -> None:
    left, right = normalise(left), normalise(right)
    order = (Decimal(left) > Decimal(right)) - (Decimal(left) < Decimal(right))
    ours, theirs = sortable_number(left), sortable_number(right)
    assert compare_numbers(left, right) == order
    assert (ours > theirs) - (ours < theirs) == order
    assert not (ours != theirs and theirs.startswith(ours))
    assert len(ours) <= 22


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        normalise(text)
    except ValidationException:
        return
    Decimal(text)
