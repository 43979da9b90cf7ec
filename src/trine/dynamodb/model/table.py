"""The table as a value: keys, indexes, throughput and settings, frozen, to and from JSON documents.

A validated CreateTable document enters (`table_definition.define_table` makes it), the definition leaves: what every
room of the wing reads to know keys, index projections and settings. Status, counts and times are the storage's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from trine.dynamodb.model.attribute import AttributeValue, Item
from trine.dynamodb.model.key import KeyAttribute, KeySchema, check_index_key, check_item_key, check_updated_index_key

ProjectionType = Literal["ALL", "KEYS_ONLY", "INCLUDE"]
BillingMode = Literal["PROVISIONED", "PAY_PER_REQUEST"]


@dataclass(frozen=True, slots=True)
class Throughput:
    """Read and write units per second; provisioned, or the ceiling of an on-demand table (−1: none)."""

    read_units: int
    write_units: int


@dataclass(frozen=True)
class IndexDefinition:
    """A secondary index. `carried` are all attributes it holds: its keys, the table's, the projected ones."""

    name: str
    key: KeySchema
    projection_type: ProjectionType
    non_key_attributes: tuple[str, ...] = ()
    is_global: bool = True
    throughput: Throughput | None = None
    on_demand_throughput: Throughput | None = None
    warm_throughput: Throughput | None = None
    table_key: KeySchema = field(default=KeySchema(()), compare=False)

    @cached_property
    def carried(self) -> tuple[str, ...]:
        """Names of the attributes that an entry carries; of no meaning for ALL."""
        return tuple(dict.fromkeys((*self.key.names, *self.table_key.names, *self.non_key_attributes)))

    @cached_property
    def identity(self) -> KeySchema:
        """The index's key followed by the table's key attributes: what `LastEvaluatedKey` holds."""
        rest = tuple(a for a in self.table_key.attributes if a.name not in self.key.names)
        return KeySchema(self.key.partition, self.key.sort + rest)

    def holds(self, item: Item) -> bool:
        """Whether the index has an entry for `item`: it does when every key attribute is there (sparse)."""
        return self.key.has_key(item)

    def project(self, item: Item) -> Item:
        """What the index carries of `item`."""
        if self.projection_type == "ALL":
            return item
        return {name: item[name] for name in self.carried if name in item}

    def carries(self, attribute_name: str) -> bool:
        """Whether reads of this top-level attribute can be answered from the index alone."""
        return self.projection_type == "ALL" or attribute_name in self.carried

    def projection_document(self) -> dict[str, Any]:
        """AWS's `Projection`."""
        document: dict[str, Any] = {"ProjectionType": self.projection_type}
        if self.projection_type == "INCLUDE":
            document["NonKeyAttributes"] = list(self.non_key_attributes)
        return document


@dataclass(frozen=True)
class TableDefinition:
    """A table's definition. `settings` keeps further members of CreateTable as AWS spells them (`SSESpecification`)."""

    name: str
    key: KeySchema
    attributes: tuple[KeyAttribute, ...]
    local_indexes: tuple[IndexDefinition, ...] = ()
    global_indexes: tuple[IndexDefinition, ...] = ()
    billing_mode: BillingMode = "PROVISIONED"
    throughput: Throughput | None = None
    on_demand_throughput: Throughput | None = None
    stream_view_type: str | None = None
    table_class: str = "STANDARD"
    deletion_protection: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def indexes(self) -> tuple[IndexDefinition, ...]:
        """Every secondary index, local ones first."""
        return self.local_indexes + self.global_indexes

    @cached_property
    def index_by_name(self) -> Mapping[str, IndexDefinition]:
        """Every secondary index by its name."""
        return {index.name: index for index in self.indexes}

    @cached_property
    def index_key_names(self) -> frozenset[str]:
        """Attributes that are part of some index's key."""
        return frozenset(name for index in self.indexes for name in index.key.names)

    def attribute_type(self, name: str) -> str | None:
        """The defined type of a key attribute, or None."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute.type
        return None

    def check_item(self, item: Item) -> None:
        """ValidationException unless `item` (validated) has the table's key and fits the index keys."""
        check_item_key(self.key, item)
        for index in self.indexes:
            check_index_key(index.name, index.key, item)

    def check_given(self, values: Item) -> None:
        """ValidationException when one of the `values` that an update gives attributes is none for an index's key."""
        if not self.index_key_names.isdisjoint(values):
            own = self.key.names  # whatever its value, an update of one of these is refused as such
            rest = {name: value for name, value in values.items() if name not in own}
            for index in self.indexes:
                check_index_key(index.name, index.key, rest, given=True)

    def check_updated(self, item: Item) -> None:
        """ValidationException unless what an update made of an item fits the index keys."""
        for index in self.indexes:
            check_updated_index_key(index.key, item)

    def key_of(self, item: Item) -> dict[str, AttributeValue]:
        """The table's key attributes of `item`."""
        return self.key.key_of(item)

    def changed(self, **changes: Any) -> TableDefinition:
        """A copy with some members replaced."""
        return replace(self, **changes)

    def document(self) -> dict[str, Any]:
        """As a JSON document in CreateTable's own members; `from_document` reads it back."""
        document: dict[str, Any] = dict(self.settings)
        document |= {
            "TableName": self.name,
            "KeySchema": self.key.document(),
            "AttributeDefinitions": [{"AttributeName": a.name, "AttributeType": a.type} for a in self.attributes],
            "BillingMode": self.billing_mode,
            "TableClass": self.table_class,
            "DeletionProtectionEnabled": self.deletion_protection,
        }
        _put_throughput(document, self.throughput, self.on_demand_throughput)
        if self.local_indexes:
            document["LocalSecondaryIndexes"] = [_index_document(index) for index in self.local_indexes]
        if self.global_indexes:
            document["GlobalSecondaryIndexes"] = [_index_document(index) for index in self.global_indexes]
        if self.stream_view_type is not None:
            document["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": self.stream_view_type}
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TableDefinition:
        """From CreateTable's members, already validated (`table_definition.define_table` validates)."""
        types = {a["AttributeName"]: a["AttributeType"] for a in document["AttributeDefinitions"]}
        key = KeySchema.from_document(document["KeySchema"], types)
        stream = document.get("StreamSpecification") or {}
        return cls(
            name=document["TableName"],
            key=key,
            attributes=tuple(KeyAttribute(name, kind) for name, kind in types.items()),
            local_indexes=tuple(
                index_from_document(index, types, key, is_global=False)
                for index in document.get("LocalSecondaryIndexes") or ()
            ),
            global_indexes=tuple(
                index_from_document(index, types, key) for index in document.get("GlobalSecondaryIndexes") or ()
            ),
            billing_mode=document.get("BillingMode") or "PROVISIONED",
            throughput=throughput_from(document),
            on_demand_throughput=on_demand_from(document),
            stream_view_type=stream.get("StreamViewType") if stream.get("StreamEnabled") else None,
            table_class=document.get("TableClass") or "STANDARD",
            deletion_protection=bool(document.get("DeletionProtectionEnabled")),
            settings={name: value for name, value in document.items() if name not in _OWN_MEMBERS},
        )


_OWN_MEMBERS = frozenset(
    (
        "TableName",
        "KeySchema",
        "AttributeDefinitions",
        "BillingMode",
        "TableClass",
        "DeletionProtectionEnabled",
        "ProvisionedThroughput",
        "OnDemandThroughput",
        "LocalSecondaryIndexes",
        "GlobalSecondaryIndexes",
        "StreamSpecification",
    )
)


def index_from_document(
    document: Mapping[str, Any], types: Mapping[str, str], table_key: KeySchema, *, is_global: bool = True
) -> IndexDefinition:
    """One index from AWS's members; `types` are those of `AttributeDefinitions`."""
    projection = document["Projection"]
    return IndexDefinition(
        name=document["IndexName"],
        key=KeySchema.from_document(document["KeySchema"], types),
        projection_type=projection["ProjectionType"],
        non_key_attributes=tuple(projection.get("NonKeyAttributes") or ()),
        is_global=is_global,
        throughput=throughput_from(document),
        on_demand_throughput=on_demand_from(document),
        warm_throughput=warm_from(document),
        table_key=table_key,
    )


def throughput_from(document: Mapping[str, Any]) -> Throughput | None:
    """`ProvisionedThroughput` of a table or index document."""
    given = document.get("ProvisionedThroughput")
    return Throughput(given["ReadCapacityUnits"], given["WriteCapacityUnits"]) if given else None


def on_demand_from(document: Mapping[str, Any]) -> Throughput | None:
    """`OnDemandThroughput` of a table or index document; −1 where a side has no ceiling."""
    given = document.get("OnDemandThroughput")
    if not given:
        return None
    return Throughput(given.get("MaxReadRequestUnits", -1), given.get("MaxWriteRequestUnits", -1))


def warm_from(document: Mapping[str, Any]) -> Throughput | None:
    """`WarmThroughput` of a table or index document; 0 where a side has none."""
    given = document.get("WarmThroughput")
    if not given:
        return None
    return Throughput(given.get("ReadUnitsPerSecond") or 0, given.get("WriteUnitsPerSecond") or 0)


def _index_document(index: IndexDefinition) -> dict[str, Any]:
    document: dict[str, Any] = {
        "IndexName": index.name,
        "KeySchema": index.key.document(),
        "Projection": index.projection_document(),
    }
    _put_throughput(document, index.throughput, index.on_demand_throughput)
    if (warm := index.warm_throughput) is not None:
        document["WarmThroughput"] = {"ReadUnitsPerSecond": warm.read_units, "WriteUnitsPerSecond": warm.write_units}
    return document


def _put_throughput(document: dict[str, Any], provisioned: Throughput | None, on_demand: Throughput | None) -> None:
    if provisioned is not None:
        document["ProvisionedThroughput"] = {
            "ReadCapacityUnits": provisioned.read_units,
            "WriteCapacityUnits": provisioned.write_units,
        }
    if on_demand is not None:
        document["OnDemandThroughput"] = {
            "MaxReadRequestUnits": on_demand.read_units,
            "MaxWriteRequestUnits": on_demand.write_units,
        }
