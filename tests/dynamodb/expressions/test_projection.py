"""Projections: refusals and the parts chosen."""

from __future__ import annotations

from typing import Any

import pytest

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions import ExpressionContext, projection

ITEM: dict[str, Any] = {
    "a": {"N": "1"},
    "m": {"M": {"x": {"S": "x"}, "y": {"S": "y"}, "l": {"L": [{"S": "0"}, {"M": {"k": {"S": "v"}}}, {"S": "2"}]}}},
    "dot.ted": {"S": "d"},
}


@pytest.mark.parametrize(
    ("text", "names", "chosen"),
    [
        ("a", None, {"a": {"N": "1"}}),
        ("a, absent", None, {"a": {"N": "1"}}),
        ("absent", None, {}),
        ("m.x", None, {"m": {"M": {"x": {"S": "x"}}}}),
        ("m.x, m.y, a", None, {"m": {"M": {"x": {"S": "x"}, "y": {"S": "y"}}}, "a": {"N": "1"}}),
        ("m.l[2], m.l[0]", None, {"m": {"M": {"l": {"L": [{"S": "0"}, {"S": "2"}]}}}}),
        ("m.l[1].k", None, {"m": {"M": {"l": {"L": [{"M": {"k": {"S": "v"}}}]}}}}),
        ("m.l[9]", None, {}),
        ("m.absent", None, {}),
        ("a.x, m[0]", None, {}),
        ("#d", {"#d": "dot.ted"}, {"dot.ted": {"S": "d"}}),
        ("#m.#x", {"#m": "m", "#x": "x"}, {"m": {"M": {"x": {"S": "x"}}}}),
    ],
)
def test_chosen(text: str, names: dict[str, str] | None, chosen: dict[str, Any]) -> None:
    context = ExpressionContext(names)
    made = projection(text, context)
    context.check_all_used()
    assert made.apply(ITEM) == chosen


def test_what_it_reads() -> None:
    made = projection("m.x, a, m.l[0]", ExpressionContext())
    assert made.paths == (("m", "x"), ("a",), ("m", "l", 0))
    assert made.top_level == ("m", "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        ("a b", 'Syntax error; token: "b", near: "a b"'),
        ("a,", 'Syntax error; token: "<EOF>", near: ","'),
        ("a[-1]", 'Syntax error; token: "-", near: "[-1"'),
        ("a[]", 'Syntax error; token: "]", near: "[]"'),
        ("a..b", 'Syntax error; token: ".", near: "..b"'),
        (":v", 'Syntax error; token: ":v", near: ":v"'),
        ("a, abort", "Attribute name is a reserved keyword; reserved keyword: abort"),
        ("a, #b", "An expression attribute name used in the document path is not defined; attribute name: #b"),
        (
            "b[1], b.a, #a.b, a",
            "An expression attribute name used in the document path is not defined; attribute name: #a",
        ),
        (
            "a.b, a.b.c",
            (
                "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                "path one: [a, b], path two: [a, b, c]"
            ),
        ),
        (
            "a.b, a[1]",
            (
                "Two document paths conflict with each other; must remove or rewrite one of these paths; "
                "path one: [a, b], path two: [a, [1]]"
            ),
        ),
        ("a[99999999999999]", "List index is not within the allowable range; index: [99999999999999]"),
        ("a" + ".b" * 32, "The document path has too many nesting levels; nesting levels: 33"),
        ("x" * 4097, "Expression size has exceeded the maximum allowed size; expression size: 4097"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        projection(text, ExpressionContext())
    assert caught.value.message == f"Invalid ProjectionExpression: {message}"


def test_names_that_meet_are_found_when_they_are_known() -> None:
    with pytest.raises(ValidationException, match="overlap"):
        projection("a, #a", ExpressionContext({"#a": "a"}))
    assert projection("a, #a", ExpressionContext({"#a": "m"})).top_level == ("a", "m")
