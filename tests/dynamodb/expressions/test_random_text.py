"""No text makes the expression rooms raise anything but AWS's errors."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions import ExpressionContext, condition, key_condition, projection, update
from trine.dynamodb.model.attribute import validate_item
from trine.dynamodb.model.item import item_size
from trine.dynamodb.model.key import KeyAttribute, KeySchema

SCHEMA = KeySchema((KeyAttribute("a", "S"),), (KeyAttribute("b", "N"),))
WORDS = (  # noqa: SIM905
    "a b c #n #q :v :w :l ( ) [ ] . , = <> < <= > >= + - AND OR NOT BETWEEN IN SET REMOVE ADD DELETE 0 1 99 "
    "size( attribute_exists( attribute_type( begins_with( contains( if_not_exists( list_append( status é \" '"
).split(" ")
texts = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=25).map("".join),
)


def try_all(text: str, item: dict[str, Any]) -> None:
    values = {":v": {"S": "x"}, ":w": {"N": "1"}, ":l": {"L": [{"N": "2"}]}}
    context = ExpressionContext({"#n": "a"}, values)
    with contextlib.suppress(ValidationException):
        assert condition(text, context)(item) in (True, False)
    with contextlib.suppress(ValidationException):
        new, _ = update(text, context, ["pk"]).apply(item)
        assert item_size(new) >= 0
    with contextlib.suppress(ValidationException):
        assert projection(text, context).apply(item).keys() <= item.keys()
    with contextlib.suppress(ValidationException):
        key_condition(text, context, SCHEMA)


@settings(max_examples=150)
@given(st.data())
def test_any_text(drawn: SimpleNamespace, data: st.DataObject) -> None:
    item = data.draw(st.dictionaries(st.sampled_from("abc"), drawn.values, max_size=3))
    validate_item(item)
    try_all(data.draw(texts), item)


@settings(max_examples=15)
@given(st.sampled_from(WORDS), st.sampled_from(WORDS), st.integers(1, 600))
def test_repeated_words(one: str, two: str, times: int) -> None:
    for text in (one * times, f"{one} " * times, f"a = {one} {two} " * times, f"SET a = {one}{two}" * times):
        try_all(text[:4096], {})
        try_all(f"a = b AND ({text[:4000]})", {})
        try_all(f"SET a = {text[:4000]}", {})
