"""The codec against botocore's service model: the structs accept what the model accepts, and nothing else."""

from __future__ import annotations

import typing
from types import UnionType
from typing import Any

import msgspec
import pytest

from trine.dynamodb import shape
from trine.dynamodb.errors import SerializationException, ValidationException
from trine.dynamodb.members import dynamodb_model

PACKAGE = "com.amazonaws.dynamodb.v20120810."
STRUCTS = {
    "GetItem": shape.GetItemInput,
    "PutItem": shape.PutItemInput,
    "DeleteItem": shape.DeleteItemInput,
    "UpdateItem": shape.UpdateItemInput,
    "Query": shape.QueryInput,
    "Scan": shape.ScanInput,
    "BatchGetItem": shape.BatchGetItemInput,
    "BatchWriteItem": shape.BatchWriteItemInput,
    "TransactGetItems": shape.TransactGetItemsInput,
    "TransactWriteItems": shape.TransactWriteItemsInput,
    "ExecuteStatement": shape.ExecuteStatementInput,
    "BatchExecuteStatement": shape.BatchExecuteStatementInput,
    "ExecuteTransaction": shape.ExecuteTransactionInput,
}


def bare(kind: Any) -> Any:
    """A field's type without None and without constraints."""
    if isinstance(kind, UnionType) or typing.get_origin(kind) is typing.Union:
        (kind,) = [part for part in typing.get_args(kind) if part is not type(None)]
    return kind.__origin__ if hasattr(kind, "__metadata__") else kind


def check(kind: Any, name: str, where: str) -> None:
    """A struct's field (or element) of type `kind` against the model's shape `name`."""
    if name == "AttributeValue":
        return
    model = dynamodb_model().shapes[name]
    kind = bare(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        assert set(fields) == set(model["members"]), where
        required = {name for name, field in fields.items() if field.default is msgspec.NODEFAULT}
        assert required == set(model.get("required", ())), where
        for member, field in fields.items():
            check(field.type, model["members"][member]["shape"], f"{where}.{member}")
    elif typing.get_origin(kind) is typing.Literal:
        assert set(typing.get_args(kind)) == set(model["enum"]), where
    elif typing.get_origin(kind) is list:
        assert model["type"] == "list"
        check(typing.get_args(kind)[0], model["member"]["shape"], f"{where}[]")
    elif typing.get_origin(kind) is dict:
        assert model["type"] == "map"
        if typing.get_args(kind)[1] is not Any:
            check(typing.get_args(kind)[1], model["value"]["shape"], f"{where}{{}}")
    else:
        assert {str: "string", int: "integer", bool: "boolean"}[kind] == model["type"], where


@pytest.mark.parametrize("operation", STRUCTS)
def test_a_struct_has_the_members_of_the_model(operation: str) -> None:
    check(STRUCTS[operation], dynamodb_model().input_shape(operation), operation)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"TableName":5}', "NUMBER_VALUE cannot be converted to String"),
        (b'{"TableName":true}', "TRUE_VALUE cannot be converted to String"),
        (b'{"TableName":1.5}', "DECIMAL_VALUE cannot be converted to String"),
        (b'{"TableName":{}}', "Start of structure or map found where not expected"),
        (b'{"TableName":[]}', "Unrecognized collection type class java.lang.String"),
        (b'{"TableName":"abc","Key":"x"}', "Unexpected field type"),
        (
            b'{"TableName":"abc","Key":[]}',
            f"Unrecognized collection type java.util.Map<java.lang.String, {PACKAGE}AttributeValue>",
        ),
        (b'{"TableName":"abc","Key":{"p":7}}', "Unexpected value type in payload"),
        (b'{"TableName":"abc","Key":{},"ConsistentRead":"x"}', "Unexpected token received from parser"),
        (b'{"TableName":"abc","Key":{},"AttributesToGet":{}}', "Start of structure or map found where not expected"),
    ],
)
def test_wrong_types_are_told_in_the_words_of_aws(body: bytes, message: str) -> None:
    with pytest.raises(SerializationException) as caught:
        shape.codec("GetItem", shape.GetItemInput)(body)
    assert caught.value.message == message


def test_every_broken_constraint_is_listed() -> None:
    body = b'{"TableName":"a;","Key":{},"ReturnConsumedCapacity":"x","AttributesToGet":[]}'
    with pytest.raises(ValidationException) as caught:
        shape.codec("GetItem", shape.GetItemInput)(body)
    assert caught.value.message.startswith("4 validation errors detected: Value 'a;' at 'tableName' failed to satisfy")
    assert "[INDEXES, TOTAL, NONE]" in caught.value.message


def test_a_name_that_backtracks_for_ever_is_refused_at_once() -> None:
    body = b'{"TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/t", "S3Bucket": "%s!"}' % (b"a" * 100_000)
    with pytest.raises(ValidationException, match="Member must satisfy regular expression pattern"):
        shape.DocumentCodec("ExportTableToPointInTime")(body)


def test_nulls_count_as_absent() -> None:
    codec = shape.codec("GetItem", shape.GetItemInput)
    assert codec(b'{"TableName":"abc","Key":{},"ConsistentRead":null,"Unknown":1}').consistent_read is None
    with pytest.raises(ValidationException):
        codec(b'{"TableName":null,"Key":{}}')


def test_nested_members_are_named_by_their_place() -> None:
    body = (
        b'{"TableName":"abc","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"Q"}],'
        b'"KeySchema":[{"AttributeName":"a"}]}'
    )
    with pytest.raises(ValidationException) as caught:
        shape.DocumentCodec("CreateTable")(body)
    assert caught.value.message == (
        "2 validation errors detected: Value 'Q' at 'attributeDefinitions.1.member.attributeType' failed to satisfy "
        "constraint: Member must satisfy enum value set: [B, N, S]; Value null at 'keySchema.1.member.keyType' failed "
        "to satisfy constraint: Member must not be null"
    )


def test_a_name_may_be_an_arn() -> None:
    assert shape.table_name_of("arn:aws:dynamodb:us-east-1:123456789012:table/Users") == "Users"
    assert shape.table_name_of("arn:aws:dynamodb:us-east-1:123456789012:table/Users/index/x") == "Users"
    assert shape.table_name_of("Users") == "Users"


NAMED = [name for name, struct in STRUCTS.items() if "table_name" in struct.__struct_fields__]
REST = {
    "PutItem": b'"Item":{}',
    "Query": b'"Limit":1',
    "Scan": b'"Limit":1',
}


@pytest.mark.parametrize("operation", NAMED)
def test_names_of_tables_keep_their_pattern_whatever_was_asked_before(operation: str) -> None:
    codec = shape.codec(operation, STRUCTS[operation])
    rest = REST.get(operation, b'"Key":{}')
    for _ in range(2):
        for name in (b"abc", b"arn:aws:dynamodb:us-east-1:123456789012:table/abc", b"a" * 255):
            assert codec(b'{"TableName":"%b",%b}' % (name, rest)).table_name == name.decode()
        for name in (b"a;c", b"ab", b"a" * 256, "äbc".encode()):
            with pytest.raises(ValidationException, match="failed to satisfy constraint"):
                codec(b'{"TableName":"%b",%b}' % (name, rest))


def test_names_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "NAMES_KEPT_MAX_COUNT", 3)
    monkeypatch.setattr(shape, "NAMES_KEPT", set())
    codec = shape.codec("GetItem", shape.GetItemInput)
    for number in range(10):
        codec(b'{"TableName":"table%d","Key":{}}' % number)
        assert 1 <= len(shape.NAMES_KEPT) <= 3
