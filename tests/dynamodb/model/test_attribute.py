"""Attribute values: AWS's sentences for bad ones, sizes against a naive count, equality and order."""

from __future__ import annotations

import copy
from base64 import b64decode
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.dynamodb.errors import SerializationException, ValidationException
from trine.dynamodb.limits import ITEM_MAX_BYTES
from trine.dynamodb.model.attribute import (
    MANY_TYPES,
    NO_TYPE,
    TOO_DEEP,
    ValueTooLarge,
    compare,
    equal,
    validate_item,
    validate_value,
)
from trine.dynamodb.model.item import item_size
from trine.dynamodb.model.number import number_size

INVALID = "One or more parameter values were invalid: "


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, NO_TYPE),
        ({"a": ""}, NO_TYPE),
        ({"S": None}, NO_TYPE),
        ({"B": None}, NO_TYPE),
        ({"M": {"a": {}}}, NO_TYPE),
        ({"L": [{}]}, NO_TYPE),
        ({"L": [{"a": {}}]}, NO_TYPE),
        ({"S": "a", "N": "1"}, MANY_TYPES),
        ({"S": "a", "N": ""}, "The parameter cannot be converted to a numeric value"),
        ({"N": "b"}, "The parameter cannot be converted to a numeric value: b"),
        ({"NULL": "no"}, f"{INVALID}Null attribute value types must have the value of true"),
        ({"NULL": False}, f"{INVALID}Null attribute value types must have the value of true"),
        ({"SS": []}, f"{INVALID}An string set  may not be empty"),
        ({"NS": []}, f"{INVALID}An number set  may not be empty"),
        ({"BS": []}, f"{INVALID}Binary sets should not be empty"),
        ({"SS": ["a", "a"]}, f"{INVALID}Input collection [a, a] contains duplicates."),
        ({"BS": ["Yg==", "Yg=="]}, f"{INVALID}Input collection [Yg==, Yg==]of type BS contains duplicates."),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        ({"NS": ["1", ""]}, "The parameter cannot be converted to a numeric value"),
        ({"M": {"": {"S": "x"}}}, f"{INVALID}Empty attribute name"),
        (
            {"M": {"x" * 65536: {"S": "x"}}},
            f"{INVALID}Attribute name is too large, must be less than 65536 bytes",
        ),
    ],
)
def test_refused(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as refusal:
        validate_value(value)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"S": True}, "TRUE_VALUE cannot be converted to String"),
        ({"S": 1}, "NUMBER_VALUE cannot be converted to String"),
        ({"N": 1.5}, "DECIMAL_VALUE cannot be converted to String"),
        ({"S": []}, "Unrecognized collection type class java.lang.String"),
        ({"S": {}}, "Start of structure or map found where not expected"),
        ({"BOOL": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
        ({"BOOL": "maybe"}, "Unexpected token received from parser"),
        ({"B": 1}, "only base-64-encoded strings are convertible to bytes"),
        ({"B": []}, "Unrecognized collection type class java.nio.ByteBuffer"),
        ({"B": "abc"}, "Base64 encoded length is expected a multiple of 4 bytes but found: 3"),
        ({"B": "+/+="}, "Invalid last non-pad Base64 character dectected"),
        ({"B": "=+/="}, "Invalid last non-pad Base64 character dectected"),
        ({"BS": ["YR=="]}, "Invalid last non-pad Base64 character dectected"),
        ({"L": "x"}, "Unexpected field type"),
        ({"L": {}}, "Start of structure or map found where not expected"),
        ({"SS": [1]}, "NUMBER_VALUE cannot be converted to String"),
        ({"M": "x"}, "Unexpected field type"),
        (
            {"M": []},
            (
                "Unrecognized collection type java.util.Map<java.lang.String, "
                "com.amazonaws.dynamodb.v20120810.AttributeValue>"
            ),
        ),
        ({"L": ["x"]}, "Unexpected value type in payload"),
        ({"L": [[]]}, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"),
    ],
)
def test_not_the_shape(value: dict[str, Any], message: str) -> None:
    with pytest.raises(SerializationException) as refusal:
        validate_value(value)
    assert refusal.value.message == message


def wrapped(depth: int, kind: str) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(depth):
        value = {"M": {"n": value}} if kind == "M" else {"L": [value]}
    return value


@pytest.mark.parametrize("kind", ["M", "L"])
def test_thirty_two_levels_and_no_more(kind: str) -> None:
    validate_item({"a": wrapped(31, kind)})
    for depth in (32, 33, 400):
        with pytest.raises(ValidationException) as refusal:
            validate_item({"a": wrapped(depth, kind)})
        assert refusal.value.message == TOO_DEEP


def test_normalised_in_place() -> None:
    item: dict[str, Any] = {
        "n": {"N": "01.50"},
        "set": {"NS": ["1e2", "+7"]},
        "bool": {"BOOL": "yes"},
        "null": {"NULL": "true"},
        "more": {"S": "x", "N": None, "Z": 1},
        "deep": {"L": [{"M": {"n": {"N": "1.0"}}}]},
    }
    validate_item(item)
    assert item == {
        "n": {"N": "1.5"},
        "set": {"NS": ["7", "100"]},
        "bool": {"BOOL": True},
        "null": {"NULL": True},
        "more": {"S": "x"},
        "deep": {"L": [{"M": {"n": {"N": "1"}}}]},
    }


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("SS", ["c", "é", "Z", "a", "", "\U0001f600", "\uffff"], ["", "Z", "a", "c", "é", "\uffff", "\U0001f600"]),
        ("NS", ["10", "9", "-3", "1e-130", "-1e125"], [f"-1{'0' * 125}", "-3", f"0.{'0' * 129}1", "9", "10"]),
        ("BS", ["Ag==", "AQI=", "AQ==", ""], ["", "AQ==", "AQI=", "Ag=="]),
    ],
)
def test_sets_are_kept_in_order(kind: str, given: list[str], kept: list[str]) -> None:
    item: dict[str, Any] = {"top": {kind: list(given)}, "deep": {"L": [{kind: list(given)}]}}
    validate_item(item)
    assert item == {"top": {kind: kept}, "deep": {"L": [{kind: kept}]}}


@pytest.mark.parametrize(
    "value",
    [
        {"L": [{"N": "1"}] * (ITEM_MAX_BYTES + 1)},
        {"M": {str(at): {"NULL": True} for at in range(ITEM_MAX_BYTES + 1)}},
        {"SS": [str(at) for at in range(ITEM_MAX_BYTES + 1)]},
        {"BS": ["AA=="] * (ITEM_MAX_BYTES + 1)},
        {"NS": [str(at) for at in range(ITEM_MAX_BYTES // 2 + 1)]},
        {"L": [{"S": "x" * 1_000_000}, {"L": [{"S": "x" * 1_100_000}]}, {"N": "no number"}]},
        {"M": {"a": {"L": [{"S": "x" * 2_100_000}]}, "b": {"N": "no number"}}},
    ],
)
def test_what_no_item_holds_is_refused_before_all_of_it_is_looked_at(value: dict[str, Any]) -> None:
    for refused in (lambda: validate_item({"a": value}), lambda: validate_value(value)):
        with pytest.raises(ValueTooLarge) as refusal:
            refused()
        assert refusal.value.message == "Item size has exceeded the maximum allowed size"


def naive_size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return number_size(content)
    if kind == "B":
        return len(b64decode(content))
    if kind in ("BOOL", "NULL"):
        return 1
    if kind in ("SS", "NS", "BS"):
        return sum(naive_size({kind[0]: element}) for element in content)
    if kind == "L":
        return 3 + sum(1 + naive_size(element) for element in content)
    return 3 + sum(1 + len(name.encode()) + naive_size(element) for name, element in content.items())


@given(st.data())
def test_size_is_that_of_a_naive_count(drawn: SimpleNamespace, data: st.DataObject) -> None:
    item = data.draw(drawn.items)
    size = validate_item(item)
    assert size == sum(len(name.encode()) + naive_size(value) for name, value in item.items())
    assert size == item_size(item)


@given(st.data())
def test_validated_twice_is_validated_once(drawn: SimpleNamespace, data: st.DataObject) -> None:
    item = data.draw(drawn.items)
    validate_item(item)
    once = copy.deepcopy(item)
    validate_item(item)
    assert item == once


@given(st.data())
def test_anything_is_a_value_or_refused(drawn: SimpleNamespace, data: st.DataObject) -> None:
    value = data.draw(drawn.anything)
    try:
        validate_value(value)
    except (ValidationException, SerializationException):
        return
    assert len(value) == 1


@given(st.data())
def test_equality_ignores_the_order_of_sets(drawn: SimpleNamespace, data: st.DataObject) -> None:
    left, right = data.draw(drawn.values), data.draw(drawn.values)
    validate_value(left)
    validate_value(right)

    def unordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: frozenset(content) if name in ("SS", "NS", "BS") else unordered(content)
                for name, content in value.items()
            }
        return [unordered(element) for element in value] if isinstance(value, list) else value

    assert equal(left, right) == (unordered(left) == unordered(right))
    assert equal(left, copy.deepcopy(left))


def test_sets_in_documents_are_equal_in_any_order() -> None:
    assert equal({"L": [{"M": {"a": {"SS": ["x", "y"]}}}]}, {"L": [{"M": {"a": {"SS": ["y", "x"]}}}]})
    assert not equal({"SS": ["1"]}, {"NS": ["1"]})


def test_order() -> None:
    assert compare({"N": "9"}, {"N": "10"}) == -1
    assert compare({"S": "9"}, {"S": "10"}) == 1
    assert compare({"S": "é"}, {"S": "z"}) == 1
    assert compare({"S": "\uffff"}, {"S": "\U00010000"}) == -1  # UTF-8 order, not UTF-16
    assert compare({"B": "/w=="}, {"B": "AA=="}) == 1  # unsigned bytes
    assert compare({"S": "1"}, {"N": "1"}) is None
    assert compare({"BOOL": True}, {"BOOL": True}) is None
