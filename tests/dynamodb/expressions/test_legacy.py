"""The parameters that were before expressions: refusals word for word, and what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from trine.dynamodb.errors import SerializationException, ValidationException
from trine.dynamodb.expressions import (
    attribute_updates,
    check_conditional_operator,
    expected,
    key_conditions,
    legacy_filter,
)
from trine.dynamodb.model.key import KeyAttribute, KeySchema

INVALID = "One or more parameter values were invalid: "
ITEM: dict[str, Any] = {
    "pk": {"S": "p"},
    "s": {"S": "hello"},
    "n": {"N": "5"},
    "b": {"B": "aGk="},
    "ss": {"SS": ["x", "y"]},
    "l": {"L": [{"N": "2"}, {"N": "4"}]},
}


def condition(operator: str, *arguments: Any) -> dict[str, Any]:
    return {"ComparisonOperator": operator, "AttributeValueList": list(arguments)}


@pytest.mark.parametrize(
    ("name", "entry", "answer"),
    [
        ("s", condition("EQ", {"S": "hello"}), True),
        ("ss", condition("EQ", {"SS": ["y", "x"]}), True),
        ("s", condition("EQ", {"N": "5"}), False),
        ("q", condition("EQ", {"N": "5"}), False),
        ("s", condition("NE", {"S": "x"}), True),
        ("q", condition("NE", {"S": "x"}), True),
        ("n", condition("NE", {"N": "5.0"}), False),
        ("n", condition("LT", {"N": "10"}), True),
        ("n", condition("LE", {"N": "5"}), True),
        ("n", condition("GT", {"N": "5"}), False),
        ("n", condition("GE", {"S": "5"}), False),
        ("b", condition("GE", {"B": "aGg="}), True),
        ("q", condition("LT", {"N": "1"}), False),
        ("s", condition("CONTAINS", {"S": "ell"}), True),
        ("ss", condition("CONTAINS", {"S": "x"}), True),
        ("l", condition("CONTAINS", {"N": "2"}), True),
        ("q", condition("CONTAINS", {"S": "x"}), False),
        ("s", condition("NOT_CONTAINS", {"S": "x"}), True),
        ("s", condition("NOT_CONTAINS", {"S": "ell"}), False),
        ("q", condition("NOT_CONTAINS", {"S": "x"}), False),
        ("s", condition("BEGINS_WITH", {"S": "he"}), True),
        ("n", condition("BEGINS_WITH", {"S": "5"}), False),
        ("n", condition("IN", {"N": "4"}, {"N": "5"}), True),
        ("n", condition("IN", {"N": "4"}), False),
        ("n", condition("BETWEEN", {"N": "5"}, {"N": "6"}), True),
        ("n", condition("BETWEEN", {"N": "6"}, {"N": "6"}), False),
        ("q", condition("NULL"), True),
        ("n", {"ComparisonOperator": "NULL"}, False),
        ("n", condition("NOT_NULL"), True),
        ("n", {"Value": {"N": "5"}}, True),
        ("n", {"Exists": True, "Value": {"N": "6"}}, False),
        ("n", {"Exists": False}, False),
        ("q", {"Exists": False}, True),
        ("n", {"ComparisonOperator": "EQ", "Value": {"N": "5"}}, True),
    ],
)
def test_meaning(name: str, entry: dict[str, Any], answer: bool) -> None:
    assert expected({name: entry})(ITEM) is answer
    if entry.keys() <= {"ComparisonOperator", "AttributeValueList"}:
        found = legacy_filter({name: entry}, None, "ScanFilter")
        assert found(ITEM) is answer
        assert found.attributes == {name}
        assert found.paths == [(name,)]


def test_all_or_any() -> None:
    both = {"n": {"Value": {"N": "5"}}, "s": {"Value": {"S": "x"}}}
    assert not expected(both)(ITEM)
    assert not expected(both, "AND")(ITEM)
    assert expected(both, "OR")(ITEM)
    assert expected({})(ITEM)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, f"{INVALID}Value must be provided when Exists is null for Attribute: a"),
        ({"Exists": True}, f"{INVALID}Value must be provided when Exists is true for Attribute: a"),
        (
            {"Exists": False, "Value": {"S": "a"}},
            f"{INVALID}Value cannot be used when Exists is false for Attribute: a",
        ),
        (
            {"ComparisonOperator": "LT"},
            (f"{INVALID}Value or AttributeValueList must be used with ComparisonOperator: LT for Attribute: a"),
        ),
        (
            {"Exists": True, "ComparisonOperator": "LT"},
            f"{INVALID}Exists and ComparisonOperator cannot be used together for Attribute: a",
        ),
        (
            {"AttributeValueList": [{"S": "a"}], "Value": {"S": "a"}, "ComparisonOperator": "LT"},
            f"{INVALID}Value and AttributeValueList cannot be used together for Attribute: a",
        ),
        (
            {"AttributeValueList": [{"S": "a"}]},
            f"{INVALID}AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
        (condition("EQ"), f"{INVALID}Invalid number of argument(s) for the EQ ComparisonOperator"),
        (condition("NULL", {"S": "a"}), f"{INVALID}Invalid number of argument(s) for the NULL ComparisonOperator"),
        (condition("IN"), f"{INVALID}Invalid number of argument(s) for the IN ComparisonOperator"),
        (
            condition("BETWEEN", {"N": "1"}, {"N": "2"}, {"N": "3"}),
            f"{INVALID}Invalid number of argument(s) for the BETWEEN ComparisonOperator",
        ),
        (
            condition("BETWEEN", {"N": "2"}, {"N": "1"}),
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
        ),
        (
            condition("IN", {"N": "2"}, {"S": "1"}),
            f"{INVALID}AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            condition("BEGINS_WITH", {"N": "3"}),
            f"{INVALID}ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
        ),
        (
            condition("CONTAINS", {"L": []}),
            f"{INVALID}ComparisonOperator CONTAINS is not valid for L AttributeValue type",
        ),
        (
            condition("eq", {"S": "a"}),
            (
                "1 validation error detected: Value 'eq' at 'expected.a.member.comparisonOperator' failed to satisfy "
                "constraint: Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, "
                "NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"
            ),
        ),
        (
            {"Value": {}},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
    ],
)
def test_expected_refused(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        expected({"a": entry})
    assert caught.value.message == message


@pytest.mark.parametrize("kind", ["BOOL", "NULL", "SS", "NS", "BS", "M", "L"])
@pytest.mark.parametrize("operator", ["LT", "LE", "GT", "GE", "IN", "BETWEEN", "BEGINS_WITH"])
def test_operators_of_scalars(operator: str, kind: str) -> None:
    value = {kind: {"BOOL": True, "NULL": True, "M": {}, "L": []}.get(kind, ["1"] if kind != "BS" else ["YQ=="])}
    arguments = [value] * (2 if operator == "BETWEEN" else 1)
    with pytest.raises(ValidationException) as caught:
        legacy_filter({"a": condition(operator, *arguments)}, None, "QueryFilter")
    assert caught.value.message == (
        f"{INVALID}ComparisonOperator {operator} is not valid for {kind} AttributeValue type"
    )


def test_conditional_operator() -> None:
    check_conditional_operator(None, None)
    check_conditional_operator("OR", {"a": 1, "b": 2})
    for given in (None, {}):
        with pytest.raises(ValidationException, match="cannot be used without Filter or Expected"):
            check_conditional_operator("AND", given)
    with pytest.raises(ValidationException, match="two or more elements"):
        expected({"a": {"Exists": False}}, "AND")


@pytest.mark.parametrize("entry", [None, "x", [], 1, {"AttributeValueList": "x", "ComparisonOperator": "EQ"}])
def test_what_is_no_condition(entry: Any) -> None:
    for read in (expected, lambda document: legacy_filter(document, None, "ScanFilter"), key_conditions):
        with pytest.raises(SerializationException):
            read({"a": entry})


SCHEMA = KeySchema((KeyAttribute("a", "S"),), (KeyAttribute("b", "N"),))
A = condition("EQ", {"S": "x"})


@pytest.mark.parametrize(
    ("document", "operator", "operands"),
    [
        ({"a": A}, None, ()),
        ({"a": A, "b": condition("EQ", {"N": "1.0"})}, "=", ({"N": "1"},)),
        ({"b": condition("GE", {"N": "1"}), "a": A}, ">=", ({"N": "1"},)),
        ({"a": A, "b": condition("BETWEEN", {"N": "1"}, {"N": "2"})}, "BETWEEN", ({"N": "1"}, {"N": "2"})),
    ],
)
def test_keys(document: dict[str, Any], operator: str | None, operands: Any) -> None:
    read = key_conditions(document).against(SCHEMA)
    assert (read.partition, read.operator, read.operands) == (({"S": "x"},), operator, operands)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "Conditions can be of length 1 or 2 only"),
        ({"b": condition("EQ", {"N": "1"})}, "Query condition missed key schema element: a"),
        ({"a": A, "z": A}, "Query condition missed key schema element: b"),
        ({"a": condition("LT", {"S": "x"})}, "Query key condition not supported"),
        ({"a": condition("BETWEEN", {"S": "x"}, {"S": "y"})}, "Query key condition not supported"),
        (
            {"a": condition("EQ", {"N": "1"})},
            f"{INVALID}Condition parameter type does not match schema type",
        ),
        *[
            (document, "Attempted conditional constraint is not an indexable operation")
            for document in (
                {"a": condition("NULL")},
                {"a": condition("NE", {"S": "x"})},
                {"a": A, "b": condition("CONTAINS", {"N": "1"})},
                {"a": A, "b": condition("IN", {"N": "1"})},
            )
        ],
        (
            {"a": condition("DOG", {"S": "x"})},
            (
                "1 validation error detected: Value 'DOG' at 'keyConditions.a.member.comparisonOperator' failed to "
                "satisfy constraint: Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, "
                "GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"
            ),
        ),
    ],
)
def test_keys_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        key_terms_against(document)
    assert caught.value.message == message


def key_terms_against(document: dict[str, Any]) -> None:
    key_conditions(document).against(SCHEMA)


@pytest.mark.parametrize(
    ("name", "entry", "wanted"),
    [
        ("n", {"Value": {"N": "1"}}, {"N": "1"}),
        ("n", {"Action": "PUT", "Value": {"N": "1"}}, {"N": "1"}),
        ("n", {"Action": "ADD", "Value": {"N": "1"}}, {"N": "6"}),
        ("q", {"Action": "ADD", "Value": {"N": "1"}}, {"N": "1"}),
        ("ss", {"Action": "ADD", "Value": {"SS": ["z", "x"]}}, {"SS": ["x", "y", "z"]}),
        ("l", {"Action": "ADD", "Value": {"L": [{"N": "9"}]}}, {"L": [{"N": "2"}, {"N": "4"}, {"N": "9"}]}),
        ("ss", {"Action": "DELETE", "Value": {"SS": ["x"]}}, {"SS": ["y"]}),
        ("ss", {"Action": "DELETE", "Value": {"SS": ["x", "y"]}}, None),
        ("q", {"Action": "DELETE", "Value": {"SS": ["x"]}}, None),
        ("n", {"Action": "DELETE"}, None),
        ("q", {"Action": "DELETE"}, None),
        ("m.x", {"Value": {"N": "1"}}, {"N": "1"}),
    ],
)
def test_updates(name: str, entry: dict[str, Any], wanted: Any) -> None:
    plan = attribute_updates({name: entry})
    new, paths = plan.apply(ITEM)
    assert new.get(name) == wanted
    assert paths == ((name,),)
    assert plan.attributes == {name}
    assert {k: v for k, v in new.items() if k != name} == {k: v for k, v in ITEM.items() if k != name}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, f"{INVALID}Only DELETE action is allowed when no attribute value is specified"),
        ({"Action": "ADD"}, f"{INVALID}Only DELETE action is allowed when no attribute value is specified"),
        *[
            (
                {"Action": "DELETE", "Value": {kind: content}},
                f"{INVALID}DELETE action with value is not supported for the type {kind}",
            )
            for kind, content in (("S", "1"), ("N", "1"), ("B", "Yg=="), ("NULL", True), ("M", {}), ("L", []))
        ],
        *[
            (
                {"Action": "ADD", "Value": {kind: content}},
                f"{INVALID}ADD action is not supported for the type {kind}",
            )
            for kind, content in (("S", "1"), ("B", "Yg=="), ("NULL", True), ("BOOL", True), ("M", {}))
        ],
        (
            {"Action": "put", "Value": {"S": "x"}},
            (
                "1 validation error detected: Value 'put' at 'attributeUpdates.n.member.action' failed to satisfy "
                "constraint: Member must satisfy enum value set: [ADD, DELETE, PUT]"
            ),
        ),
    ],
)
def test_updates_refused(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        attribute_updates({"n": entry})
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("ss", {"Action": "ADD", "Value": {"NS": ["1"]}}),
        ("n", {"Action": "ADD", "Value": {"SS": ["1"]}}),
        ("ss", {"Action": "DELETE", "Value": {"NS": ["1"]}}),
    ],
)
def test_updates_refused_by_the_item(name: str, entry: dict[str, Any]) -> None:
    plan = attribute_updates({name: entry})
    with pytest.raises(ValidationException, match=r"^Type mismatch for attribute to update$"):
        plan.apply(ITEM)


def test_updates_leave_the_key() -> None:
    plan = attribute_updates({"pk": {"Value": {"S": "x"}}})
    with pytest.raises(ValidationException) as caught:
        plan.check_keys(["pk"])
    assert caught.value.message == (f"{INVALID}Cannot update attribute pk. This attribute is part of the key")


def test_taking_away_makes_no_item() -> None:
    gone = {"Action": "DELETE"}
    assert attribute_updates({"a": gone}).only_removes
    assert not attribute_updates({"a": gone, "b": {"Value": {"S": "x"}}}).only_removes
    assert not attribute_updates({}).only_removes
