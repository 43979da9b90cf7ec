"""Backups: of one moment, listed, restored into new tables with their indexes, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

INDEX = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
LOOKS = 2_000


def code_of(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def available(client: Any, arn: str) -> dict[str, Any]:
    for _ in range(LOOKS):
        description = client.describe_backup(BackupArn=arn)["BackupDescription"]
        if description["BackupDetails"]["BackupStatus"] == "AVAILABLE":
            return dict(description)
    raise AssertionError("the backup was never available")


def active(client: Any, name: str) -> dict[str, Any]:
    for _ in range(LOOKS):
        table = client.describe_table(TableName=name)["Table"]
        if table["TableStatus"] == "ACTIVE":
            return dict(table)
    raise AssertionError("the table was never active")


def test_a_backup_is_of_its_moment_and_comes_back_whole(client: Any, new_table: Any) -> None:
    name = new_table("p", GlobalSecondaryIndexes=[INDEX])
    for at in range(300):
        client.put_item(TableName=name, Item={"p": {"S": str(at)}, "g": {"S": "x"}, "v": {"N": str(at)}})
    arn = client.create_backup(TableName=name, BackupName="first")["BackupDetails"]["BackupArn"]
    client.put_item(TableName=name, Item={"p": {"S": "later"}})
    client.delete_item(TableName=name, Key={"p": {"S": "1"}})
    assert available(client, arn)["SourceTableDetails"]["ItemCount"] == 300
    client.delete_table(TableName=name)
    restored = f"{name}-restored"
    made = client.restore_table_from_backup(TargetTableName=restored, BackupArn=arn)["TableDescription"]
    assert made["TableStatus"] == "CREATING"
    table = active(client, restored)
    assert (table["ItemCount"], table["GlobalSecondaryIndexes"][0]["ItemCount"]) == (300, 300)
    assert table["RestoreSummary"]["SourceBackupArn"] == arn
    assert client.get_item(TableName=restored, Key={"p": {"S": "1"}})["Item"]["v"] == {"N": "1"}
    found = client.query(
        TableName=restored,
        IndexName="by-g",
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": {"S": "x"}},
        Select="COUNT",
    )
    assert found["Count"] == 300
    assert code_of(lambda: client.restore_table_from_backup(TargetTableName=restored, BackupArn=arn)) == (
        "TableAlreadyExistsException"
    )
    bare = f"{name}-bare"
    client.restore_table_from_backup(TargetTableName=bare, BackupArn=arn, GlobalSecondaryIndexOverride=[])
    assert "GlobalSecondaryIndexes" not in active(client, bare)
    client.delete_backup(BackupArn=arn)
    assert code_of(lambda: client.describe_backup(BackupArn=arn)) == "BackupNotFoundException"
    assert client.scan(TableName=restored, Select="COUNT")["Count"] == 300


def test_backups_are_listed_by_table_in_pages(client: Any, new_table: Any) -> None:
    name = new_table("p")
    made = [
        client.create_backup(TableName=name, BackupName=f"b{at:02}")["BackupDetails"]["BackupArn"] for at in range(3)
    ]
    found: list[str] = []
    request: dict[str, Any] = {"TableName": name, "Limit": 2}
    while True:
        answer = client.list_backups(**request)
        found += [backup["BackupArn"] for backup in answer["BackupSummaries"]]
        if "LastEvaluatedBackupArn" not in answer:
            break
        request["ExclusiveStartBackupArn"] = answer["LastEvaluatedBackupArn"]
    assert found == sorted(made)
    assert client.list_backups(TableName=name, BackupType="SYSTEM")["BackupSummaries"] == []


def test_what_there_is_not(client: Any) -> None:
    assert code_of(lambda: client.create_backup(TableName="Absent", BackupName="abc")) == "TableNotFoundException"
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Absent/backup/00000000000000-00000000"
    assert code_of(lambda: client.describe_backup(BackupArn=arn)) == "BackupNotFoundException"
    assert code_of(lambda: client.delete_backup(BackupArn="x" * 40)) == "ValidationException"
