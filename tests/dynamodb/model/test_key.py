"""Keys: what a request may give for them, with AWS's sentences."""

from __future__ import annotations

from typing import Any

import pytest

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.key import KeyAttribute, KeySchema, check_index_key, check_item_key, check_key

SCHEMA = KeySchema((KeyAttribute("pk", "S"),), (KeyAttribute("sk", "B"),))
GOOD: dict[str, Any] = {"pk": {"S": "a"}, "sk": {"B": "YQ=="}}
INVALID = "One or more parameter values were invalid: "
EMPTY = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "


def test_good_ones_pass_and_one_change_makes_them_bad() -> None:
    check_key(SCHEMA, GOOD)
    check_item_key(SCHEMA, {**GOOD, "more": {"N": "1"}})
    check_index_key("i", SCHEMA, {"pk": {"S": "a"}})
    check_key(KeySchema((KeyAttribute("n", "N"),)), {"n": {"N": "0"}})
    for bad in ({**GOOD, "more": {"N": "1"}}, {**GOOD, "pk": {"N": "1"}}):
        with pytest.raises(ValidationException):
            check_key(SCHEMA, bad)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({}, "The provided key element does not match the schema"),
        ({"pk": {"S": "a"}}, "The provided key element does not match the schema"),
        ({**GOOD, "x": {"S": "a"}}, "The provided key element does not match the schema"),
        ({"pk": {"S": "a"}, "other": {"B": "YQ=="}}, "The provided key element does not match the schema"),
        ({"pk": {"N": "1"}, "sk": {"B": "YQ=="}}, "The provided key element does not match the schema"),
        ({"pk": {"S": ""}, "sk": {"B": "YQ=="}}, f"{EMPTY}string value. Key: pk"),
        ({"pk": {"S": "a"}, "sk": {"B": ""}}, f"{EMPTY}binary value. Key: sk"),
        (
            {"pk": {"S": "a" * 2049}, "sk": {"B": "YQ=="}},
            f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        (
            {"pk": {"S": "a"}, "sk": {"B": "YWFh" * 342}},
            f"{INVALID}Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
        ),
    ],
)
def test_key_refused(key: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as refusal:
        check_key(SCHEMA, key)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"sk": {"B": "YQ=="}}, f"{INVALID}Missing the key pk in the item"),
        ({"pk": {"S": "a"}}, f"{INVALID}Missing the key sk in the item"),
        ({**GOOD, "pk": {"BOOL": True}}, f"{INVALID}Type mismatch for key pk expected: S actual: BOOL"),
        ({**GOOD, "pk": {"S": ""}}, f"{EMPTY}string value. Key: pk"),
    ],
)
def test_item_refused(item: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as refusal:
        check_item_key(SCHEMA, item)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"pk": {"N": "1"}}, f"{INVALID}Type mismatch for Index Key pk Expected: S Actual: N IndexName: by"),
        (
            {"pk": {"S": ""}},
            (
                "One or more parameter values are not valid. A value specified for a secondary index key is not "
                "supported. The AttributeValue for a key attribute cannot contain an empty string value. "
                "IndexName: by, IndexKey: pk"
            ),
        ),
        ({"pk": {"S": "a" * 2049}}, f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    ],
)
def test_index_key_refused(item: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as refusal:
        check_index_key("by", SCHEMA, item)
    assert refusal.value.message == message


def test_limits_are_bytes_not_characters() -> None:
    schema = KeySchema((KeyAttribute("pk", "S"),))
    check_key(schema, {"pk": {"S": "é" * 1024}})
    with pytest.raises(ValidationException):
        check_key(schema, {"pk": {"S": "é" * 1024 + "e"}})


def test_document_and_back() -> None:
    schema = KeySchema(tuple(KeyAttribute(f"h{n}", "S") for n in range(4)), (KeyAttribute("r", "N"),))
    types = {attribute.name: attribute.type for attribute in schema.attributes}
    assert KeySchema.from_document(schema.document(), types) == schema
    assert schema.names == ("h0", "h1", "h2", "h3", "r")
