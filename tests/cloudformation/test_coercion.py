"""Property types: AWS's schemas say what a value becomes."""

from __future__ import annotations

from typing import Any

import pytest

from trine.cloudformation.coercion import coerce
from trine.cloudformation.property_types import property_types


@pytest.mark.parametrize(
    ("wanted", "value", "converted"),
    [
        ("integer", "30", 30),
        ("integer", "x", "x"),
        ("integer", "1.5", "1.5"),
        ("number", "1.5", 1.5),
        ("number", "x", "x"),
        ("boolean", "true", True),
        ("boolean", "False", False),
        ("boolean", "perhaps", "perhaps"),
        ("string", True, "true"),
        ("string", 5, "5"),
        ("string", None, None),
        ("integer", None, None),
    ],
)
def test_scalars(wanted: str, value: Any, converted: Any) -> None:
    assert coerce({"a": value}, {"a": wanted}) == {"a": converted}


def test_items_open_maps_and_what_lies_below_them() -> None:
    types = {"list.*.n": "integer", "open.*": "string", "deep.*.x": "integer", "deep.special.x": "string"}
    value = {
        "list": [{"n": "1"}, {"n": "2", "m": "3"}],
        "open": {"a": 1},
        "deep": {"k": {"x": "4"}, "special": {"x": 5}},
    }
    assert coerce(value, types) == {
        "list": [{"n": 1}, {"n": 2, "m": "3"}],
        "open": {"a": "1"},
        "deep": {"k": {"x": 4}, "special": {"x": "5"}},
    }


def test_the_schemas_are_found_and_followed() -> None:
    found = property_types(["AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::No::Such"])
    assert set(found) == {"AWS::Lambda::Function", "AWS::DynamoDB::Table"}
    function, table = found["AWS::Lambda::Function"], found["AWS::DynamoDB::Table"]
    assert function["Timeout"] == "integer"
    assert function["Environment.Variables.*"] == "string"
    assert table["ProvisionedThroughput.ReadCapacityUnits"] == "integer"
    assert table["GlobalSecondaryIndexes.*.KeySchema.*.AttributeName"] == "string"
