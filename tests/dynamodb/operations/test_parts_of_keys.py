"""A part of a key attribute, of the table's or of an index's, is refused wherever an expression names one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

SENTENCE = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
BY_G = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
KEY = {"p": {"S": "a"}}
VALUES = {"ExpressionAttributeValues": {":v": {"S": "a"}}}


@pytest.mark.parametrize(("path", "what"), [("p[0]", "Key: p"), ("g.a", "IndexKey: g")])
def test_refused_everywhere(client: Any, new_table: Callable[..., str], path: str, what: str) -> None:
    table = new_table("p", GlobalSecondaryIndexes=[BY_G])
    condition = {"ConditionExpression": f"v = :v OR {path} = :v", **VALUES}
    chosen = {"ProjectionExpression": f"v, {path}"}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("put_item", {"TableName": table, "Item": KEY, **condition}),
        ("delete_item", {"TableName": table, "Key": KEY, **condition}),
        ("update_item", {"TableName": table, "Key": KEY, "UpdateExpression": "SET v = :v", **condition}),
        ("update_item", {"TableName": table, "Key": KEY, "UpdateExpression": f"SET w = if_not_exists(w, {path})"}),
        ("get_item", {"TableName": table, "Key": KEY, **chosen}),
        ("scan", {"TableName": table, **chosen}),
        ("scan", {"TableName": table, "FilterExpression": f"{path} = :v", **VALUES}),
        ("query", {"TableName": table, "KeyConditionExpression": "p = :v", **VALUES, **chosen}),
        ("batch_get_item", {"RequestItems": {table: {"Keys": [KEY], **chosen}}}),
        ("transact_get_items", {"TransactItems": [{"Get": {"TableName": table, "Key": KEY, **chosen}}]}),
    ]
    for operation, document in calls:
        with pytest.raises(ClientError, match="ValidationException") as refused:
            getattr(client, operation)(**document)
        assert refused.value.response["Error"]["Message"] == SENTENCE + what, operation


def test_parts_of_other_attributes_are_read(client: Any, new_table: Callable[..., str]) -> None:
    table = new_table("p", GlobalSecondaryIndexes=[BY_G])
    client.put_item(TableName=table, Item={**KEY, "m": {"M": {"p": {"S": "x"}}}})
    found = client.get_item(TableName=table, Key=KEY, ProjectionExpression="p, m.p")
    assert found["Item"] == {**KEY, "m": {"M": {"p": {"S": "x"}}}}


def test_in_needs_operands_that_differ_from_its_first(client: Any, new_table: Callable[..., str]) -> None:
    with pytest.raises(ClientError) as refused:
        client.put_item(
            TableName=new_table("p"),
            Item=KEY,
            ConditionExpression="v[0] IN (:v, #v[0])",
            ExpressionAttributeNames={"#v": "v"},
            **VALUES,
        )
    assert refused.value.response["Error"]["Message"] == (
        "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator "
        "or function; operator: IN, first operand: [v, [0]]"
    )


def test_if_not_exists_needs_another_operand(client: Any, new_table: Callable[..., str]) -> None:
    with pytest.raises(ClientError) as refused:
        client.update_item(TableName=new_table("p"), Key=KEY, UpdateExpression="SET v = if_not_exists(w, w)")
    assert refused.value.response["Error"]["Message"] == (
        "Invalid UpdateExpression: The first operand must be distinct from the remaining operands for this operator or "
        "function; operator: if_not_exists, first operand: [w]"
    )
