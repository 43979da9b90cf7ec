"""What conditions mean: hand-made cases, and random ones against a naive evaluation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions import ExpressionContext, condition
from trine.dynamodb.expressions.functions import size_of
from trine.dynamodb.model.attribute import compare, equal, validate_item, validate_value

ITEM: dict[str, Any] = {
    "pk": {"S": "p"},
    "s": {"S": "héllo"},
    "n": {"N": "5"},
    "b": {"B": "aGkgdGhlcmU="},
    "t": {"BOOL": True},
    "z": {"NULL": True},
    "ss": {"SS": ["red", "blue"]},
    "ns": {"NS": ["1", "2", "7"]},
    "bs": {"BS": ["YQ=="]},
    "l": {"L": [{"N": "2"}, {"S": "dog"}, {"L": [{"S": "x"}]}]},
    "m": {"M": {"x": {"N": "1"}, "dot.ted": {"S": "y"}, "l": {"L": [{"M": {"k": {"S": "v"}}}]}}},
}


def holds(text: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None) -> bool:
    context = ExpressionContext(names, values)
    answer = condition(text, context)(ITEM)
    context.check_all_used()
    return answer


V = {":v": {"N": "5"}}


@pytest.mark.parametrize(
    ("text", "values", "answer"),
    [
        ("n = :v", V, True),
        ("n <> :v", V, False),
        ("n < :v", V, False),
        ("n <= :v", V, True),
        ("n > :v", {":v": {"N": "4.99"}}, True),
        ("n >= :v", {":v": {"N": "10"}}, False),
        ("n = :v", {":v": {"S": "5"}}, False),
        ("n < :v", {":v": {"S": "9"}}, False),
        ("s < :v", {":v": {"S": "i"}}, True),
        ("b > :v", {":v": {"B": "aGkg"}}, True),
        ("ss = :v", {":v": {"SS": ["blue", "red"]}}, True),
        ("ss = :v", {":v": {"SS": ["blue"]}}, False),
        ("absent = :v", V, False),
        ("absent <> :v", V, True),
        ("absent <> nowhere", None, True),
        ("absent = nowhere", None, False),
        ("absent < :v", V, False),
        (":v > absent", V, False),
        ("l < n", None, False),
        ("n between :v and :v", V, True),
        ("absent between :v and :v", V, False),
        ("n between absent and :v", V, False),
        (":v between n and n", V, True),
        ("n in (:a, :v)", {":a": {"S": "dog"}, **V}, True),
        ("n in (s, l[0], m.x)", None, False),
        ("absent in (:v)", V, False),
        ("attribute_exists(m.x)", None, True),
        ("attribute_exists(m.l[0].k)", None, True),
        ("attribute_exists(m.l[1])", None, False),
        ("attribute_exists(s.x)", None, False),
        ("attribute_not_exists(l[9])", None, True),
        ("attribute_exists(z)", None, True),
        ("attribute_type(m, :t)", {":t": {"S": "M"}}, True),
        ("attribute_type(m, :t)", {":t": {"S": "L"}}, False),
        ("attribute_type(absent, :t)", {":t": {"S": "L"}}, False),
        ("begins_with(s, :p)", {":p": {"S": "hé"}}, True),
        ("begins_with(s, :p)", {":p": {"S": "e"}}, False),
        ("begins_with(b, :p)", {":p": {"B": "aGk="}}, True),
        ("begins_with(b, :p)", {":p": {"S": "aGk="}}, False),
        ("begins_with(n, :p)", {":p": {"S": "5"}}, False),
        ("contains(s, :p)", {":p": {"S": "llo"}}, True),
        ("contains(b, :p)", {":p": {"B": "aGVyZVg="}}, False),
        ("contains(b, :p)", {":p": {"B": "dGhl"}}, True),
        ("contains(ss, :p)", {":p": {"S": "red"}}, True),
        ("contains(ss, :p)", {":p": {"S": "re"}}, False),
        ("contains(ss, :p)", {":p": {"N": "1"}}, False),
        ("contains(ns, :p)", {":p": {"N": "2.0"}}, True),
        ("contains(bs, :p)", {":p": {"B": "YQ=="}}, True),
        ("contains(l, :p)", {":p": {"S": "dog"}}, True),
        ("contains(l, :p)", {":p": {"L": [{"S": "x"}]}}, True),
        ("contains(l, :p)", {":p": {"S": "do"}}, False),
        ("contains(m, :p)", {":p": {"S": "x"}}, False),
        ("contains(:p, s)", {":p": {"SS": ["héllo"]}}, True),
        ("size(s) = :five", {":five": {"N": "5"}}, True),  # "héllo" has five characters, and six bytes
        ("size(b) = :v", {":v": {"N": "8"}}, True),
        ("size(ns) = :v", {":v": {"N": "3"}}, True),
        ("size(l) = :v", {":v": {"N": "3"}}, True),
        ("size(m) > :v", {":v": {"N": "2"}}, True),
        ("size(n) > :v", {":v": {"N": "0"}}, False),
        ("size(t) <> :v", {":v": {"N": "1"}}, True),
        ("size(absent) = :v", {":v": {"N": "0"}}, False),
        ("size(:p) = size(ss)", {":p": {"S": "ab"}}, True),
        ("size(s) between :v and n", {":v": {"N": "6"}}, False),
        ("size(ns) in (:v)", {":v": {"N": "3"}}, True),
        ("NOT n = :v", V, False),
        ("not not n = :v", V, True),
        ("n = :v AND s = :v OR n = :v", V, True),
        ("n = :v OR n = :v AND s = :v", V, True),
        ("(n = :v OR n = :v) AND s = :v", V, False),
        ("NOT s = :v AND n = :v", V, True),
        ("NOT (s = :v AND n = :v)", V, True),
        ("n between :v and :v and s = :v", V, False),
        ("((n = :v) and (s <> :v))", V, True),
        ("(n) = (:v)", V, True),
        ("(m.l)[0].k = :k and (m).x <> l[0]", {":k": {"S": "v"}}, True),
    ],
)
def test_meaning(text: str, values: dict[str, Any] | None, answer: bool) -> None:
    assert holds(text, values) is answer


def test_names_stand_for_one_attribute() -> None:
    assert holds("#m.#d = :y", {":y": {"S": "y"}}, {"#m": "m", "#d": "dot.ted"})
    assert not holds("#d = :y", {":y": {"S": "y"}}, {"#d": "m.x"})


def test_paths_read() -> None:
    context = ExpressionContext({"#m": "m"}, {":v": {"N": "5"}})
    bound = condition("#m.x = :v AND size(l) > n OR contains(ss, s)", context)
    assert bound.paths == [("m", "x"), ("l",), ("n",), ("ss",), ("s",)]
    assert bound.attributes == {"m", "l", "n", "ss", "s"}


def test_one_text_serves_many_requests() -> None:
    first = condition("#a = :v", ExpressionContext({"#a": "n"}, {":v": {"N": "5"}}))
    second = condition("#a = :v", ExpressionContext({"#a": "s"}, {":v": {"N": "5"}}))
    assert first(ITEM)
    assert not second(ITEM)
    assert first(ITEM)


OPERATORS = ("=", "<>", "<", "<=", ">", ">=")


def naive(operator: str, left: Any, right: Any) -> bool:
    if operator == "<>":
        return left is None or right is None or not equal(left, right)
    if left is None or right is None:
        return False
    if operator == "=":
        return equal(left, right)
    order = compare(left, right)
    return order is not None and {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[operator]


@given(st.data())
def test_random_conditions_mean_what_a_naive_evaluation_says(drawn: SimpleNamespace, data: st.DataObject) -> None:
    item = data.draw(st.dictionaries(st.sampled_from("abcd"), drawn.values, max_size=4))
    validate_item(item)
    values: dict[str, Any] = {}

    def leaf() -> tuple[str, bool]:
        operator = data.draw(st.sampled_from(OPERATORS))
        attribute = data.draw(st.sampled_from("abcd"))
        other = data.draw(st.one_of(st.sampled_from("abcd"), drawn.values))
        if isinstance(other, str):
            if other == attribute:
                return f"attribute_exists({attribute})", attribute in item
            return f"{attribute} {operator} {other}", naive(operator, item.get(attribute), item.get(other))
        validate_value(other)
        if operator not in ("=", "<>") and not other.keys() & {"S", "N", "B"}:
            operator = "="
        name = f":v{len(values)}"
        values[name] = other
        return f"{attribute} {operator} {name}", naive(operator, item.get(attribute), other)

    def tree(depth: int) -> tuple[str, bool]:
        kind = data.draw(st.sampled_from(["leaf", "and", "or", "not"])) if depth else "leaf"
        if kind == "leaf":
            return leaf()
        if kind == "not":
            text, answer = tree(depth - 1)
            return f"NOT ({text})" if not text.startswith("(") else f"NOT {text}", not answer
        (one, first), (two, second) = tree(depth - 1), tree(depth - 1)
        return f"({one} {kind} {two})", (first and second) if kind == "and" else (first or second)

    text, answer = tree(3)
    assert condition(text, ExpressionContext(None, values or None))(item) is answer


@pytest.mark.parametrize(("text", "length"), [("abÿ", 3), ("😀", 2), ("", 0)])
def test_the_size_of_a_string_is_its_length_in_java(text: str, length: int) -> None:
    assert size_of({"S": text}) == length


@pytest.mark.parametrize(
    "values",
    [
        {":v": {"S": "x" * 1_100_000}, ":w": {"S": "x" * 1_100_000}},
        {":v": {"L": [{"NULL": True}] * 500_000}, ":w": {"N": "no number"}},
    ],
)
def test_values_are_two_megabytes_at_most(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationException) as refusal:
        ExpressionContext(None, values)
    assert refusal.value.message == "ExpressionAttributeValues exceeds max size"
