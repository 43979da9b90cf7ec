"""Keys sort as DynamoDB sorts, and come back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.kv.tuple import after, pack, pack_digits, unpack

DIGITS = st.integers(1, 38).flatmap(lambda count: st.integers(0, 10**count - 1))
NUMBERS = st.builds(
    lambda digits, first, negative: Decimal(
        (int(negative), tuple(map(int, str(digits))), first - len(str(digits)) + 1)
    ),
    DIGITS,
    st.integers(-130, 125),
    st.booleans(),
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.text("\0\x01\xff", max_size=4)
BINARIES = st.binary(max_size=6) | st.lists(st.sampled_from([0, 1, 255]), max_size=4).map(bytes)
SHAPES = st.lists(st.sampled_from("bsn"), min_size=1, max_size=3)


def tuples(shape: list[str]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.tuples(*[{"b": BINARIES, "s": TEXTS, "n": NUMBERS}[kind] for kind in shape])


def order(elements: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(element.encode() if isinstance(element, str) else element for element in elements)


@given(SHAPES.flatmap(lambda shape: st.tuples(tuples(shape), tuples(shape))))
def test_order_is_that_of_the_elements(pair: tuple[tuple[object, ...], tuple[object, ...]]) -> None:
    left, right = pair
    assert (pack(left) < pack(right)) == (order(left) < order(right))
    assert (pack(left) == pack(right)) == (order(left) == order(right))


@given(SHAPES.flatmap(tuples))
def test_a_tuple_comes_back(elements: tuple[object, ...]) -> None:
    assert unpack(pack(elements)) == elements


@given(SHAPES.flatmap(lambda shape: st.tuples(tuples(shape), tuples(shape), TEXTS)))
def test_a_prefix_holds_its_own_continuations_and_nothing_else(
    case: tuple[tuple[object, ...], tuple[object, ...], str],
) -> None:
    prefix, other, last = case
    low, high = pack(prefix), after(pack(prefix))
    assert low <= pack((*prefix, last)) < high
    assert (low <= pack((*other, last)) < high) == (order(other) == order(prefix))


@pytest.mark.parametrize(
    ("left", "right"),
    [("1", "1.000"), ("0", "-0"), ("0", "0E+200"), ("1E+2", "100"), ("-12.50", "-1.25E+1")],
)
def test_equal_numbers_have_one_encoding(left: str, right: str) -> None:
    assert pack((Decimal(left),)) == pack((Decimal(right),))


def test_the_edges_of_the_range() -> None:
    edges = ["-9.9999999999999999999999999999999999999E+125", "-1E-130", "0", "1E-130", "9." + "9" * 37 + "E+125"]
    packed = [pack((Decimal(edge),)) for edge in edges]
    assert packed == sorted(packed)
    assert [unpack(p)[0] for p in packed] == [Decimal(edge) for edge in edges]


@pytest.mark.parametrize("number", ["1E+126", "1E-131", "1" * 39, "NaN", "Infinity", "-1." + "1" * 38])
def test_numbers_outside_are_refused(number: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        pack((Decimal(number),))


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError):
        pack((1,))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="surrogates"):
        pack(("\ud800",))


def test_digits_need_no_decimal() -> None:
    assert pack_digits(False, "00120", -1) == pack((Decimal("12"),))
    assert pack_digits(True, "5", 3) == pack((Decimal("-5000"),))


@given(st.binary(max_size=12))
def test_any_bytes_unpack_or_are_refused(packed: bytes) -> None:
    try:
        elements = unpack(packed)
    except ValueError:
        return
    assert unpack(pack(elements)) == elements


def test_nothing_is_after_the_last_prefix() -> None:
    assert after(b"a\xff") == b"b"
    with pytest.raises(ValueError, match="after"):
        after(b"\xff\xff")
