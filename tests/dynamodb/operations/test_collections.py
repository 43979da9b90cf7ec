"""Item collections of tables with local indexes: their size is told, and ends at the ceiling."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dynamodb.wing import Wing, refused
from trine.aws.errors import AwsError
from trine.dynamodb.model.key import KeyAttribute, KeySchema
from trine.dynamodb.model.number import normalise
from trine.dynamodb.storage.collections import GIGABYTE, estimate_gigabytes, partition_end
from trine.dynamodb.storage.keyspace import KeySpace

CEILING = 10_000
TABLE = {
    "TableName": "Notes",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in "psl"],
    "BillingMode": "PAY_PER_REQUEST",
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by-l",
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}


def item(sort: str, size_bytes: int = 100, partition: str = "x", **more: str) -> dict[str, Any]:
    texts = {"p": partition, "s": sort, "v": "v" * size_bytes, **more}
    return {name: {"S": text} for name, text in texts.items()}


def on_a_small_wing(scenario: Callable[[Wing], Any]) -> None:
    async def run() -> None:
        wing = Wing(item_collection_max_bytes=CEILING)
        await wing.call("CreateTable", **TABLE)
        try:
            await scenario(wing)
        finally:
            await wing.table.close()

    asyncio.run(run())


def test_a_full_collection_takes_no_more_but_shrinks() -> None:
    async def scenario(wing: Wing) -> None:
        async def put(sort: str, size_bytes: int, **more: str) -> Any:
            return await wing.call("PutItem", TableName="Notes", Item=item(sort, size_bytes, **more))

        await put("1", 4_000, l="a")  # twice: the item and its entry
        assert await refused(put("2", 3_000)) == "ItemCollectionSizeLimitExceededException"
        await put("2", 1_000)
        assert await refused(put("2", 3_000)) == "ItemCollectionSizeLimitExceededException"
        await put("2", 500)
        await put("1", 9_000, partition="another")
        key = {"p": {"S": "x"}, "s": {"S": "2"}}
        change = {"UpdateExpression": "SET w = :w", "ExpressionAttributeValues": {":w": {"S": "w" * 2_000}}}
        assert await refused(wing.call("UpdateItem", TableName="Notes", Key=key, **change)) == (
            "ItemCollectionSizeLimitExceededException"
        )
        batch = {"Notes": [{"PutRequest": {"Item": item(sort, 900)}} for sort in "345"]}
        assert await refused(wing.call("BatchWriteItem", RequestItems=batch)) == (
            "ItemCollectionSizeLimitExceededException"
        )
        assert (await wing.call("Scan", TableName="Notes", Select="COUNT"))["Count"] == 3
        await wing.call("DeleteItem", TableName="Notes", Key={"p": {"S": "x"}, "s": {"S": "1"}})
        await put("2", 9_000)

    on_a_small_wing(scenario)


def test_a_transaction_names_the_item_that_finds_no_room() -> None:
    async def scenario(wing: Wing) -> None:
        wishes = [{"Put": {"TableName": "Notes", "Item": item(sort, 4_500)}} for sort in "123"]
        with pytest.raises(AwsError) as caught:
            await wing.call("TransactWriteItems", TransactItems=wishes)
        reasons = caught.value.members["CancellationReasons"]
        assert [reason["Code"] for reason in reasons] == ["None", "None", "ItemCollectionSizeLimitExceeded"]
        assert (await wing.call("Scan", TableName="Notes", Select="COUNT"))["Count"] == 0
        await wing.call("TransactWriteItems", TransactItems=wishes[:2])

    on_a_small_wing(scenario)


def test_a_restored_table_knows_its_collections(tmp_path: Any) -> None:
    async def scenario(wing: Wing) -> None:
        await wing.recover()
        await wing.call("PutItem", TableName="Notes", Item=item("1", 6_000))
        source = {"SourceTableName": "Notes", "TargetTableName": "Again", "UseLatestRestorableTime": True}
        await wing.call("RestoreTableToPointInTime", **source)
        await wing.active("Again")
        assert await refused(wing.call("PutItem", TableName="Again", Item=item("2", 6_000))) == (
            "ItemCollectionSizeLimitExceededException"
        )
        await wing.call("PutItem", TableName="Again", Item=item("2", 2_000))

    on_a_small_wing(scenario)


def test_metrics_tell_whole_gigabytes() -> None:
    assert estimate_gigabytes(0) == [0.0, 1.0]
    assert estimate_gigabytes(GIGABYTE * 5 // 2) == [2.0, 3.0]

    async def scenario(wing: Wing) -> None:
        answer = await wing.call("PutItem", TableName="Notes", Item=item("1"), ReturnItemCollectionMetrics="SIZE")
        metrics = {"ItemCollectionKey": {"p": {"S": "x"}}, "SizeEstimateRangeGB": [0.0, 1.0]}
        assert answer["ItemCollectionMetrics"] == metrics

    on_a_small_wing(scenario)


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).map(lambda text: ("S", text)),
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9).map(
        lambda number: ("N", normalise(str(number)))
    ),
    st.integers(-130, 125).map(lambda exponent: ("N", normalise(f"1E{exponent}"))),
    st.binary(min_size=1, max_size=8).map(lambda data: ("B", b64encode(data).decode())),
)


@given(value=VALUES, sort=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4))
def test_a_partition_key_is_found_in_an_items_key(value: tuple[str, str], sort: str) -> None:
    kind, content = value
    schema = KeySchema((KeyAttribute("p", kind),), (KeyAttribute("s", "S"),))  # type: ignore[arg-type]
    space = KeySpace(7, 0, schema)
    found = {"p": {kind: content}, "s": {"S": sort}}
    key = space.key(found)
    assert key[: partition_end(key, len(space.prefix) + 4, kind)] == space.partition(found)
