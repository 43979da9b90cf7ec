"""A table's meter with its indexes: which refusal, and all or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from trine.clock import ManualClock
from trine.dynamodb.errors import (
    ProvisionedThroughputExceededException,
    ThrottledError,
    ThrottlingException,
)
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.throughput.meter import Meter

PLACE, OTHER = b"\0\0\0\1", b"\0\0\0\3"
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/T"


def _units(reads: int, writes: int) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes}}


def _definition(mode: str = "PROVISIONED", index: dict[str, Any] | None = None, **more: Any) -> TableDefinition:
    provisioned = mode == "PROVISIONED"
    document: dict[str, Any] = {
        "TableName": "T",
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in "pg"],
        "BillingMode": mode,
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "ByG",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                **((index if index is not None else _units(2, 2)) if provisioned else (index or {})),
            }
        ],
        **(_units(10, 10) if provisioned else {}),
        **more,
    }
    return TableDefinition.from_document(document)


def _meter(definition: TableDefinition, clock: ManualClock, **more: Any) -> Meter:
    return Meter(ARN, definition, clock.monotonic_ns, **more)


def _reason(refused: ThrottledError) -> dict[str, str]:
    (reason,) = refused.members.get("ThrottlingReasons") or refused.members["throttlingReasons"]
    return dict(reason)


def test_a_provisioned_table_refuses_with_its_reason_and_recovers() -> None:
    clock = ManualClock()
    meter = _meter(_definition(), clock)
    meter.write(PLACE, 3000)
    with pytest.raises(ProvisionedThroughputExceededException, match="UpdateTable API") as refused:
        meter.write(PLACE, 1)
    reason = {"reason": "TableWriteProvisionedThroughputExceeded", "resource": ARN}
    assert refused.value.members == {"ThrottlingReasons": [reason]}
    assert refused.value.facts["unitsPerSecond"] == 10
    clock.advance(1)
    meter.write(PLACE, 10)


def test_an_index_without_write_units_throttles_its_table_and_nothing_is_taken() -> None:
    clock = ManualClock()
    meter = _meter(_definition(), clock)
    meter.write(PLACE, 600, [("ByG", OTHER, 600)])
    left = meter.table.writes.bucket.level(clock.monotonic_ns())
    with pytest.raises(ProvisionedThroughputExceededException, match="global secondary indexes") as refused:
        meter.write(PLACE, 1, [("ByG", OTHER, 1)])
    assert _reason(refused.value) == {
        "reason": "IndexWriteProvisionedThroughputExceeded",
        "resource": f"{ARN}/index/ByG",
    }
    assert meter.table.writes.bucket.level(clock.monotonic_ns()) == pytest.approx(left)
    meter.write(PLACE, 1)
    meter.read(PLACE, 1, "ByG")


def test_on_demand_refuses_with_another_exception_and_another_spelling() -> None:
    clock = ManualClock()
    meter = _meter(_definition("PAY_PER_REQUEST", OnDemandThroughput={"MaxWriteRequestUnits": 1}), clock)
    meter.write(PLACE, 5)
    with pytest.raises(ThrottlingException, match="maximum OnDemandThroughput") as refused:
        meter.write(PLACE, 1)
    assert "throttlingReasons" in refused.value.members
    assert _reason(refused.value)["reason"] == "TableWriteMaxOnDemandThroughputExceeded"


def test_a_hot_partition_of_an_on_demand_table() -> None:
    clock = ManualClock()
    meter = _meter(_definition("PAY_PER_REQUEST"), clock)
    assert len(meter.table.partitions) == 4
    for _ in range(5000):
        meter.write(PLACE, 1)
    with pytest.raises(ThrottlingException, match="hot key") as refused:
        meter.write(PLACE, 1)
    assert _reason(refused.value)["reason"] == "TableWriteKeyRangeThroughputExceeded"
    meter.write(OTHER, 1)


def test_warm_throughput_and_size_make_partitions() -> None:
    clock = ManualClock()
    warm = {"WarmThroughput": {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 30_000}}
    assert len(_meter(_definition("PAY_PER_REQUEST", **warm), clock).table.partitions) == 30
    meter = _meter(_definition(), clock, sizes=lambda name: 25 << 30 if name is None else 0)
    assert len(meter.table.partitions) == 1
    meter.turn()
    assert len(meter.table.partitions) == 3


def test_changes_keep_what_is_in_the_buckets() -> None:
    clock = ManualClock()
    meter = _meter(_definition(), clock)
    meter.write(PLACE, 3000)
    meter.change(_definition(**_units(10, 500)))
    meter.write(PLACE, 400)
    with pytest.raises(ProvisionedThroughputExceededException):
        meter.write(PLACE, 400)
    assert meter.indexes["ByG"].writes.units_per_second == 2
    meter.change(TableDefinition.from_document({**_definition().document(), "GlobalSecondaryIndexes": []}))
    assert not meter.indexes


def test_switched_off_it_counts_and_refuses_nothing() -> None:
    meter = _meter(_definition(), ManualClock(), enforced=False)
    for _ in range(10):
        meter.write(PLACE, 1000, [("ByG", OTHER, 1000)])
        meter.read(PLACE, 1000)
    statistics = meter.statistics()
    assert statistics["Write"]["consumed"] == 10_000
    assert statistics["indexes"]["ByG"]["Write"]["consumed"] == 10_000
    assert statistics["Write"]["throttled"]
