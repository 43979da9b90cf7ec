"""A new table of a template that begins with items: `ImportSourceSpecification`.

The template's wish and the table's definition enter; the table leaves when all its items are there, as CloudFormation
makes a stack wait. A bucket is a folder beside the state (`transfer`). What goes wrong leaves no table, so that the
next start tries again; a table that exists is never imported into.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.members import dynamodb_model
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.operations.create_table import first_record
from trine.dynamodb.operations.import_table import prepare
from trine.dynamodb.operations.operation import Rooms
from trine.dynamodb.storage.table import Table

_PARAMETERS = (
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "SSESpecification",
    "GlobalSecondaryIndexes",
)


def _request(source: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """ImportTable's request, checked."""
    parameters = {name: document[name] for name in _PARAMETERS if name in document}
    request = dynamodb_model().check("ImportTable", {**source, "TableCreationParameters": parameters})
    prepare(request)
    return request


async def imported(
    rooms: Rooms, source: Mapping[str, Any], document: dict[str, Any], definition: TableDefinition
) -> Table:
    """The new table with the items of `source`, an `ImportSourceSpecification`; `document` holds CreateTable's members.

    SerializationException or ValidationException when the source is wrong, or has no items to give.
    """
    request = _request(source, document)
    wish = {"InputCompressionType": "NONE", **request, "ClientToken": rooms.ids.uuid(), "Request": request}
    done = await rooms.transfers.imports.complete(definition, first_record(rooms, document, definition), wish)
    table = rooms.tables.find(definition.name)
    if done["Status"] == "COMPLETED" and table is not None:
        return table
    if table is not None:
        await rooms.tables.drop(table)
    bucket = request["S3BucketSource"]
    faults = f" ({done['ErrorCount']} of {done['ProcessedItemCount']} items)" if done["ErrorCount"] else ""
    raise ValidationException(
        f"The import from {bucket['S3Bucket']}/{bucket.get('S3KeyPrefix', '')} failed: "
        f"{done.get('FailureMessage', done['Status'])}{faults}"
    )
