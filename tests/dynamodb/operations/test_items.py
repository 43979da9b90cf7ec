"""PutItem, GetItem, UpdateItem and DeleteItem through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def code_of(call: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


INVALID = "One or more parameter values were invalid: "
ALL_TYPES = {
    "p": {"S": "all"},
    "number": {"N": "-12345678901234567890.123456789"},
    "binary": {"B": b"\x00\xff"},
    "strings": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2.5"]},
    "binaries": {"BS": [b"x", b"y"]},
    "map": {"M": {"é": {"L": [{"S": ""}, {"NULL": True}]}}},
    "list": {"L": []},
    "truth": {"BOOL": False},
    "nothing": {"NULL": True},
}


def test_all_ten_types_come_back_as_they_went(client: Any, new_table: Any) -> None:
    name = new_table("p")
    client.put_item(TableName=name, Item=ALL_TYPES)
    item = client.get_item(TableName=name, Key={"p": {"S": "all"}})["Item"]
    assert item == ALL_TYPES


def test_numbers_come_back_normalised(client: Any, new_table: Any) -> None:
    name = new_table("p")
    client.put_item(TableName=name, Item={"p": {"S": "x"}, "a": {"N": "+1.500e2"}})
    assert client.get_item(TableName=name, Key={"p": {"S": "x"}})["Item"]["a"] == {"N": "150"}


def test_an_absent_item_is_no_item(client: Any, new_table: Any) -> None:
    answer = client.get_item(TableName=new_table("p"), Key={"p": {"S": "none"}}, ReturnConsumedCapacity="TOTAL")
    assert "Item" not in answer
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 0.5


def test_a_projection_chooses_parts(client: Any, new_table: Any) -> None:
    name = new_table("p")
    client.put_item(TableName=name, Item=ALL_TYPES)
    answer = client.get_item(
        TableName=name,
        Key={"p": {"S": "all"}},
        ProjectionExpression="truth, #m",
        ExpressionAttributeNames={"#m": "map"},
    )
    assert answer["Item"] == {"truth": {"BOOL": False}, "map": ALL_TYPES["map"]}


def test_put_returns_the_old_item_when_asked(client: Any, new_table: Any) -> None:
    name = new_table("p")
    first = client.put_item(TableName=name, Item={"p": {"S": "x"}, "v": {"N": "1"}}, ReturnValues="ALL_OLD")
    assert "Attributes" not in first
    second = client.put_item(TableName=name, Item={"p": {"S": "x"}}, ReturnValues="ALL_OLD")
    assert second["Attributes"] == {"p": {"S": "x"}, "v": {"N": "1"}}
    code, _ = code_of(lambda: client.put_item(TableName=name, Item={"p": {"S": "x"}}, ReturnValues="ALL_NEW"))
    assert code == "ValidationException"


def test_a_false_condition_changes_nothing_and_may_return_the_item(client: Any, new_table: Any) -> None:
    name = new_table("p")
    item = {"p": {"S": "x"}, "v": {"N": "1"}}
    client.put_item(TableName=name, Item=item)
    with pytest.raises(ClientError) as caught:
        client.put_item(
            TableName=name,
            Item={"p": {"S": "x"}},
            ConditionExpression="attribute_not_exists(p)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert caught.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert caught.value.response["Item"] == item
    assert client.get_item(TableName=name, Key={"p": {"S": "x"}})["Item"] == item


def test_errors_come_in_the_order_of_aws(client: Any, new_table: Any) -> None:
    name = new_table("p")
    wrong, right, open_ = {"p": {"N": "x"}}, {"p": {"S": "x"}}, "attribute_exists("
    not_a_number = ("ValidationException", "The parameter cannot be converted to a numeric value: x")
    # Parameters that exclude each other, then values, then expressions, then whether there is such a table.
    code, message = code_of(
        lambda: client.put_item(TableName="Absent", Item=wrong, ConditionExpression=open_, Expected={"v": {}})
    )
    assert (code, message[:19]) == ("ValidationException", "Can not use both ex")
    assert code_of(lambda: client.put_item(TableName="Absent", Item=wrong, ConditionExpression=open_)) == not_a_number
    assert code_of(lambda: client.put_item(TableName=name, Item=wrong)) == not_a_number
    code, message = code_of(lambda: client.put_item(TableName="Absent", Item=right, ConditionExpression=open_))
    assert (code, message[:27]) == ("ValidationException", "Invalid ConditionExpression")
    code, _ = code_of(lambda: client.put_item(TableName="Absent", Item=right))
    assert code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({}, "One or more parameter values were invalid: Missing the key p in the item"),
        ({"p": {"N": "1"}}, "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N"),
        (
            {"p": {"S": ""}},
            (
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                "empty string value. Key: p"
            ),
        ),
        (
            {"p": {"S": "x" * 2049}},
            f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        ({"p": {"S": "x"}, "v": {"S": "y" * (400 * 1024)}}, "Item size has exceeded the maximum allowed size"),
        (
            {"p": {"S": "x"}, "v": {}},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
    ],
)
def test_items_that_no_table_takes(client: Any, new_table: Any, item: Any, message: str) -> None:
    name = new_table("p")
    assert code_of(lambda: client.put_item(TableName=name, Item=item)) == ("ValidationException", message)


def test_an_item_of_exactly_400_kb_is_kept(client: Any, new_table: Any) -> None:
    name = new_table("p")
    item = {"p": {"S": "x"}, "v": {"S": "y" * (400 * 1024 - 3)}}
    client.put_item(TableName=name, Item=item)
    assert client.get_item(TableName=name, Key={"p": {"S": "x"}})["Item"] == item


@pytest.mark.parametrize("key", [{}, {"q": {"S": "x"}}, {"p": {"N": "1"}}, {"p": {"S": "x"}, "q": {"S": "y"}}])
def test_a_key_must_be_the_tables(client: Any, new_table: Any, key: Any) -> None:
    name = new_table("p")
    for call in (client.get_item, client.delete_item, client.update_item):
        assert code_of(lambda call=call: call(TableName=name, Key=key)) == (
            "ValidationException",
            "The provided key element does not match the schema",
        )


def test_update_begins_an_item_from_its_key(client: Any, new_table: Any) -> None:
    name = new_table("p", "n")
    key = {"p": {"S": "x"}, "n": {"N": "1.0"}}
    client.update_item(TableName=name, Key=key)
    assert client.get_item(TableName=name, Key=key)["Item"] == {"p": {"S": "x"}, "n": {"N": "1"}}


@pytest.mark.parametrize(
    ("returned", "attributes"),
    [
        ("NONE", None),
        ("ALL_OLD", {"p": {"S": "x"}, "a": {"N": "1"}, "b": {"S": "old"}}),
        ("UPDATED_OLD", {"a": {"N": "1"}}),
        ("ALL_NEW", {"p": {"S": "x"}, "a": {"N": "3"}, "b": {"S": "old"}, "c": {"S": "new"}}),
        ("UPDATED_NEW", {"a": {"N": "3"}, "c": {"S": "new"}}),
    ],
)
def test_update_returns_what_is_asked_for(client: Any, new_table: Any, returned: str, attributes: Any) -> None:
    name = new_table("p")
    client.put_item(TableName=name, Item={"p": {"S": "x"}, "a": {"N": "1"}, "b": {"S": "old"}})
    answer = client.update_item(
        TableName=name,
        Key={"p": {"S": "x"}},
        UpdateExpression="SET a = a + :two, c = :new",
        ExpressionAttributeValues={":two": {"N": "2"}, ":new": {"S": "new"}},
        ReturnValues=returned,
    )
    assert answer.get("Attributes") == attributes


def test_an_update_may_not_touch_the_key(client: Any, new_table: Any) -> None:
    name = new_table("p")
    code, message = code_of(
        lambda: client.update_item(
            TableName=name,
            Key={"p": {"S": "x"}},
            UpdateExpression="SET p = :v",
            ExpressionAttributeValues={":v": {"S": "y"}},
        )
    )
    assert code == "ValidationException"
    assert message.endswith("Cannot update attribute p. This attribute is part of the key")


def test_an_update_may_not_outgrow_the_item(client: Any, new_table: Any) -> None:
    name = new_table("p")
    client.put_item(TableName=name, Item={"p": {"S": "x"}, "v": {"S": "y" * 409000}})
    assert code_of(
        lambda: client.update_item(
            TableName=name,
            Key={"p": {"S": "x"}},
            UpdateExpression="SET w = :v",
            ExpressionAttributeValues={":v": {"S": "z" * 1000}},
        )
    ) == ("ValidationException", "Item size to update has exceeded the maximum allowed size")


def test_delete_removes_and_returns(client: Any, new_table: Any) -> None:
    name = new_table("p")
    item = {"p": {"S": "x"}, "v": {"N": "1"}}
    client.put_item(TableName=name, Item=item)
    code, _ = code_of(
        lambda: client.delete_item(
            TableName=name,
            Key={"p": {"S": "x"}},
            ConditionExpression="v > :v",
            ExpressionAttributeValues={":v": {"N": "1"}},
        )
    )
    assert code == "ConditionalCheckFailedException"
    assert client.delete_item(TableName=name, Key={"p": {"S": "x"}}, ReturnValues="ALL_OLD")["Attributes"] == item
    assert "Attributes" not in client.delete_item(TableName=name, Key={"p": {"S": "x"}}, ReturnValues="ALL_OLD")


def test_capacity_counts_sizes_and_indexes(client: Any, new_table: Any) -> None:
    index = {
        "IndexName": "by-g",
        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    name = new_table("p", GlobalSecondaryIndexes=[index])
    big = {"p": {"S": "x"}, "g": {"S": "1"}, "v": {"S": "y" * 3000}}
    put = client.put_item(TableName=name, Item=big, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    assert put["Table"] == {"CapacityUnits": 3.0}
    assert put["GlobalSecondaryIndexes"] == {"by-g": {"CapacityUnits": 1.0}}
    moved = client.put_item(TableName=name, Item={**big, "g": {"S": "2"}}, ReturnConsumedCapacity="INDEXES")
    assert moved["ConsumedCapacity"]["GlobalSecondaryIndexes"] == {"by-g": {"CapacityUnits": 2.0}}
    same = client.put_item(
        TableName=name, Item={**big, "g": {"S": "2"}, "v": {"S": "z"}}, ReturnConsumedCapacity="INDEXES"
    )
    assert "GlobalSecondaryIndexes" not in same["ConsumedCapacity"]
    got = client.get_item(TableName=name, Key={"p": {"S": "x"}}, ConsistentRead=True, ReturnConsumedCapacity="TOTAL")
    assert got["ConsumedCapacity"] == {"TableName": name, "CapacityUnits": 1.0}


def test_a_table_may_be_named_by_its_arn(client: Any, new_table: Any) -> None:
    arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{new_table('p')}"
    client.put_item(TableName=arn, Item={"p": {"S": "x"}})
    assert client.get_item(TableName=arn, Key={"p": {"S": "x"}})["Item"] == {"p": {"S": "x"}}


def test_collection_metrics_are_for_tables_with_local_indexes(client: Any, new_table: Any) -> None:
    local = {
        "IndexName": "by-l",
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    with_index, without = new_table("p", "s", LocalSecondaryIndexes=[local]), new_table("p", "s")
    item = {"p": {"S": "x"}, "s": {"S": "y"}}
    answer = client.put_item(TableName=with_index, Item=item, ReturnItemCollectionMetrics="SIZE")
    assert answer["ItemCollectionMetrics"]["ItemCollectionKey"] == {"p": {"S": "x"}}
    assert "ItemCollectionMetrics" not in client.put_item(
        TableName=without, Item=item, ReturnItemCollectionMetrics="SIZE"
    )


MAP_KEYS = (
    "failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to "
    "255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: "
    "[a-zA-Z0-9_.-]+]"
)


def test_batches_tell_what_is_wrong_with_a_table_name(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.batch_get_item(RequestItems={"bad!name": {"Keys": [{"p": {"S": "a"}}]}})
    shown = '{"bad!name":{"Keys":[{"p":{"S":"a"}}]}}'
    assert caught.value.response["Error"]["Message"] == (
        f"1 validation error detected: Value '{shown}' at 'requestItems' {MAP_KEYS}"
    )
    with pytest.raises(ClientError) as caught:
        client.batch_write_item(RequestItems={"no": [{"DeleteRequest": {"Key": {"p": {"S": "a"}}}}]})
    shown = "{no=[WriteRequest(putRequest=null, deleteRequest=DeleteRequest(key={p={S=a}}))]}"
    assert caught.value.response["Error"]["Message"] == (
        f"1 validation error detected: Value '{shown}' at 'requestItems' {MAP_KEYS}"
    )


def test_a_batch_does_not_mix_expressions_with_what_they_replaced(client: Any, new_table: Any) -> None:
    one, two, keys = new_table("p"), new_table("p"), [{"p": {"S": "a"}}]
    with pytest.raises(ClientError, match="Can not use both expression and non-expression parameters"):
        client.batch_get_item(
            RequestItems={
                one: {"Keys": keys, "ProjectionExpression": "p"},
                two: {"Keys": keys, "AttributesToGet": ["p"]},
            }
        )
