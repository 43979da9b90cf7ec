"""CreateTable's rules with AWS's sentences, definitions as documents and back, index projections."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.model.table_definition import define_table

INVALID = "One or more parameter values were invalid: "


def definitions(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def keys(hash_name: str, *range_names: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_name, "KeyType": "HASH"}] + [
        {"AttributeName": name, "KeyType": "RANGE"} for name in range_names
    ]


def index(name: str, schema: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}, **more}


def table(**more: Any) -> dict[str, Any]:
    return {
        "TableName": "orders",
        "AttributeDefinitions": definitions("a", "b"),
        "KeySchema": keys("a", "b"),
        "BillingMode": "PAY_PER_REQUEST",
        **more,
    }


def test_document_and_back() -> None:
    document = table(
        AttributeDefinitions=definitions("a", "b", "c"),
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
        LocalSecondaryIndexes=[index("local", keys("a", "c"))],
        GlobalSecondaryIndexes=[
            index(
                "global",
                keys("c"),
                Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
                ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
            )
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        SSESpecification={"Enabled": True},
        DeletionProtectionEnabled=True,
    )
    definition = define_table(document)
    kept = orjson.loads(orjson.dumps(definition.document()))
    assert TableDefinition.from_document(kept) == definition
    assert definition.settings == {"SSESpecification": {"Enabled": True}}
    assert definition.stream_view_type == "NEW_IMAGE"
    assert definition.index_by_name["global"].identity.names == ("c", "a", "b")
    assert definition.index_by_name["local"].identity.names == ("a", "c", "b")


def test_a_sparse_index_holds_and_projects() -> None:
    definition = define_table(
        table(
            AttributeDefinitions=definitions("a", "b", "c"),
            GlobalSecondaryIndexes=[
                index("some", keys("c"), Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]}),
                index("keys", keys("c"), Projection={"ProjectionType": "KEYS_ONLY"}),
            ],
        )
    )
    item = {name: {"S": name} for name in "abcxy"}
    some, only = definition.global_indexes
    assert some.project(item) == {name: {"S": name} for name in "cabx"}
    assert only.project(item) == {name: {"S": name} for name in "cab"}
    assert some.holds(item)
    assert not some.holds({"a": {"S": "a"}, "b": {"S": "b"}})
    assert some.carries("x")
    assert not some.carries("y")


def test_keys_of_several_attributes() -> None:
    names = [f"h{n}" for n in range(4)] + [f"r{n}" for n in range(4)]
    schema = [{"AttributeName": name, "KeyType": "HASH" if name[0] == "h" else "RANGE"} for name in names]
    document = table(AttributeDefinitions=definitions("a", "b", *names), GlobalSecondaryIndexes=[index("wide", schema)])
    assert define_table(document).global_indexes[0].key.names == tuple(names)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            (
                f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
                "PAY_PER_REQUEST"
            ),
        ),
        (
            {"BillingMode": None},
            (
                f"{INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is "
                "PROVISIONED"
            ),
        ),
        (
            {
                "BillingMode": None,
                "ProvisionedThroughput": {"ReadCapacityUnits": 1000000000001, "WriteCapacityUnits": 1},
            },
            "Given value 1000000000001 for ReadCapacityUnits is out of bounds",
        ),
        (
            {"AttributeDefinitions": definitions("a")},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            {"AttributeDefinitions": definitions("a", "c")},
            (
                f"{INVALID}Some index key attributes are not defined in AttributeDefinitions. "
                "Keys: [a, b], AttributeDefinitions: [a, c]"
            ),
        ),
        (
            {"KeySchema": keys("a", "a")},
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ),
        (
            {"KeySchema": keys("a", "b")[::-1]},
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {"KeySchema": keys("a") + keys("b")},
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        ),
        (
            {"AttributeDefinitions": definitions("a", "b", "c")},
            (
                f"{INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in "
                "AttributeDefinitions"
            ),
        ),
        ({"LocalSecondaryIndexes": []}, f"{INVALID}List of LocalSecondaryIndexes is empty"),
        ({"GlobalSecondaryIndexes": []}, f"{INVALID}List of GlobalSecondaryIndexes is empty"),
        (
            {"KeySchema": keys("a"), "LocalSecondaryIndexes": [index("i", keys("a", "b"))]},
            (
                f"{INVALID}Table KeySchema does not have a range key, which is required when specifying a "
                "LocalSecondaryIndex"
            ),
        ),
        (
            {"LocalSecondaryIndexes": [index("i", keys("a"))]},
            f"{INVALID}Index KeySchema does not have a range key for index: i",
        ),
        (
            {"LocalSecondaryIndexes": [index("i", keys("b", "a"))]},
            (
                f"{INVALID}Index KeySchema does not have the same leading hash key as table KeySchema for index: i. "
                "index hash key: b, table hash key: a"
            ),
        ),
        (
            {"LocalSecondaryIndexes": [index("i", keys("a", "b"))] * 2},
            f"{INVALID}Duplicate index name: i",
        ),
        (
            {"LocalSecondaryIndexes": [index(f"i{n}", keys("a", "b")) for n in range(6)]},
            f"{INVALID}Number of LocalSecondaryIndexes exceeds per-table limit of 5",
        ),
        (
            {"GlobalSecondaryIndexes": [index(f"i{n}", keys("b")) for n in range(21)]},
            f"{INVALID}GlobalSecondaryIndex count exceeds the per-table limit of 20",
        ),
        (
            {"GlobalSecondaryIndexes": [index("i", keys("b"), Projection={})]},
            f"{INVALID}Unknown ProjectionType: null",
        ),
        (
            {
                "GlobalSecondaryIndexes": [
                    index("i", keys("b"), Projection={"ProjectionType": "ALL", "NonKeyAttributes": ["x"]})
                ]
            },
            f"{INVALID}ProjectionType is ALL, but NonKeyAttributes is specified",
        ),
        (
            {
                "GlobalSecondaryIndexes": [
                    index("i", keys("b"), ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
                ]
            },
            (
                f"{INVALID}ProvisionedThroughput should not be specified for index: i when BillingMode is "
                "PAY_PER_REQUEST"
            ),
        ),
        (
            {"AttributeDefinitions": definitions("a", "b", "c"), "GlobalSecondaryIndexes": [index("i", keys("b"))]},
            f"{INVALID}Some AttributeDefinitions are not used. AttributeDefinitions: [a, b, c], keys used: [a, b]",
        ),
    ],
)
def test_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException) as refusal:
        define_table(table(**more))
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("roles", "fragment"),
    [
        (["HASH"] * 5, "HASH"),
        (["HASH"] + ["RANGE"] * 5, "RANGE"),
        (["HASH", "RANGE", "HASH"], "All HASH key attributes must precede RANGE key attributes"),
    ],
)
def test_keys_of_too_many_attributes(roles: list[str], fragment: str) -> None:
    names = [f"k{n}" for n in range(len(roles))]
    schema = [{"AttributeName": name, "KeyType": role} for name, role in zip(names, roles, strict=True)]
    document = table(AttributeDefinitions=definitions("a", "b", *names), GlobalSecondaryIndexes=[index("wide", schema)])
    with pytest.raises(ValidationException, match=fragment):
        define_table(document)
