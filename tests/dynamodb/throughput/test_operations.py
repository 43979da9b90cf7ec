"""Every operation takes what it answers as ConsumedCapacity, and is refused in its own way when nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trine.dynamodb.errors import (
    ConditionalCheckFailedException,
    ProvisionedThroughputExceededException,
    ThrottlingException,
    TransactionCanceledException,
)

UNITS = {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}
TARGET = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/Tab",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
    "MinCapacity": 1,
    "MaxCapacity": 50,
}
POLICY = {
    **TARGET,
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 50,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
    },
}


def _item(key: str, size_bytes: int = 0, **more: str) -> dict[str, Any]:
    item = {"p": {"S": key}, **{name: {"S": value} for name, value in more.items()}}
    return {**item, "v": {"S": "x" * size_bytes}} if size_bytes else item


def _drain_writes(table: Any, name: str = "Tab") -> None:
    table.wing.rooms.tables.get(name).meter.write(b"\0\0\0\0", 300)


def _drain_reads(table: Any, name: str = "Tab") -> None:
    table.wing.rooms.tables.get(name).meter.read(b"\0\0\0\0", 300)


def _consumed(table: Any, name: str = "Tab") -> tuple[float, float]:
    statistics = table.wing.metering.statistics()[name]
    flows = [statistics, *statistics["indexes"].values()]
    return sum(flow["Read"]["consumed"] for flow in flows), sum(flow["Write"]["consumed"] for flow in flows)


def test_what_is_answered_is_what_is_taken(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p", indexes={"ByG": ("g",)})
    reads = writes = 0.0
    put = {"PutRequest": {"Item": _item("4", 1500, g="a")}}
    update = {"Update": {"TableName": "Tab", "Key": _item("1"), "UpdateExpression": "SET g = :g",
                         "ExpressionAttributeValues": {":g": {"S": "b"}}}}  # fmt: skip
    calls: list[tuple[str, dict[str, Any]]] = [
        ("PutItem", {"TableName": "Tab", "Item": _item("1", 3000, g="a")}),
        ("PutItem", {"TableName": "Tab", "Item": _item("2", 9000)}),
        ("DeleteItem", {"TableName": "Tab", "Key": _item("3")}),
        ("BatchWriteItem", {"RequestItems": {"Tab": [put]}}),
        ("TransactWriteItems", {"TransactItems": [update]}),
        ("GetItem", {"TableName": "Tab", "Key": _item("2"), "ConsistentRead": True}),
        ("GetItem", {"TableName": "Tab", "Key": _item("2")}),
        ("GetItem", {"TableName": "Tab", "Key": _item("none")}),
        ("BatchGetItem", {"RequestItems": {"Tab": {"Keys": [_item("1"), _item("2")]}}}),
        ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "Tab", "Key": _item("2")}}]}),
        ("Scan", {"TableName": "Tab"}),
        ("Scan", {"TableName": "Tab", "IndexName": "ByG"}),
        ("ExecuteStatement", {"Statement": "SELECT * FROM Tab WHERE p = '2'"}),
        ("ExecuteStatement", {"Statement": "DELETE FROM Tab WHERE p = '2'"}),
        ("ExecuteTransaction", {"TransactStatements": [{"Statement": "SELECT * FROM Tab WHERE p = '1'"}]}),
        ("BatchExecuteStatement", {"Statements": [{"Statement": "SELECT * FROM Tab WHERE p = '1'"}]}),
    ]
    for operation, document in calls:
        answer = table.call(operation, ReturnConsumedCapacity="TOTAL", **document)["ConsumedCapacity"]
        units = sum(one["CapacityUnits"] for one in (answer if isinstance(answer, list) else [answer]))
        is_read = "Get" in operation or operation == "Scan" or "SELECT" in str(document)
        reads, writes = reads + units * is_read, writes + units * (not is_read)
        assert _consumed(table) == (reads, writes), operation


def test_writes_of_an_empty_table_are_refused_and_nothing_is_written(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p", **UNITS)
    _drain_writes(table)
    for operation, document in (
        ("PutItem", {"Item": _item("1")}),
        ("DeleteItem", {"Key": _item("1")}),
        ("UpdateItem", {"Key": _item("1")}),
    ):
        with pytest.raises(ProvisionedThroughputExceededException):
            table.call(operation, TableName="Tab", **document)
    assert table.call("Scan", TableName="Tab")["Count"] == 0
    table.advance(1)
    table.call("PutItem", TableName="Tab", Item=_item("1"))
    with pytest.raises(ProvisionedThroughputExceededException):
        table.call("PutItem", TableName="Tab", Item=_item("1"))


def test_a_write_that_its_condition_stops_is_paid_all_the_same(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p")
    table.call("PutItem", TableName="Tab", Item=_item("1", 5000))
    before = _consumed(table)[1]
    with pytest.raises(ConditionalCheckFailedException):
        table.call("PutItem", TableName="Tab", Item=_item("1"), ConditionExpression="attribute_not_exists(p)")
    assert _consumed(table)[1] - before == 5


def test_reads_of_an_empty_table_are_refused(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p", **UNITS)
    table.call("PutItem", TableName="Tab", Item=_item("1"))
    _drain_reads(table)
    for operation, document in (
        ("GetItem", {"TableName": "Tab", "Key": _item("1")}),
        ("BatchGetItem", {"RequestItems": {"Tab": {"Keys": [_item("1")]}}}),
        ("Scan", {"TableName": "Tab"}),
        ("ExecuteStatement", {"Statement": "SELECT * FROM Tab WHERE p = '1'"}),
    ):
        with pytest.raises(ProvisionedThroughputExceededException):
            table.call(operation, **document)
    answer = table.call("BatchExecuteStatement", Statements=[{"Statement": "SELECT * FROM Tab WHERE p = '1'"}])
    assert answer["Responses"][0]["Error"]["Code"] == "ProvisionedThroughputExceeded"
    table.advance(1)
    assert table.call("GetItem", TableName="Tab", Key=_item("1"))["Item"]


def test_batches_come_back_in_part(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p", **UNITS)
    table.create("Use", "p")
    _drain_writes(table)
    _drain_reads(table)
    table.advance(2)
    puts = [{"PutRequest": {"Item": _item(str(number))}} for number in range(5)]
    answer = table.call("BatchWriteItem", RequestItems={"Tab": puts, "Use": puts}, ReturnConsumedCapacity="TOTAL")
    assert answer["UnprocessedItems"] == {"Tab": puts[2:]}
    (note,) = table.notes("dynamodb.throughput")
    assert (note["unprocessed"], note["throttling"]) == (3, "TableWriteProvisionedThroughputExceeded")
    assert [one["CapacityUnits"] for one in answer["ConsumedCapacity"]] == [2.0, 5.0]
    keys = [_item(str(number)) for number in range(5)]
    wish = {"Keys": keys, "ConsistentRead": True}
    answer = table.call("BatchGetItem", RequestItems={"Tab": wish, "Use": wish})
    assert table.notes("dynamodb.throughput")[0]["unprocessed"] == 3
    assert answer["UnprocessedKeys"] == {"Tab": {"Keys": keys[2:], "ConsistentRead": True}}
    assert [len(found) for found in answer["Responses"].values()] == [2, 5]
    with pytest.raises(ProvisionedThroughputExceededException):
        table.call("BatchWriteItem", RequestItems={"Tab": puts})


def test_a_transaction_is_cancelled_as_a_whole_and_costs_nothing(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p", **UNITS)
    table.create("Use", "p", OnDemandThroughput={"MaxWriteRequestUnits": 1})
    _drain_writes(table)
    table.advance(2)
    before = _consumed(table)
    puts = [{"Put": {"TableName": "Tab", "Item": _item(str(number))}} for number in range(3)]
    with pytest.raises(TransactionCanceledException) as cancelled:
        table.call("TransactWriteItems", TransactItems=puts)
    reasons = cancelled.value.members["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", *["ProvisionedThroughputExceeded"] * 2]
    assert reasons[1]["Message"].startswith("The level of configured provisioned throughput for the table")
    assert _consumed(table) == before
    assert table.call("Scan", TableName="Tab")["Count"] == 0
    table.call("TransactWriteItems", TransactItems=puts[:1])
    table.call("PutItem", TableName="Use", Item=_item("1", 4500))
    with pytest.raises(TransactionCanceledException, match="ThrottlingError"):
        table.call("TransactWriteItems", TransactItems=[{"Put": {"TableName": "Use", "Item": _item("1")}}])
    _drain_reads(table)
    with pytest.raises(TransactionCanceledException, match="ProvisionedThroughputExceeded"):
        table.call("TransactGetItems", TransactItems=[{"Get": {"TableName": "Tab", "Key": _item("1")}}])


def test_an_index_that_lacks_units_holds_back_its_table(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create(
        "Tab", "p", indexes={"ByG": ("g",)}, ProvisionedThroughput={"ReadCapacityUnits": 100, "WriteCapacityUnits": 100}
    )
    for number in range(300):
        table.call("PutItem", TableName="Tab", Item=_item(str(number), g="one"))
    with pytest.raises(ProvisionedThroughputExceededException) as refused:
        table.call("PutItem", TableName="Tab", Item=_item("one more", g="one"))
    assert refused.value.members["ThrottlingReasons"][0]["reason"] == "IndexWriteProvisionedThroughputExceeded"
    table.call("PutItem", TableName="Tab", Item=_item("without"))


def test_warm_throughput_of_tables_and_indexes(desk: Callable[..., Any]) -> None:
    table = desk()
    warm = {"ReadUnitsPerSecond": 15_000, "WriteUnitsPerSecond": 20_000}
    table.create("Tab", "p", indexes={"ByG": ("g",)}, WarmThroughput=warm)
    index = {"IndexName": "ByG", "WarmThroughput": {**warm, "WriteUnitsPerSecond": 9_000}}
    table.call("UpdateTable", TableName="Tab", GlobalSecondaryIndexUpdates=[{"Update": index}])
    described = table.call("DescribeTable", TableName="Tab")["Table"]
    assert described["WarmThroughput"] == {**warm, "Status": "ACTIVE"}
    assert described["GlobalSecondaryIndexes"][0]["WarmThroughput"]["WriteUnitsPerSecond"] == 9_000
    meter = table.wing.rooms.tables.get("Tab").meter
    assert meter.table.writes.units_per_second == 20_000
    assert meter.indexes["ByG"].writes.units_per_second == 9_000
    table.call("UpdateTable", TableName="Tab", WarmThroughput={**warm, "WriteUnitsPerSecond": 25_000})
    assert meter.table.writes.units_per_second == 25_000


def test_an_on_demand_table_grows_with_its_peak(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p")
    meter = table.wing.rooms.tables.get("Tab").meter
    for second in range(60):
        for place in range(64):
            meter.write(bytes([0, 0, 0, 4 * place]), 4000 / 64)
        table.advance(1)
        assert meter.table.writes.units_per_second == 4000, second
    table.advance(31 * 60)
    assert meter.table.writes.units_per_second == 8000
    assert len(meter.table.partitions) == 8


def test_auto_scaling_follows_after_two_minutes(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p", **UNITS)
    table.wing.metering.put_scalable_target(TARGET)
    table.wing.metering.put_scaling_policy(POLICY)
    for _ in range(12):
        for _ in range(20):
            table.call("PutItem", TableName="Tab", Item=_item("1"))
        table.advance(10)
    described = table.call("DescribeTable", TableName="Tab")["Table"]["ProvisionedThroughput"]
    assert described["WriteCapacityUnits"] == 4
    assert described["ReadCapacityUnits"] == 1
    assert "LastIncreaseDateTime" in described
    for _ in range(18):
        table.call("PutItem", TableName="Tab", Item=_item("1"))
        table.advance(60)
    described = table.call("DescribeTable", TableName="Tab")["Table"]["ProvisionedThroughput"]
    assert described["WriteCapacityUnits"] == 1
    assert described["NumberOfDecreasesToday"] == 1


def test_update_table_is_felt_and_a_dropped_table_is_forgotten(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p", **UNITS)
    _drain_writes(table)
    more = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 50}
    table.call("UpdateTable", TableName="Tab", ProvisionedThroughput=more)
    table.call("PutItem", TableName="Tab", Item=_item("1"))
    table.call("DeleteTable", TableName="Tab")
    table.create("Tab", "p", **UNITS)
    table.advance(60)
    assert _consumed(table) == (0, 0)
    assert len(table.wing.metering._kept) == 1


def test_switched_off_nothing_is_refused(desk: Callable[..., Any]) -> None:
    table = desk(throttling=False)
    table.create("Tab", "p", **UNITS)
    for _ in range(5):
        table.call("PutItem", TableName="Tab", Item=_item("1", 300_000))
    assert _consumed(table)[1] > 1000


def test_a_hot_key_of_an_on_demand_table(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p")
    for _ in range(13):
        table.call("PutItem", TableName="Tab", Item=_item("celebrity", 390_000))
    with pytest.raises(ThrottlingException, match="hot key") as refused:
        table.call("PutItem", TableName="Tab", Item=_item("celebrity", 390_000))
    reason = {"reason": "TableWriteKeyRangeThroughputExceeded",
              "resource": "arn:aws:dynamodb:us-east-1:123456789012:table/Tab"}  # fmt: skip
    assert refused.value.members == {"throttlingReasons": [reason]}
    passed = 0
    for number in range(16):
        try:
            table.call("PutItem", TableName="Tab", Item=_item(f"other{number}", 390_000))
            passed += 1
        except ThrottlingException:
            continue
    assert 4 <= passed < 16, "only keys of the same partition suffer with it"
