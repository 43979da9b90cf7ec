"""Key conditions: refusals in AWS's order and words, and what is to be read."""

from __future__ import annotations

from typing import Any

import pytest

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions import ExpressionContext, key_condition, key_terms
from trine.dynamodb.model.key import KeyAttribute, KeySchema

HASH = KeySchema((KeyAttribute("a", "S"),))
RANGE = KeySchema((KeyAttribute("a", "S"),), (KeyAttribute("b", "N"),))
TEXT = KeySchema((KeyAttribute("a", "S"),), (KeyAttribute("b", "S"),))
WIDE = KeySchema(
    (KeyAttribute("h1", "S"), KeyAttribute("h2", "S")),
    (KeyAttribute("r1", "N"), KeyAttribute("r2", "N"), KeyAttribute("r3", "S")),
)
VALUES: dict[str, dict[str, Any]] = {
    ":s": {"S": "x"},
    ":n": {"N": "1"},
    ":m": {"N": "2"},
    ":e": {"S": ""},
    ":bool": {"BOOL": True},
}


def context() -> ExpressionContext:
    return ExpressionContext({"#a": "a"}, {name: dict(value) for name, value in VALUES.items()})


@pytest.mark.parametrize(
    ("text", "schema", "operator", "operands"),
    [
        ("a = :s", HASH, None, ()),
        (":s = #a", RANGE, None, ()),
        ("a = :s AND b = :n", RANGE, "=", ({"N": "1"},)),
        ("b < :n AND a = :s", RANGE, "<", ({"N": "1"},)),
        ("a = :s AND :n < b", RANGE, ">", ({"N": "1"},)),
        ("a = :s AND :n >= b", RANGE, "<=", ({"N": "1"},)),
        ("((a = :s) AND (b >= :n))", RANGE, ">=", ({"N": "1"},)),
        ("a = :s AND b BETWEEN :n AND :m", RANGE, "BETWEEN", ({"N": "1"}, {"N": "2"})),
        ("a = :s AND begins_with(b, :s)", TEXT, "begins_with", ({"S": "x"},)),
        ("a = :s AND begins_with(b, :e)", TEXT, "begins_with", ({"S": ""},)),
    ],
)
def test_read(text: str, schema: KeySchema, operator: str | None, operands: tuple[Any, ...]) -> None:
    read = key_condition(text, context(), schema)
    assert read.partition == ({"S": "x"},)
    assert read.partition_key == {"a": {"S": "x"}}
    assert (read.sort_prefix, read.operator, read.operands) == ((), operator, operands)
    assert read.is_single_item == (schema is HASH or operator == "=")


@pytest.mark.parametrize(
    ("more", "prefix", "operator", "operands"),
    [
        ("", (), None, ()),
        (" AND r1 > :n", (), ">", ({"N": "1"},)),
        (" AND r1 = :n", (), "=", ({"N": "1"},)),
        (" AND r2 BETWEEN :n AND :m AND r1 = :m", ({"N": "2"},), "BETWEEN", ({"N": "1"}, {"N": "2"})),
        (" AND r1 = :n AND r2 = :m AND begins_with(r3, :s)", ({"N": "1"}, {"N": "2"}), "begins_with", ({"S": "x"},)),
    ],
)
def test_keys_of_several_attributes(more: str, prefix: Any, operator: str | None, operands: Any) -> None:
    read = key_condition(f"h2 = :s AND h1 = :s{more}", context(), WIDE)
    assert read.partition == ({"S": "x"}, {"S": "x"})
    assert (read.sort_prefix, read.operator, read.operands) == (prefix, operator, operands)


PREFIX = "Invalid KeyConditionExpression: "
SCHEMA_TYPE = "One or more parameter values were invalid: Condition parameter type does not match schema type"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a != :s", f'{PREFIX}Syntax error; token: "!", near: "a !="'),
        ("a > b and size(b) > c or a > c", "Invalid operator used in KeyConditionExpression: OR"),
        ("a in (b, size(c), d)", "Invalid operator used in KeyConditionExpression: IN"),
        ("attribute_exists(a)", "Invalid operator used in KeyConditionExpression: attribute_exists"),
        ("attribute_not_exists(a)", "Invalid operator used in KeyConditionExpression: attribute_not_exists"),
        ("contains(a.d, b)", "Invalid operator used in KeyConditionExpression: contains"),
        ("not a > b", "Invalid operator used in KeyConditionExpression: NOT"),
        ("a <> b", "Invalid operator used in KeyConditionExpression: <>"),
        (
            ":s between size(b) and size(a) and b > :s",
            (
                "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its "
                "first operand"
            ),
        ),
        (
            "begins_with(:s, b) and a > :s",
            (
                "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as "
                "its first operand"
            ),
        ),
        ("size(b) > a AND a.b > b", "KeyConditionExpressions cannot contain nested operations"),
        ("a > size(b.d)", "KeyConditionExpressions cannot contain nested operations"),
        ("a between size(b) and size(a)", "KeyConditionExpressions cannot contain nested operations"),
        *[
            (
                text,
                (
                    "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: "
                    "Multiple attribute names used in one condition"
                ),
            )
            for text in ("b > a.b", "b between c[1] and d", "a between b and size(a)", "begins_with(a, b)")
        ],
        *[
            (text, "KeyConditionExpressions cannot have conditions on nested attributes")
            for text in ("b.d > a AND c.d > e.f", "a.d > c", "b[0] > a")
        ],
        *[
            (text, "Invalid condition in KeyConditionExpression: No key attribute specified")
            for text in (":n > :m AND a < :n", ":n > b AND :m < :n")
            if text.startswith(":n > :m")
        ],
        (
            "b > :n AND b < :n and c = :n and d = :n",
            f"{PREFIX}KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "a between :m and :n",
            (
                f"{PREFIX}The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
                "lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"
            ),
        ),
        (
            "begins_with(b, :n)",
            (
                f"{PREFIX}Incorrect operand type for operator or function; operator or function: begins_with, "
                "operand type: N"
            ),
        ),
        (
            "a = :s and :bool >= b",
            (f"{PREFIX}Incorrect operand type for operator or function; operator or function: >=, operand type: BOOL"),
        ),
        ("BEGINS_WITH(b, :s)", f"{PREFIX}Invalid function name; function: BEGINS_WITH"),
    ],
)
def test_refused_before_the_table_is_known(text: str, message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        key_terms(text, context()).check()
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "schema", "message"),
    [
        ("b = :n", RANGE, "Query condition missed key schema element: a"),
        ("z = :s", HASH, "Query condition missed key schema element: a"),
        ("a = :s and c = :n", RANGE, "Query condition missed key schema element: b"),
        ("a = :n", HASH, SCHEMA_TYPE),
        ("a = :s and b = :s", RANGE, SCHEMA_TYPE),
        ("a = :s and b = :bool", RANGE, SCHEMA_TYPE),
        ("a = :s and begins_with(b, :s)", RANGE, SCHEMA_TYPE),
        *[
            (text, HASH, "Query key condition not supported")
            for text in (
                "a > :s",
                "a < :s",
                ":s <= a",
                "begins_with(a, :s)",
                "a between :s and :s",
                "a = :s AND b = :s",
                "y = :s and z = :s",
            )
        ],
        (
            "a = :s AND b > :n AND z = :n",
            RANGE,
            ("The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)"),
        ),
        (
            "a = :e",
            HASH,
            (
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                "an empty string value. Key: a"
            ),
        ),
        (
            "h1 = :s",
            WIDE,
            "HASH key attributes h2 must have equality conditions specified in the query",
        ),
        (
            "h1 = :s and h2 > :s",
            WIDE,
            "HASH key attributes h2 must have equality conditions specified in the query",
        ),
        *[
            (
                f"h1 = :s and h2 = :s and {more}",
                WIDE,
                (
                    f"RANGE key attributes {gaps} must have equality conditions specified in the query because a "
                    f"condition is present on key attribute {last}"
                ),
            )
            for more, gaps, last in (
                ("r2 = :n", "r1", "r2"),
                ("r1 > :n and r2 = :n", "r1", "r2"),
                ("r3 = :s", "r1, r2", "r3"),
            )
        ],
    ],
)
def test_refused_by_the_key(text: str, schema: KeySchema, message: str) -> None:
    terms = key_terms(text, context())
    terms.check()
    with pytest.raises(ValidationException) as caught:
        terms.against(schema)
    assert caught.value.message == message
