"""CreateTable's rules: a document whose shape is right in, a `TableDefinition` out, or AWS's refusal.

Types, lengths and enumerations are the shape's business. Here: keys that are defined, index keys, projections,
throughput against billing mode, counts. UpdateTable uses `define_index` for the indexes it adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import (
    CAPACITY_MAX_UNITS,
    GLOBAL_INDEXES_MAX_COUNT,
    INDEX_KEY_ATTRIBUTES_MAX_COUNT,
    LOCAL_INDEXES_MAX_COUNT,
    PROJECTED_ATTRIBUTES_MAX_COUNT,
)
from trine.dynamodb.model.key import KeySchema
from trine.dynamodb.model.table import IndexDefinition, TableDefinition, index_from_document

_INVALID = "One or more parameter values were invalid: "
Elements = Sequence[Mapping[str, Any]]


def define_table(document: Mapping[str, Any]) -> TableDefinition:
    """The definition in CreateTable's `document`. ValidationException with AWS's sentence."""
    on_demand = document.get("BillingMode") == "PAY_PER_REQUEST"
    _check_throughput(document, on_demand)
    check_on_demand(document, on_demand)
    check_encryption(document.get("SSESpecification"))
    definitions = document["AttributeDefinitions"]
    types = {definition["AttributeName"]: definition["AttributeType"] for definition in definitions}
    if len(types) != len(definitions):
        defined = _names(definitions)
        twice = next(name for name in defined if defined.count(name) > 1)
        raise ValidationException(f"Attribute Name is duplicated: {twice}")
    key_schema = document["KeySchema"]
    if len(key_schema) > len(definitions):
        raise ValidationException("Invalid KeySchema: Some index key attribute have no definition")
    _check_defined(key_schema, types)
    _check_roles(key_schema, several=False)
    local, global_ = document.get("LocalSecondaryIndexes"), document.get("GlobalSecondaryIndexes")
    if local is None and global_ is None and len(key_schema) != len(definitions):
        raise ValidationException(
            f"{_INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions"
        )
    key = KeySchema.from_document(key_schema, types)
    names: set[str] = set()
    if local is not None:
        _check_local_indexes(local, types, key, names)
    if global_ is not None:
        _check_global_indexes(global_, types, key, names, on_demand)
    _check_used(definitions, key_schema, [*(local or ()), *(global_ or ())])
    _check_stream(document.get("StreamSpecification"))
    definition = TableDefinition.from_document(document)
    check_projected_attributes(definition.indexes)
    return definition


def define_index(
    document: Mapping[str, Any], types: Mapping[str, str], table_key: KeySchema, *, on_demand: bool
) -> IndexDefinition:
    """One global secondary index to add; `types` are those of all `AttributeDefinitions`. ValidationException."""
    _check_index(document, types)
    _check_roles(document["KeySchema"], several=True)
    _check_projection(document)
    _check_index_throughput(document, on_demand)
    return index_from_document(document, types, table_key)


def check_projected_attributes(indexes: Sequence[IndexDefinition]) -> None:
    """ValidationException when the INCLUDE projections of a table name too many attributes together."""
    count = sum(len(index.non_key_attributes) for index in indexes)
    if count > PROJECTED_ATTRIBUTES_MAX_COUNT:
        raise ValidationException(
            f"{_INVALID}Number of projected attributes exceeds the per-table limit of "
            f"{PROJECTED_ATTRIBUTES_MAX_COUNT}: NonKeyAttributes count is {count}"
        )


def _check_throughput(document: Mapping[str, Any], on_demand: bool) -> None:
    given = document.get("ProvisionedThroughput")
    if on_demand:
        if given:
            raise ValidationException(
                f"{_INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
                "PAY_PER_REQUEST"
            )
        return
    if not given or not given.get("ReadCapacityUnits") or not given.get("WriteCapacityUnits"):
        raise ValidationException(
            f"{_INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )
    check_bounds(given)


def check_on_demand(document: Mapping[str, Any], on_demand: bool) -> None:
    """ValidationException for ceilings that a table cannot have; −1 is none."""
    for member, units in (document.get("OnDemandThroughput") or {}).items():
        if not on_demand:
            raise ValidationException(
                f"{_INVALID}{member} for OnDemandThroughput cannot be specified when the table BillingMode is "
                "PROVISIONED"
            )
        if units < 1 and units != -1:
            raise ValidationException(
                f"{_INVALID}Requested {member} for OnDemandThroughput for table is outside of valid range"
            )


def check_encryption(wish: Mapping[str, Any] | None) -> None:
    """ValidationException for members of SSESpecification that exclude each other."""
    if not wish:
        return
    if not wish.get("Enabled"):
        for member in ("SSEType", "KMSMasterKeyId"):
            if member in wish:
                raise ValidationException(f"{_INVALID}{member} can not be specified if Enabled is false")
    elif wish.get("SSEType") == "AES256":
        raise ValidationException(f"{_INVALID}SSEType AES256 is not supported")
    elif "KMSMasterKeyId" in wish and "SSEType" not in wish:
        raise ValidationException(f"{_INVALID}SSEType KMS is required if KMSMasterKeyId is specified")


def check_bounds(throughput: Mapping[str, Any], index_name: str | None = None) -> None:
    """ValidationException for units beyond what AWS takes at all."""
    for member in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if throughput[member] > CAPACITY_MAX_UNITS:
            where = "" if index_name is None else f" for index {index_name}"
            raise ValidationException(f"Given value {throughput[member]} for {member} is out of bounds{where}")


def _check_index_throughput(document: Mapping[str, Any], on_demand: bool) -> None:
    given = document.get("ProvisionedThroughput")
    name = document["IndexName"]
    if on_demand and given:
        raise ValidationException(
            f"{_INVALID}ProvisionedThroughput should not be specified for index: {name} when BillingMode is "
            "PAY_PER_REQUEST"
        )
    if not on_demand:
        if not given:
            raise ValidationException(f"{_INVALID}ProvisionedThroughput is not specified for index: {name}")
        check_bounds(given, name)


def _names(elements: Elements) -> list[str]:
    return [element["AttributeName"] for element in elements]


def _check_defined(key_schema: Elements, types: Mapping[str, str]) -> None:
    names = _names(key_schema)
    if any(name not in types for name in names):
        raise ValidationException(
            f"{_INVALID}Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(types)}]"
        )


def _check_roles(key_schema: Elements, *, several: bool) -> None:
    names, roles = _names(key_schema), [element["KeyType"] for element in key_schema]
    if len(set(names)) != len(names):
        raise ValidationException("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    if roles[0] != "HASH":
        raise ValidationException("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if several:
        if "RANGE" in roles and "HASH" in roles[roles.index("RANGE") :]:
            raise ValidationException(
                f"{_INVALID}All HASH key attributes must precede RANGE key attributes in the KeySchema"
            )
        for role in ("HASH", "RANGE"):
            if roles.count(role) > INDEX_KEY_ATTRIBUTES_MAX_COUNT:
                raise ValidationException(
                    f"{_INVALID}The KeySchema exceeds the maximum allowed number of {role} key attributes"
                )
        return
    if len(roles) > 2:
        raise ValidationException(
            f"1 validation error detected: Value '{_schema_text(key_schema)}' at 'keySchema' failed to satisfy "
            "constraint: Member must have length less than or equal to 2"
        )
    if len(roles) == 2 and roles[1] != "RANGE":
        raise ValidationException("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")


def _schema_text(key_schema: Elements) -> str:
    elements = [
        f"KeySchemaElement(attributeName={element['AttributeName']}, keyType={element['KeyType']})"
        for element in key_schema
    ]
    return f"[{', '.join(elements)}]"


def _check_index(document: Mapping[str, Any], types: Mapping[str, str]) -> None:
    _check_defined(document["KeySchema"], types)


def _check_projection(document: Mapping[str, Any]) -> None:
    projection = document["Projection"]
    kind = projection.get("ProjectionType")
    if kind is None:
        raise ValidationException(f"{_INVALID}Unknown ProjectionType: null")
    attributes = projection.get("NonKeyAttributes")
    if kind == "INCLUDE" and not attributes:
        raise ValidationException(f"{_INVALID}ProjectionType is {kind}, but NonKeyAttributes is not specified")
    if kind != "INCLUDE" and attributes is not None:
        raise ValidationException(f"{_INVALID}ProjectionType is {kind}, but NonKeyAttributes is specified")
    if attributes and len(set(attributes)) != len(attributes):
        twice = next(name for name in attributes if attributes.count(name) > 1)
        raise ValidationException(f"{_INVALID}Duplicate element in NonKeyAttributes: {twice}")


def _check_name(document: Mapping[str, Any], names: set[str]) -> None:
    name = document["IndexName"]
    if name in names:
        raise ValidationException(f"{_INVALID}Duplicate index name: {name}")
    names.add(name)


def _check_local_indexes(indexes: Elements, types: Mapping[str, str], key: KeySchema, names: set[str]) -> None:
    if not indexes:
        raise ValidationException(f"{_INVALID}List of LocalSecondaryIndexes is empty")
    if not key.sort:
        raise ValidationException(
            f"{_INVALID}Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex"
        )
    table_hash = key.partition[0].name
    for document in indexes:
        _check_index(document, types)
        _check_roles(document["KeySchema"], several=False)
        keys = _names(document["KeySchema"])
        if len(keys) != 2:
            raise ValidationException(
                f"{_INVALID}Index KeySchema does not have a range key for index: {document['IndexName']}"
            )
        if keys[0] != table_hash:
            raise ValidationException(
                f"{_INVALID}Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                f"{document['IndexName']}. index hash key: {keys[0]}, table hash key: {table_hash}"
            )
        _check_projection(document)
        _check_name(document, names)
    if len(indexes) > LOCAL_INDEXES_MAX_COUNT:
        raise ValidationException(
            f"{_INVALID}Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_INDEXES_MAX_COUNT}"
        )


def _check_global_indexes(
    indexes: Elements, types: Mapping[str, str], key: KeySchema, names: set[str], on_demand: bool
) -> None:
    if not indexes:
        raise ValidationException(f"{_INVALID}List of GlobalSecondaryIndexes is empty")
    for document in indexes:
        define_index(document, types, key, on_demand=on_demand)
        _check_name(document, names)
    if len(indexes) > GLOBAL_INDEXES_MAX_COUNT:
        raise ValidationException(
            f"{_INVALID}GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_INDEXES_MAX_COUNT}"
        )


def _check_used(definitions: Elements, key_schema: Elements, indexes: Elements) -> None:
    used = dict.fromkeys(_names(key_schema))
    for document in indexes:
        used |= dict.fromkeys(_names(document["KeySchema"]))
    if len(used) != len(definitions):
        raise ValidationException(
            f"{_INVALID}Some AttributeDefinitions are not used. "
            f"AttributeDefinitions: [{', '.join(_names(definitions))}], keys used: [{', '.join(used)}]"
        )


def _check_stream(specification: Mapping[str, Any] | None) -> None:
    if not specification:
        return
    if specification.get("StreamEnabled") and not specification.get("StreamViewType"):
        raise ValidationException(f"{_INVALID}Table is being created with a stream enabled, UpdateViewType is required")
    if not specification.get("StreamEnabled") and specification.get("StreamViewType"):
        raise ValidationException(
            f"{_INVALID}Table is being created with a stream disabled, UpdateViewType should not be specified"
        )
