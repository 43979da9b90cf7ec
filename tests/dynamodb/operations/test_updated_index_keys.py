"""What an update makes of an index's key: AWS has sentences of its own for it, as users and public suites recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

BY_G = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
KEY = {"p": {"S": "a"}}
EMPTY = (
    "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a "
    "value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value."
)
UNSUPPORTED = "The update expression attempted to update the secondary index key to unsupported type"
MISMATCH = (
    "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g"
)


def refusal(call: Callable[..., Any], **document: Any) -> str:
    with pytest.raises(ClientError, match="ValidationException") as refused:
        call(**document)
    return str(refused.value.response["Error"]["Message"])


@pytest.mark.parametrize(
    ("update", "value", "sentence"),
    [
        ("SET g = :v", {"S": ""}, EMPTY),
        ("SET g = :v", {"N": "1"}, MISMATCH),
        ("SET g = if_not_exists(g, :v)", {"S": ""}, EMPTY),
        ("SET g = if_not_exists(g, :v)", {"N": "1"}, UNSUPPORTED),
        ("SET w = g[1] ADD g :v", {"N": "1"}, MISMATCH),
        ("SET g = w - :v", {"N": "1"}, MISMATCH),
    ],
)
def test_refused(client: Any, new_table: Callable[..., str], update: str, value: dict[str, str], sentence: str) -> None:
    table = new_table("p", GlobalSecondaryIndexes=[BY_G])
    members = {"TableName": table, "Key": KEY, "UpdateExpression": update, "ExpressionAttributeValues": {":v": value}}
    assert refusal(client.update_item, **members) == sentence
    assert "Item" not in client.get_item(TableName=table, Key=KEY)


def test_an_empty_one_refuses_a_transaction_as_a_whole(client: Any, new_table: Callable[..., str]) -> None:
    table = new_table("p", GlobalSecondaryIndexes=[BY_G])
    update = {"UpdateExpression": "SET g = :v", "ExpressionAttributeValues": {":v": {"S": ""}}}
    items = [{"Update": {"TableName": table, "Key": KEY, **update}}]
    assert refusal(client.transact_write_items, TransactItems=items) == EMPTY
    put = refusal(
        client.transact_write_items, TransactItems=[{"Put": {"TableName": table, "Item": {**KEY, "g": {"S": ""}}}}]
    )
    assert put.endswith("cannot contain an empty string value. IndexName: by-g, IndexKey: g")
    statement = f"UPDATE \"{table}\" SET g = '' WHERE p = 'a'"
    assert refusal(client.execute_statement, Statement=statement) == EMPTY


def test_an_item_older_than_its_index_is_not_updated_until_it_fits(client: Any, new_table: Callable[..., str]) -> None:
    table = new_table("p")
    client.put_item(TableName=table, Item={**KEY, "g": {"N": "1"}})
    client.update_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in "pg"],
        GlobalSecondaryIndexUpdates=[{"Create": BY_G}],
    )
    assert refusal(client.update_item, TableName=table, Key=KEY, UpdateExpression="SET w = p") == UNSUPPORTED
    client.update_item(TableName=table, Key=KEY, UpdateExpression="SET w = p REMOVE g")
