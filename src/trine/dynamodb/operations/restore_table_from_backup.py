"""RestoreTableFromBackup: a new table with a backup's items; CREATING until all of them are there."""

from __future__ import annotations

from asyncio import Future
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.model.table_definition import define_table
from trine.dynamodb.operations.backup_answers import BackupInUseException, backup_of, on_backup
from trine.dynamodb.operations.create_table import after, described
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.backups import Backup
from trine.dynamodb.storage.tables import Table

_OVERRIDES = {
    "BillingModeOverride": "BillingMode",
    "GlobalSecondaryIndexOverride": "GlobalSecondaryIndexes",
    "LocalSecondaryIndexOverride": "LocalSecondaryIndexes",
    "ProvisionedThroughputOverride": "ProvisionedThroughput",
    "OnDemandThroughputOverride": "OnDemandThroughput",
    "SSESpecificationOverride": "SSESpecification",
}


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Make the table and answer; its items come behind the answer. Stream, tags and expiry stay behind, as on AWS."""
    backup = backup_of(rooms, document["BackupArn"])
    if backup["Status"] != "AVAILABLE":
        raise BackupInUseException(f"Backup is being used: {backup['Arn']}")
    definition = _definition(backup, document)
    now = rooms.clock.now()
    restore = {
        "Number": backup["Number"],
        "BackupArn": backup["Arn"],
        "TableArn": rooms.place.table(backup["Source"]["TableName"]),
        "At": now,
        "InProgress": True,
    }
    record: dict[str, Any] = {"Restore": restore, "Status": "CREATING", "Tags": {}}
    if definition.billing_mode == "PAY_PER_REQUEST":
        record["OnDemandSince"] = now

    def follow(table: Table) -> bytes:
        rooms.backups.restore(table)
        return described(rooms, table)

    return after(rooms.tables.create(definition, record), follow)


def _definition(backup: Backup, document: Document) -> TableDefinition:
    """The backed-up definition under its new name, with the request's overrides."""
    wanted = dict(backup["Source"]["Definition"])
    wanted["TableName"] = document["TargetTableName"]
    for member in ("StreamSpecification", "Tags", "ResourcePolicy"):
        wanted.pop(member, None)
    for override, member in _OVERRIDES.items():
        if override in document:
            wanted[member] = document[override]
    if wanted["BillingMode"] == "PAY_PER_REQUEST":
        wanted.pop("ProvisionedThroughput", None)
    names = {index["IndexName"] for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
             for index in backup["Source"]["Definition"].get(kind) or ()}  # fmt: skip
    used = {element["AttributeName"] for element in wanted["KeySchema"]}
    for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for index in wanted.get(kind) or ():
            if index["IndexName"] not in names:
                raise ValidationException(f"Indexes can be left out of a restore, not added: {index['IndexName']}")
            used |= {element["AttributeName"] for element in index["KeySchema"]}
        if not wanted.get(kind):
            wanted.pop(kind, None)
    wanted["AttributeDefinitions"] = [one for one in wanted["AttributeDefinitions"] if one["AttributeName"] in used]
    return define_table(wanted)


RESTORE_TABLE_FROM_BACKUP = Operation(
    "RestoreTableFromBackup",
    DocumentCodec("RestoreTableFromBackup"),
    on_backup("RestoreTableFromBackup"),
    no_plan,
    execute,
)
