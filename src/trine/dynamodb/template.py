"""A table as a template declares it: created, or brought in line with what is there.

The properties of an `AWS::DynamoDB::Table` (plain, resolved) enter; the live table leaves. CloudFormation's members
are turned into CreateTable's and checked by the same rules. An existing table keeps its items: settings and global
indexes follow the template; what only a new table could have (another key) is refused in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.members import dynamodb_model
from trine.dynamodb.model.key import KeySchema
from trine.dynamodb.model.table import IndexDefinition, TableDefinition
from trine.dynamodb.model.table_definition import define_table
from trine.dynamodb.operations.create_table import first_record
from trine.dynamodb.operations.operation import Rooms
from trine.dynamodb.operations.policies import MEMBER, compiled, policies_of
from trine.dynamodb.operations.stream_settings import label_of, streams_after
from trine.dynamodb.operations.tags import checked_tags
from trine.dynamodb.operations.update_continuous_backups import recovery_record, with_recovery
from trine.dynamodb.storage.table import Table

_SAME = (
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "LocalSecondaryIndexes",
    "GlobalSecondaryIndexes",
    "BillingMode",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "WarmThroughput",
    "TableClass",
    "DeletionProtectionEnabled",
    "Tags",
)
_COUNTS = frozenset(
    (
        "ReadCapacityUnits",
        "WriteCapacityUnits",
        "MaxReadRequestUnits",
        "MaxWriteRequestUnits",
        "ReadUnitsPerSecond",
        "WriteUnitsPerSecond",
        "RecoveryPeriodInDays",
    )
)


def create_table_input(properties: Mapping[str, Any]) -> dict[str, Any]:
    """CreateTable's members for a template's properties. SerializationException or ValidationException."""
    document = {name: properties[name] for name in _SAME if properties.get(name) is not None}
    stream = properties.get("StreamSpecification")
    if stream and stream.get("StreamViewType"):
        document["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream["StreamViewType"]}
    policy = (properties.get("ResourcePolicy") or {}).get("PolicyDocument")
    if policy:
        document["ResourcePolicy"] = policy if isinstance(policy, str) else orjson.dumps(policy).decode()
    encryption = properties.get("SSESpecification")
    if encryption:
        document["SSESpecification"] = {
            "Enabled" if name == "SSEEnabled" else name: value for name, value in encryption.items()
        }
    return dynamodb_model().check("CreateTable", _typed(document))


def _typed(value: Any, name: str = "") -> Any:
    """Templates write numbers and Booleans as text as often as not."""
    if isinstance(value, Mapping):
        return {key: _typed(part, key) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_typed(part, name) for part in value]
    if name in _COUNTS and isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value


async def table_from_template(rooms: Rooms, properties: Mapping[str, Any], stream_label: str | None = None) -> Table:
    """Create the table or bring it in line; the live table. AwsError when it cannot be.

    `stream_label` is what the template's `GetAtt StreamArn` ends in: the running stream's from now on.
    """
    document = create_table_input(properties)
    definition = define_table(document)
    checked_tags(document.get("Tags", ()))
    if "ResourcePolicy" in document:
        compiled(document["ResourcePolicy"], definition.name)
    expiry, recovery = _expiry_attribute(properties), _recovery(properties)
    table = rooms.tables.find(definition.name)
    if table is None and (source := properties.get("ImportSourceSpecification")):
        from trine.dynamodb.template_import import imported  # few templates begin with items

        table = await imported(rooms, source, document, definition)
    elif table is None:
        table = await rooms.tables.create(definition, first_record(rooms, document, definition))
    else:
        table = await _reconciled(rooms, table, document, definition)
    table = await _labelled(rooms, table, stream_label)
    rooms.policies.follow(table)
    if recovery is not None:
        table = await with_recovery(rooms, table, recovery)
    return await _with_expiry(rooms, table, expiry)


async def _labelled(rooms: Rooms, table: Table, label: str | None) -> Table:
    """Give the running stream the label by which the template knows it; an older one that had it gets its own back."""
    streams = [dict(stream) for stream in table.record.get("Streams", ())]
    if label is None or table.stream is None or streams[-1]["Label"] == label:
        return table
    for stream in streams:
        if stream["Label"] == label:
            stream["Label"] = label_of(stream["CreatedAt"])
    streams[-1]["Label"] = label
    return await rooms.tables.change(table, table.definition, Streams=streams)


def _expiry_attribute(properties: Mapping[str, Any]) -> str | None:
    wish = _typed(properties.get("TimeToLiveSpecification") or {})
    # CloudFormation passes Booleans on as it found them, text included.
    if str(wish.get("Enabled", False)).lower() != "true":
        return None
    document = {"TableName": "any", "TimeToLiveSpecification": {**wish, "Enabled": True}}
    checked = dynamodb_model().check("UpdateTimeToLive", document)
    return str(checked["TimeToLiveSpecification"]["AttributeName"])


def _recovery(properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the template says of recovery; None when it says nothing, and a history that was begun otherwise goes on."""
    wish = _typed(properties.get("PointInTimeRecoverySpecification") or {})
    if not wish:
        return None
    enabled = str(wish.get("PointInTimeRecoveryEnabled", False)).lower() == "true"
    specification = {**wish, "PointInTimeRecoveryEnabled": enabled}
    document = {"TableName": "any", "PointInTimeRecoverySpecification": specification}
    checked: dict[str, Any] = dynamodb_model().check("UpdateContinuousBackups", document)
    recovery_record(None, checked["PointInTimeRecoverySpecification"], 0.0)  # refuses before a table is made
    return dict(checked["PointInTimeRecoverySpecification"])


async def _with_expiry(rooms: Rooms, table: Table, attribute: str | None) -> Table:
    now = table.expiry
    if attribute == (now.attribute if now is not None else None):
        return table
    if now is not None:
        table = await rooms.tables.change(table, table.definition, TimeToLive=None)
        await rooms.store.delete_range(now.prefix, now.stop)
    if attribute is not None:
        member = {"AttributeName": attribute, "Status": "ENABLING"}
        table = await rooms.tables.change(table, table.definition, TimeToLive=member)
        rooms.backfills.start(table)
    return table


async def _reconciled(rooms: Rooms, table: Table, document: Mapping[str, Any], wanted: TableDefinition) -> Table:
    _refuse_another_key(table, wanted)
    members: dict[str, Any] = {}
    tags = {tag["Key"]: tag["Value"] for tag in document.get("Tags", ())}
    if tags != table.record.get("Tags", {}):
        members["Tags"] = tags
    policy = document.get("ResourcePolicy")
    if policy != policies_of(table).get(table.arn, {}).get("Policy"):
        kept = {arn: other for arn, other in policies_of(table).items() if arn != table.arn}
        if policy is not None:
            kept[table.arn] = {"Policy": policy, "RevisionId": str(int(rooms.clock.now() * 1000))}
        members[MEMBER] = kept
    definition = replace(wanted, stream_view_type=table.definition.stream_view_type)
    now = rooms.clock.now()
    if wanted.stream_view_type != definition.stream_view_type:
        if definition.stream_view_type is not None:
            definition, streams = streams_after(table, definition, {"StreamEnabled": False}, now)
            members |= streams
        if wanted.stream_view_type is not None:
            if members.get("Streams"):
                table = await rooms.tables.change(table, definition, **members)
            wish = {"StreamEnabled": True, "StreamViewType": wanted.stream_view_type}
            definition, streams = streams_after(table, definition, wish, now)
            members |= streams
    if definition.document() == table.definition.document() and not members:
        return table
    remaining = _kept(table, definition)
    if len(remaining) < len(table.definition.global_indexes):
        # AWS replaces an index whose projection changes: remove it first, so that it is made and filled anew.
        table = await rooms.tables.change_indexes(table, replace(definition, global_indexes=remaining), **members)
    table = await rooms.tables.change_indexes(table, definition, **members)
    rooms.backfills.start(table)
    return table


def _refuse_another_key(table: Table, wanted: TableDefinition) -> None:
    now = table.definition
    for what, have, want in (
        ("key", _in_words(now.key), _in_words(wanted.key)),
        ("local secondary indexes", _local(now), _local(wanted)),
    ):
        if have != want:
            raise ValidationException(
                f"Table {table.name} exists and its {what} cannot be changed: it has {have}, the template asks for "
                f"{want}. Give the table another name, or delete it first (its items go with it)."
            )


def _in_words(key: KeySchema) -> str:
    roles = [(attribute, "HASH") for attribute in key.partition] + [(attribute, "RANGE") for attribute in key.sort]
    return ", ".join(f"{attribute.name} ({attribute.type}, {role})" for attribute, role in roles)


def _local(definition: TableDefinition) -> str:
    indexes = sorted(definition.local_indexes, key=lambda index: index.name)
    return "; ".join(f"{index.name} by {_in_words(index.key)}" for index in indexes) or "none"


def _projections(definition: TableDefinition) -> dict[str, Any]:
    return {index.name: index.projection_document() for index in definition.global_indexes}


def _kept(table: Table, wanted: TableDefinition) -> tuple[IndexDefinition, ...]:
    projections = _projections(wanted)
    return tuple(
        index for index in table.definition.global_indexes if projections.get(index.name) == index.projection_document()
    )
