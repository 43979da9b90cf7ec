"""What the operations on backups share: finding one, and telling it in AWS's members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trine.aws.errors import AwsError
from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.operation import Permission, Rooms
from trine.dynamodb.shape import Document
from trine.dynamodb.storage.backups import Backup


class BackupNotFoundException(AwsError):
    """No backup has this ARN."""

    code = "BackupNotFoundException"
    status = 400


class BackupInUseException(AwsError):
    """The backup is being made, or restored from."""

    code = "BackupInUseException"
    status = 400


def backup_of(rooms: Rooms, arn: str) -> Backup:
    """The backup with this ARN. BackupNotFoundException or ValidationException."""
    if not arn.startswith("arn:") or "/backup/" not in arn:
        raise ValidationException(f"Invalid BackupArn provided as input {arn}")
    backup = rooms.backups.find(arn)
    if backup is None:
        raise BackupNotFoundException(f"Backup not found: {arn}")
    return backup


def on_backup(name: str) -> Callable[[Rooms, Document], Sequence[Permission]]:
    """The permission of an operation whose document names a backup."""
    action = f"dynamodb:{name}"
    return lambda rooms, document: ((action, document["BackupArn"], None),)


def details(backup: Backup) -> dict[str, Any]:
    """BackupDetails."""
    told = {
        "BackupArn": backup["Arn"],
        "BackupName": backup["Name"],
        "BackupSizeBytes": backup["SizeBytes"],
        "BackupStatus": backup["Status"],
        "BackupType": backup.get("Type", "USER"),
        "BackupCreationDateTime": round(backup["CreatedAt"], 3),
    }
    if "ExpiresAt" in backup:
        told["BackupExpiryDateTime"] = round(backup["ExpiresAt"], 3)
    return told


def summary(rooms: Rooms, backup: Backup) -> dict[str, Any]:
    """BackupSummary: the details and whose they are."""
    source = backup["Source"]
    return {
        **details(backup),
        "TableName": source["TableName"],
        "TableId": source["TableId"],
        "TableArn": rooms.place.table(source["TableName"]),
    }


def description(rooms: Rooms, backup: Backup, status: str | None = None) -> dict[str, Any]:
    """BackupDescription: the details, and the table as it was."""
    source = backup["Source"]
    definition = source["Definition"]
    throughput = definition.get("ProvisionedThroughput") or {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    features: dict[str, Any] = {
        member: definition[member]
        for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
        if definition.get(member)
    }
    if definition.get("StreamSpecification"):
        features["StreamDescription"] = definition["StreamSpecification"]
    if source.get("TimeToLive"):
        name = source["TimeToLive"]["AttributeName"]
        features["TimeToLiveDescription"] = {"TimeToLiveStatus": "ENABLED", "AttributeName": name}
    return {
        "BackupDetails": {**details(backup), "BackupStatus": status or backup["Status"]},
        "SourceTableDetails": {
            "TableName": source["TableName"],
            "TableId": source["TableId"],
            "TableArn": rooms.place.table(source["TableName"]),
            "TableSizeBytes": backup["SizeBytes"],
            "ItemCount": backup["ItemCount"],
            "KeySchema": definition["KeySchema"],
            "TableCreationDateTime": round(source["CreatedAt"], 3),
            "ProvisionedThroughput": throughput,
            "BillingMode": definition["BillingMode"],
        },
        "SourceTableFeatureDetails": features,
    }
