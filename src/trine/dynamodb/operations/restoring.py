"""What every restore shares: the new table's definition and record, and the answer when it stands."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Mapping
from typing import Any

from trine.aws.errors import AwsError
from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.model.table_definition import define_table
from trine.dynamodb.operations.create_table import after, described
from trine.dynamodb.operations.operation import Rooms
from trine.dynamodb.shape import Document
from trine.dynamodb.storage.table import Table

OVERRIDES = {
    "BillingModeOverride": "BillingMode",
    "GlobalSecondaryIndexOverride": "GlobalSecondaryIndexes",
    "LocalSecondaryIndexOverride": "LocalSecondaryIndexes",
    "ProvisionedThroughputOverride": "ProvisionedThroughput",
    "OnDemandThroughputOverride": "OnDemandThroughput",
    "SSESpecificationOverride": "SSESpecification",
}
"""Members of a restore's request that replace the source's own."""


class TableAlreadyExistsException(AwsError):
    """A table of the target's name exists."""

    code = "TableAlreadyExistsException"
    status = 400


def restored_table(
    rooms: Rooms, source: Mapping[str, Any], document: Document, restore: Mapping[str, Any]
) -> Future[bytes]:
    """Make the target and answer; its items come behind the answer. Stream, tags and expiry stay behind, as on AWS.

    `source` is the definition's document, `restore` what the table's record keeps of where its items come from.
    """
    name = document["TargetTableName"]
    definition = _definition(source, document)
    if rooms.tables.find(name) is not None:
        raise TableAlreadyExistsException(f"Table already exists: {name}")
    record: dict[str, Any] = {"Restore": {**restore, "InProgress": True}, "Status": "CREATING", "Tags": {}}
    if definition.billing_mode == "PAY_PER_REQUEST":
        record["OnDemandSince"] = rooms.clock.now()

    def follow(table: Table) -> bytes:
        rooms.restores.start(table)
        return described(rooms, table)

    return after(rooms.tables.create(definition, record), follow)


def _definition(source: Mapping[str, Any], document: Document) -> TableDefinition:
    """The source's definition under its new name, with the request's overrides."""
    wanted = dict(source)
    wanted["TableName"] = document["TargetTableName"]
    for member in ("StreamSpecification", "Tags", "ResourcePolicy"):
        wanted.pop(member, None)
    for override, member in OVERRIDES.items():
        if override in document:
            wanted[member] = document[override]
    if wanted["BillingMode"] == "PAY_PER_REQUEST":
        wanted.pop("ProvisionedThroughput", None)
    names = {index["IndexName"] for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
             for index in source.get(kind) or ()}  # fmt: skip
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
