"""Moulds: what they cast is what the general way makes, and whatever it refuses they refuse."""

from __future__ import annotations

import copy
import json
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.dynamodb.errors import SerializationException, ValidationException
from trine.dynamodb.model.attribute import validate_item
from trine.dynamodb.model.key import KeySchema
from trine.dynamodb.model.mould import PLACES_MAX_COUNT, REFUSED, Mould, Pattern
from trine.dynamodb.shape import PutItemInput, codec

GENERAL = codec("PutItem", PutItemInput)
ORDER = {
    "pk": {"S": "customer#1"},
    "total": {"N": "84.47"},
    "active": {"BOOL": True},
    "tags": {"SS": ["red", "blue"]},
    "addr": {"M": {"zip": {"S": "98101"}, "street": {"S": "1 Main Street"}}},
    "lines": {"L": [{"S": "sku-1"}, {"N": "7"}]},
}


def body_of(item: Any) -> bytes:
    return json.dumps({"TableName": "Orders", "Item": item}, ensure_ascii=False).encode()


def mould_of(*items: Any) -> Mould | None:
    pattern, found = Pattern(), None
    for item in items:
        valid = copy.deepcopy(item)
        validate_item(valid)
        found = pattern.mould(valid)
    return found


def generally(body: bytes) -> tuple[Any, int] | None:
    """The item and its size, the general way; None where it is refused."""
    try:
        item = GENERAL(body).item
        size_bytes = validate_item(item)
    except (ValidationException, SerializationException):
        return None
    return item, size_bytes


def cast(mould: Mould, body: bytes) -> tuple[Any, int] | None:
    try:
        _, _, text, size_bytes = mould.cast(body)
    except REFUSED:
        return None
    return orjson.loads(text), size_bytes


ORDER_MOULD = mould_of(ORDER)
assert ORDER_MOULD is not None
MOULD = ORDER_MOULD


def test_an_item_like_the_example_is_cast() -> None:
    other: dict[str, Any] = {
        "total": {"N": "+010.50"},
        "pk": {"S": "customer#22 é €"},
        "tags": {"SS": ["z", "ä", "a", "green"]},
        "active": {"BOOL": False},
        "addr": {"M": {"street": {"S": ""}, "zip": {"S": "Ω"}}},
        "lines": {"L": [{"S": "sku-12"}, {"N": "-0.0"}]},
    }
    body = body_of(other)
    name, _, text, size_bytes = MOULD.cast(body)
    assert (orjson.loads(text), size_bytes) == generally(body)
    assert orjson.loads(text)["total"] == {"N": "10.5"}
    assert orjson.loads(text)["tags"] == {"SS": ["a", "green", "z", "ä"]}
    assert name == "Orders"


def test_the_json_is_as_the_general_way_writes_it() -> None:
    item = copy.deepcopy(ORDER)
    validate_item(item)
    assert MOULD.cast(body_of(ORDER))[2] == orjson.dumps(item).replace(
        b'{"zip":{"S":"98101"},"street":{"S":"1 Main Street"}}', b'{"street":{"S":"1 Main Street"},"zip":{"S":"98101"}}'
    )


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb\t\x01\x1f", "\x7f/", "\u2028", "𝄞"])
def test_escapes_do_not_count(text: str) -> None:
    body = body_of({**ORDER, "pk": {"S": text}})
    assert cast(MOULD, body) == generally(body)
    assert cast(MOULD, json.dumps(json.loads(body)).encode()) == generally(body)


def test_of_members_that_come_twice_the_last_one_counts() -> None:
    body = body_of(ORDER).replace(b'"pk": {"S": "customer#1"}', b'"pk":{"S":"one"},"pk":{"S":"two","S":"customer#1"}')
    assert body.count(b'"pk"') == 2
    assert cast(MOULD, body) == generally(body) == generally(body_of(ORDER))


@pytest.mark.parametrize(
    "change",
    [
        {"pk": {"S": None}},
        {"pk": {"S": 5}},
        {"pk": {}},
        {"pk": {"S": "x", "N": "1"}},
        {"pk": {"S": "x", "unknown": 1}},
        {"total": {"N": "1e126"}},
        {"total": {"N": "one"}},
        {"total": {"N": ""}},
        {"total": {"N": "1" * 39}},
        {"total": {"N": "1" * 80}},
        {"active": {"BOOL": "true"}},
        {"tags": {"SS": []}},
        {"tags": {"SS": ["a", "a"]}},
        {"tags": {"SS": ["a", None]}},
        {"lines": {"L": [{"S": "sku-1"}]}},
        {"lines": {"L": [{"S": "sku-1"}, {"N": "7"}, {"S": "more"}]}},
        {"addr": {"M": {"zip": {"S": "1"}}}},
        {"addr": {"M": {"zip": {"S": "1"}, "street": {"S": "2"}, "more": {"S": "3"}}}},
        {"new": {"S": "x"}},
        {"": {"S": "x"}},
    ],
)
def test_what_is_wrong_or_not_alike_is_refused(change: Any) -> None:
    assert cast(MOULD, body_of({**ORDER, **change})) is None


def test_other_members_of_the_request_are_refused() -> None:
    with pytest.raises(REFUSED):
        MOULD.cast(body_of(ORDER)[:-1] + b',"ReturnValues":"ALL_OLD"}')
    with pytest.raises(REFUSED):
        MOULD.cast(body_of(ORDER)[:-1])
    with pytest.raises(REFUSED):
        MOULD.cast(b"\xff")


def test_what_differs_between_items_is_free() -> None:
    short = {"pk": {"S": "a"}, "note": {"S": "x"}, "lines": {"L": [{"S": "one"}]}}
    long = {"pk": {"S": "b"}, "note": {"S": "y"}, "lines": {"L": [{"S": "one"}, {"N": "2.50"}]}}
    mould = mould_of(short, long)
    assert mould is not None
    for lines in ({"L": []}, {"NULL": True}, {"N": "007"}, {"B": "AAE="}, {"S": 'a"b'}, {"NS": ["2", "1"]}):
        body = body_of({**short, "lines": lines})
        assert cast(mould, body) == generally(body)
    without = body_of({"pk": {"S": "c"}, "note": {"S": "z"}})
    assert cast(mould, without) == generally(without)
    assert cast(mould, body_of({**short, "lines": {"N": "x"}})) is None
    assert cast(mould, body_of({**short, "lines": None})) is None


def test_items_with_too_little_in_common_get_none() -> None:
    assert mould_of({"a": {"S": "1"}}, {"b": {"S": "1"}}) is None
    assert mould_of({"a": {"B": "AAE="}}) is None
    assert mould_of({}) is None


def test_an_item_of_many_values_gets_none() -> None:
    assert mould_of({f"n{at}": {"S": "x"} for at in range(PLACES_MAX_COUNT)}) is not None
    assert mould_of({f"n{at}": {"S": "x"} for at in range(PLACES_MAX_COUNT + 1)}) is None
    rows = {"L": [{"M": {f"n{at}": {"S": "x"} for at in range(10)}} for _ in range(10)]}
    assert mould_of({"a": {"S": "x"}, "rows": rows}) is None


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb"])
def test_names_that_need_escapes_are_measured_or_refused(name: str) -> None:
    item = {"pk": {"S": "x"}, name: {"S": "y"}}
    mould = mould_of(item)
    assert mould is None or cast(mould, body_of(item)) == generally(body_of(item))


def test_the_texts_of_a_key() -> None:
    item = MOULD.cast(body_of(ORDER))[1]

    def key(*types: tuple[str, str]) -> KeySchema:
        elements = [
            {"AttributeName": name, "KeyType": role} for (name, _), role in zip(types, ("HASH", "RANGE"), strict=False)
        ]
        return KeySchema.from_document(elements, dict(types))

    assert MOULD.texts(item, key(("pk", "S"))) == ("customer#1",)
    assert MOULD.texts(item, key(("pk", "S"), ("total", "N"))) == ("customer#1", "84.47")
    assert MOULD.texts(item, key(("pk", "N"))) is None
    assert MOULD.texts(item, key(("pk", "S"), ("active", "S"))) is None
    assert MOULD.texts(item, key(("pk", "S"), ("absent", "S"))) is None


@given(st.data())
def test_what_is_cast_is_what_the_general_way_makes(drawn: SimpleNamespace, data: st.DataObject) -> None:
    fixed = {f"fixed{at}": data.draw(drawn.scalars) for at in range(data.draw(st.integers(0, 2)))} | {"pk": {"S": "x"}}
    examples = [data.draw(drawn.items) | fixed for _ in range(data.draw(st.integers(1, 2)))]
    mould = mould_of(*examples)
    if mould is None:
        return
    for example in examples:
        assert cast(mould, body_of(example)) == generally(body_of(example))
    other = copy.deepcopy(data.draw(st.sampled_from(examples)))
    for name in list(other):
        change = data.draw(st.integers(0, 5))
        if change == 0:
            other[name] = data.draw(st.one_of(drawn.values, drawn.anything))
        elif change == 1 and name != "pk":
            del other[name]
        elif change == 2:
            (kind,) = other[name]
            if kind in ("S", "N"):
                other[name] = {kind: data.draw(st.one_of(st.text(max_size=3), st.integers().map(str)))}
    body = body_of(other)
    found = cast(mould, body)
    assert found is None or found == generally(body)
