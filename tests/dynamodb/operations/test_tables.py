"""CreateTable, DescribeTable, ListTables, UpdateTable and DeleteTable through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

INDEX = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


def code_of(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_a_new_table_is_described_as_aws_does(client: Any, new_table: Any) -> None:
    name = new_table("p", "n", GlobalSecondaryIndexes=[INDEX], Tags=[{"Key": "team", "Value": "x"}])
    table = client.describe_table(TableName=name)["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["TableArn"] == f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}"
    assert table["KeySchema"] == [
        {"AttributeName": "p", "KeyType": "HASH"},
        {"AttributeName": "n", "KeyType": "RANGE"},
    ]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert (table["ItemCount"], table["TableSizeBytes"]) == (0, 0)
    index = table["GlobalSecondaryIndexes"][0]
    assert (index["IndexStatus"], index["IndexArn"]) == ("ACTIVE", f"{table['TableArn']}/index/by-g")


def test_waiters_of_boto3_end(client: Any, new_table: Any) -> None:
    name = new_table("p")
    client.get_waiter("table_exists").wait(TableName=name)
    assert client.delete_table(TableName=name)["TableDescription"]["TableStatus"] == "DELETING"
    client.get_waiter("table_not_exists").wait(TableName=name)


def test_a_table_made_anew_is_empty(client: Any, new_table: Any) -> None:
    name = new_table("p")
    description = client.describe_table(TableName=name)["Table"]
    client.put_item(TableName=name, Item={"p": {"S": "x"}})
    client.delete_table(TableName=name)
    definition = {key: description[key] for key in ("TableName", "KeySchema", "AttributeDefinitions")}
    client.create_table(BillingMode="PAY_PER_REQUEST", **definition)
    assert client.scan(TableName=name)["Items"] == []
    assert client.describe_table(TableName=name)["Table"]["TableId"] != description["TableId"]


def test_names_are_listed_in_pages(client: Any, new_table: Any) -> None:
    made = {new_table("p") for _ in range(3)}
    found: list[str] = []
    request: dict[str, Any] = {"Limit": 2}
    while True:
        answer = client.list_tables(**request)
        assert len(answer["TableNames"]) <= 2
        found += answer["TableNames"]
        if "LastEvaluatedTableName" not in answer:
            break
        request["ExclusiveStartTableName"] = answer["LastEvaluatedTableName"]
    assert made <= set(found)
    assert found == sorted(found)


def test_tables_that_are_not_there_or_there_already(client: Any, new_table: Any) -> None:
    assert code_of(lambda: client.describe_table(TableName="Absent")) == "ResourceNotFoundException"
    assert code_of(lambda: client.delete_table(TableName="Absent")) == "ResourceNotFoundException"
    name = new_table("p")
    assert code_of(lambda: new_table("p", TableName=name)) == "ResourceInUseException"


def test_one_table_too_many(client: Any, new_table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = new_table("p")
    monkeypatch.setattr("trine.dynamodb.storage.tables.TABLES_PER_ACCOUNT_MAX_COUNT", 1)
    with pytest.raises(client.exceptions.LimitExceededException, match="limit of 1 tables"):
        new_table("p")
    key = {"KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    definition = {"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}], **key}
    with pytest.raises(client.exceptions.ResourceInUseException):  # which of the two comes first
        client.create_table(TableName=name, **definition)


def test_deletion_protection_protects(client: Any, new_table: Any) -> None:
    name = new_table("p", DeletionProtectionEnabled=True)
    assert code_of(lambda: client.delete_table(TableName=name)) == "ValidationException"
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=name)


def test_an_index_added_later_is_filled(client: Any, new_table: Any, table_server: Any) -> None:
    name = new_table("p")
    for at in range(600):
        client.put_item(TableName=name, Item={"p": {"S": str(at)}, "g": {"S": "x"}, "v": {"N": str(at)}})
    changed = client.update_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "g", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexUpdates=[{"Create": INDEX}],
    )
    assert changed["TableDescription"]["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    index: dict[str, Any] = {"IndexStatus": "CREATING"}
    for _ in range(1000):
        index = client.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"][0]
        if index["IndexStatus"] == "ACTIVE":
            break
    assert index["ItemCount"] == 600
    found = client.query(
        TableName=name,
        IndexName="by-g",
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": {"S": "x"}},
        Select="COUNT",
    )
    assert found["Count"] == 600
    client.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-g"}}])
    assert "GlobalSecondaryIndexes" not in client.describe_table(TableName=name)["Table"]


def test_updates_that_aws_refuses(client: Any, new_table: Any) -> None:
    name = new_table("p")
    create = {"Create": INDEX}
    assert code_of(lambda: client.update_table(TableName=name)) == "ValidationException"
    assert (
        code_of(lambda: client.update_table(TableName=name, GlobalSecondaryIndexUpdates=[create, create]))
        == "ValidationException"
    )
    other = {"Create": {**INDEX, "IndexName": "other"}}
    assert (
        code_of(lambda: client.update_table(TableName=name, GlobalSecondaryIndexUpdates=[create, other]))
        == "LimitExceededException"
    )
    gone = [{"Delete": {"IndexName": "absent"}}]
    assert (
        code_of(lambda: client.update_table(TableName=name, GlobalSecondaryIndexUpdates=gone))
        == "ResourceNotFoundException"
    )
    same = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    client.update_table(TableName=name, BillingMode="PROVISIONED", ProvisionedThroughput=same)
    assert code_of(lambda: client.update_table(TableName=name, ProvisionedThroughput=same)) == "ValidationException"
    assert client.describe_table(TableName=name)["Table"]["ProvisionedThroughput"]["ReadCapacityUnits"] == 5


@pytest.mark.parametrize("mode", ["PAY_PER_REQUEST", "PROVISIONED"])
def test_what_the_answer_that_creates_a_table_leaves_out(client: Any, mode: str) -> None:
    """Recorded on AWS by LocalStack's public suite, October 2025: what is not there yet is not told."""
    units = (
        {"ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}}
        if mode != "PAY_PER_REQUEST"
        else {}
    )
    asked = {"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000}
    for name, warm in ((f"Cold{mode}", {}), (f"Warm{mode}", {"WarmThroughput": asked})):
        index = {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
            **units,
            **warm,
        }
        created = client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in "pg"],
            BillingMode=mode,
            GlobalSecondaryIndexes=[index],
            **units,
            **warm,
        )["TableDescription"]
        kept = client.describe_table(TableName=name)["Table"]
        for made, now in ((created, kept), (created["GlobalSecondaryIndexes"][0], kept["GlobalSecondaryIndexes"][0])):
            assert made.get("WarmThroughput") == ({**asked, "Status": "UPDATING"} if warm else None)
            assert now["WarmThroughput"]["Status"] == "ACTIVE"
        if mode == "PAY_PER_REQUEST":
            assert created["BillingModeSummary"] == {"BillingMode": mode}
            assert "LastUpdateToPayPerRequestDateTime" in kept["BillingModeSummary"]
