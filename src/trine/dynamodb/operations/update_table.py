"""UpdateTable: throughput, billing, protection, class, streams, and global secondary indexes added, changed, removed.

AWS takes its time and shows UPDATING; here the answer says so too, and the change stands. A new index is filled behind
the answer and is CREATING until then.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trine.dynamodb.errors import LimitExceededException, ResourceNotFoundException, ValidationException
from trine.dynamodb.model.key import KeyAttribute
from trine.dynamodb.model.table import IndexDefinition, TableDefinition, on_demand_from, throughput_from, warm_from
from trine.dynamodb.model.table_definition import (
    check_bounds,
    check_encryption,
    check_on_demand,
    check_projected_attributes,
    define_index,
)
from trine.dynamodb.operations.create_table import after, described
from trine.dynamodb.operations.operation import Operation, Rooms, on_table
from trine.dynamodb.operations.stream_settings import streams_after
from trine.dynamodb.operations.update_rules import INVALID, check_changes
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of
from trine.dynamodb.storage.table import Table

GLOBAL_INDEXES_MAX_COUNT = 20


def prepare(document: Document) -> None:
    """Whether there is anything to change, and at most one change of each index."""
    check_changes(document)
    if "ReplicaUpdates" in document:
        raise ValidationException("ReplicaUpdates: global tables are not built into Trine")
    if "ProvisionedThroughput" in document:
        check_bounds(document["ProvisionedThroughput"])
        if document.get("BillingMode") == "PAY_PER_REQUEST":
            raise ValidationException(
                f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
                "BillingMode is PAY_PER_REQUEST"
            )
    _check_index_updates(document.get("GlobalSecondaryIndexUpdates"))


def _check_index_updates(updates: list[Document] | None) -> None:
    if updates is None:
        return
    names = []
    for update in updates:
        if len(update) != 1:
            raise ValidationException(
                f"{INVALID}Exactly one of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                "GlobalSecondaryIndexUpdate.Delete must not be null"
            )
        names += [wish["IndexName"] for wish in update.values()]
    for name in names:
        if names.count(name) > 1:
            raise ValidationException(
                f"{INVALID}Only one global secondary index update per index is allowed simultaneously. Index: {name}"
            )
    if sum(1 for update in updates if "Create" in update or "Delete" in update) > 1:
        raise LimitExceededException(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
        )


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Change the table and answer when that is durable."""
    table = rooms.tables.described(table_name_of(document["TableName"]))
    definition = _settings(table, document)
    members: dict[str, Any] = {}
    if definition.billing_mode == "PAY_PER_REQUEST" != table.definition.billing_mode:
        members["OnDemandSince"] = rooms.clock.now()
    if "TableClass" in document:
        members["TableClassSince"] = rooms.clock.now()
    if "StreamSpecification" in document:
        definition, streams = streams_after(table, definition, document["StreamSpecification"], rooms.clock.now())
        members |= streams
    for update in document.get("GlobalSecondaryIndexUpdates", ()):
        definition = _with_update(table, definition, document, update)
    _check_units_of_indexes(table, definition, document)
    changed = rooms.tables.change_indexes(table, definition, **members)
    return after(changed, _answer(rooms))


def _answer(rooms: Rooms) -> Callable[[Table], bytes]:
    def answer(changed: Table) -> bytes:
        rooms.backfills.start(changed)
        return described(rooms, changed, "UPDATING")

    return answer


def _settings(table: Table, document: Document) -> TableDefinition:
    definition = table.definition
    changes: dict[str, Any] = {}
    if "BillingMode" in document:
        changes["billing_mode"] = document["BillingMode"]
        if document["BillingMode"] == "PAY_PER_REQUEST":
            changes["throughput"] = None
            changes["global_indexes"] = tuple(replace(index, throughput=None) for index in definition.global_indexes)
        elif definition.billing_mode == "PAY_PER_REQUEST" and "ProvisionedThroughput" not in document:
            raise ValidationException(
                f"{INVALID}ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
            )
    if "ProvisionedThroughput" in document:
        changes["throughput"] = _provisioned(table, document, changes.get("billing_mode", definition.billing_mode))
    if "OnDemandThroughput" in document:
        mode = changes.get("billing_mode", definition.billing_mode)
        check_on_demand(document, mode == "PAY_PER_REQUEST")
        changes["on_demand_throughput"] = on_demand_from(document)
    if "TableClass" in document:
        changes["table_class"] = document["TableClass"]
    if "DeletionProtectionEnabled" in document:
        changes["deletion_protection"] = document["DeletionProtectionEnabled"]
    if "SSESpecification" in document:
        check_encryption(document["SSESpecification"])
        changes["settings"] = {**definition.settings, "SSESpecification": document["SSESpecification"]}
    if "WarmThroughput" in document:
        settings = changes.get("settings", definition.settings)
        changes["settings"] = {**settings, "WarmThroughput": document["WarmThroughput"]}
    return definition.changed(**changes)


def _provisioned(table: Table, document: Document, billing_mode: str) -> Any:
    if billing_mode == "PAY_PER_REQUEST":
        raise ValidationException(
            f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
            "BillingMode is PAY_PER_REQUEST"
        )
    wished, now = throughput_from(document), table.definition.throughput
    if wished == now and wished is not None and "GlobalSecondaryIndexUpdates" not in document:
        raise ValidationException(
            "The provisioned throughput for the table will not change. The requested value equals the current value. "
            f"Current ReadCapacityUnits provisioned for the table: {wished.read_units}. "
            f"Requested ReadCapacityUnits: {wished.read_units}. "
            f"Current WriteCapacityUnits provisioned for the table: {wished.write_units}. "
            f"Requested WriteCapacityUnits: {wished.write_units}. "
            "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        )
    return wished


def _with_update(table: Table, definition: TableDefinition, document: Document, update: Document) -> TableDefinition:
    if "Create" in update:
        return _with_index(definition, document, update["Create"])
    ((kind, wish),) = update.items()
    name = wish["IndexName"]
    known = definition.index_by_name.get(name)
    if known is not None and not known.is_global:
        raise ValidationException(f"Cannot {kind.lower()} an index that is not a GlobalSecondaryIndex: {name}")
    if known is None:
        raise ResourceNotFoundException(f"Requested resource not found: Index: {name} not found in table {table.name}")
    rest = tuple(index for index in definition.global_indexes if index.name != name)
    if kind == "Delete":
        return _trimmed(definition.changed(global_indexes=rest))
    return definition.changed(global_indexes=tuple(
        _updated(index, wish) if index.name == name else index for index in definition.global_indexes
    ))  # fmt: skip


def _check_units_of_indexes(table: Table, definition: TableDefinition, document: Document) -> None:
    """Where indexes have units of their own, and where they must not."""
    updates = document.get("GlobalSecondaryIndexUpdates", ())
    given = [wish["IndexName"] for update in updates for wish in update.values() if "ProvisionedThroughput" in wish]
    if definition.billing_mode == "PAY_PER_REQUEST":
        if given:
            raise ValidationException(
                f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {given[0]} "
                "when BillingMode is PAY_PER_REQUEST"
            )
        return
    if table.definition.billing_mode == "PAY_PER_REQUEST":
        missing = [index.name for index in definition.global_indexes if index.name not in given]
        if missing:
            raise ValidationException(
                f"{INVALID}ProvisionedThroughput must be specified for index: {','.join(missing)}"
            )


def _updated(index: IndexDefinition, wish: Document) -> IndexDefinition:
    return replace(
        index,
        throughput=throughput_from(wish) or index.throughput,
        on_demand_throughput=on_demand_from(wish) or index.on_demand_throughput,
        warm_throughput=warm_from(wish) or index.warm_throughput,
    )


def _with_index(definition: TableDefinition, document: Document, wish: Document) -> TableDefinition:
    if wish["IndexName"] in definition.index_by_name:
        raise ValidationException("Attempting to create an index which already exists")
    if len(definition.global_indexes) >= GLOBAL_INDEXES_MAX_COUNT:
        raise LimitExceededException(f"Number of indexes exceeds per-table limit of {GLOBAL_INDEXES_MAX_COUNT}")
    types = {attribute.name: attribute.type for attribute in definition.attributes}
    given: dict[str, str] = {}
    for attribute in document.get("AttributeDefinitions", ()):
        name, kind = attribute["AttributeName"], attribute["AttributeType"]
        if given.setdefault(name, kind) != kind or types.get(name, kind) != kind:
            raise ValidationException(
                f"{INVALID}Attributes cannot be redefined. Please check that your attribute has the same type as "
                f"previously defined. Attribute {name}: existing type {types.get(name, given[name])}, new type {kind}"
            )
    index = define_index(wish, given, definition.key, on_demand=definition.billing_mode == "PAY_PER_REQUEST")
    types |= given
    changed = definition.changed(
        global_indexes=(*definition.global_indexes, index),
        attributes=tuple(KeyAttribute(name, kind) for name, kind in types.items()),
    )
    check_projected_attributes(changed.indexes)
    unused = [name for name in given if name not in _used(changed)]
    if unused:
        raise ValidationException(
            f"{INVALID}Some AttributeDefinitions are not used. AttributeDefinitions: [{', '.join(given)}], "
            f"keys used: [{', '.join(sorted(_used(changed)))}]"
        )
    return changed


def _used(definition: TableDefinition) -> set[str]:
    return set(definition.key.names) | set(definition.index_key_names)


def _trimmed(definition: TableDefinition) -> TableDefinition:
    """Without the definitions of attributes that are part of no key any more."""
    used = _used(definition)
    return definition.changed(attributes=tuple(a for a in definition.attributes if a.name in used))


UPDATE_TABLE = Operation("UpdateTable", DocumentCodec("UpdateTable"), on_table("UpdateTable"), prepare, execute)
