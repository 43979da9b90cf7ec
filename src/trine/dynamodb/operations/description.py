"""TableDescription: a live table in AWS's members, as DescribeTable and its kin answer it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from trine.dynamodb.model.table import Throughput, warm_from
from trine.dynamodb.operations.operation import Rooms
from trine.dynamodb.storage.table import Index, Table

_MANAGED_KEY = "alias/aws/dynamodb"
"""What KMS calls the key that it keeps for DynamoDB in every account."""

_WARM_READS_PER_SECOND = 12_000
_WARM_WRITES_PER_SECOND = 4_000


def describe(rooms: Rooms, table: Table, status: str | None = None) -> dict[str, Any]:
    """The table's description; `status` when it is another than the table's own.

    In the answer that creates a table AWS tells warm throughput only where it was asked for, and no time of the billing
    mode (recorded by LocalStack's public suite, October 2025).
    """
    definition, record = table.definition, table.record
    document: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": attribute.name, "AttributeType": attribute.type} for attribute in definition.attributes
        ],
        "TableName": table.name,
        "KeySchema": definition.key.document(),
        "TableStatus": status or table.status,
        "CreationDateTime": round(table.created_at, 3),
        "ProvisionedThroughput": _throughput(definition.throughput, record.get("ThroughputChanges")),
        "TableSizeBytes": counted(rooms, table.size_key),
        "ItemCount": counted(rooms, table.count_key),
        "TableArn": table.arn,
        "TableId": record["TableId"],
        "DeletionProtectionEnabled": definition.deletion_protection,
    }
    on_demand = definition.billing_mode == "PAY_PER_REQUEST"
    document |= _billing(table, on_demand, status)
    if definition.on_demand_throughput is not None:
        document["OnDemandThroughput"] = _on_demand(definition.on_demand_throughput)
    if definition.table_class != "STANDARD" or "TableClassSince" in record:
        document["TableClassSummary"] = {"TableClass": definition.table_class}
    document |= _warm_throughput(definition.throughput, on_demand, warm_from(definition.settings), status)
    local = [_index(rooms, index, None, on_demand) for index in table.indexes if not index.definition.is_global]
    if local:
        document["LocalSecondaryIndexes"] = local
    globally = [_index(rooms, index, status, on_demand) for index in table.indexes if index.definition.is_global]
    if globally:
        document["GlobalSecondaryIndexes"] = globally
    return document | _stream(table) | _restore(table) | _encryption(rooms, table)


def _billing(table: Table, on_demand: bool, status: str | None) -> dict[str, Any]:
    record = table.record
    if on_demand:
        summary: dict[str, Any] = {"BillingMode": "PAY_PER_REQUEST"}
        if status != "CREATING":
            since = round(record.get("OnDemandSince", table.created_at), 3)
            summary["LastUpdateToPayPerRequestDateTime"] = since
        return {"BillingModeSummary": summary}
    if "OnDemandSince" in record:
        since = round(record["OnDemandSince"], 3)
        return {"BillingModeSummary": {"BillingMode": "PROVISIONED", "LastUpdateToPayPerRequestDateTime": since}}
    return {}


def _stream(table: Table) -> dict[str, Any]:
    document: dict[str, Any] = {}
    view = table.definition.stream_view_type
    if view is not None:
        document["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    if table.record.get("Streams"):
        document["LatestStreamLabel"] = table.record["Streams"][-1]["Label"]
        document["LatestStreamArn"] = table.stream_arn
    return document


def _restore(table: Table) -> dict[str, Any]:
    restore = table.record.get("Restore")
    if restore is None:
        return {}
    summary = {
        "SourceTableArn": restore["TableArn"],
        "RestoreDateTime": round(restore["At"], 3),
        "RestoreInProgress": restore["InProgress"],
    }
    if "BackupArn" in restore:
        summary["SourceBackupArn"] = restore["BackupArn"]
    return {"RestoreSummary": summary}


def _encryption(rooms: Rooms, table: Table) -> dict[str, Any]:
    given = table.definition.settings.get("SSESpecification")
    if not given or not given.get("Enabled"):
        return {}
    return {
        "SSEDescription": {
            "Status": "ENABLED",
            "SSEType": given.get("SSEType", "KMS"),
            "KMSMasterKeyArn": _key_arn(rooms, given.get("KMSMasterKeyId", _MANAGED_KEY)),
        }
    }


def counted(rooms: Rooms, key: bytes) -> int:
    """The value of one of the table's counters."""
    value = rooms.store.get(key)
    return int.from_bytes(value, "big", signed=True) if value is not None else 0


def _index(rooms: Rooms, index: Index, table_status: str | None, on_demand: bool) -> dict[str, Any]:
    definition = index.definition
    document: dict[str, Any] = {
        "IndexName": index.name,
        "KeySchema": definition.key.document(),
        "Projection": definition.projection_document(),
        "IndexSizeBytes": counted(rooms, index.size_key),
        "ItemCount": counted(rooms, index.count_key),
        "IndexArn": index.arn,
    }
    if definition.is_global:
        document["IndexStatus"] = "CREATING" if table_status == "CREATING" else index.status
        if index.status == "CREATING" and index.backfilling:
            document["Backfilling"] = True
        document["ProvisionedThroughput"] = _throughput(definition.throughput, None)
        if definition.on_demand_throughput is not None:
            document["OnDemandThroughput"] = _on_demand(definition.on_demand_throughput)
        document |= _warm_throughput(definition.throughput, on_demand, definition.warm_throughput, table_status)
    return document


def _throughput(throughput: Throughput | None, changes: dict[str, Any] | None) -> dict[str, Any]:
    document: dict[str, Any] = {"NumberOfDecreasesToday": 0}
    document.update(changes or {})
    document["ReadCapacityUnits"] = throughput.read_units if throughput is not None else 0
    document["WriteCapacityUnits"] = throughput.write_units if throughput is not None else 0
    return document


def _on_demand(throughput: Throughput) -> dict[str, int]:
    return {"MaxReadRequestUnits": throughput.read_units, "MaxWriteRequestUnits": throughput.write_units}


def _warm_throughput(
    throughput: Throughput | None, on_demand: bool, warm: Throughput | None, table_status: str | None
) -> dict[str, Any]:
    if table_status == "CREATING" and warm is None:
        return {}
    # A new on-demand table takes 12,000 reads and 4,000 writes a second; a provisioned one what it was given.
    if on_demand or throughput is None:
        reads, writes = _WARM_READS_PER_SECOND, _WARM_WRITES_PER_SECOND
    else:
        reads, writes = throughput.read_units, throughput.write_units
    if warm is not None:
        reads, writes = max(reads, warm.read_units), max(writes, warm.write_units)
    status = "UPDATING" if table_status == "CREATING" else "ACTIVE"
    return {"WarmThroughput": {"ReadUnitsPerSecond": reads, "WriteUnitsPerSecond": writes, "Status": status}}


def _key_arn(rooms: Rooms, key: str) -> str:
    """The ARN of a key that was named by its id, its ARN or an alias.

    The account's key for DynamoDB has an id of its own, as on AWS (LocalStack's snapshots), the same for all tables;
    which key another alias means is not known here, where there is no KMS.
    """
    if key.startswith("arn:"):
        return key
    arn = rooms.place.arn("kms", key if "/" in key else f"key/{key}")
    if key != _MANAGED_KEY:
        return arn
    digest = sha256(arn.encode()).hexdigest()
    return rooms.place.arn("kms", f"key/{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}")
