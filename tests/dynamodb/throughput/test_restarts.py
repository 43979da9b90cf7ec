"""A restart goes on with the units that are left, with peaks and with partitions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.dynamodb.wing import Wing
from trine.dynamodb.errors import ThrottledError

KEYS = {
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
}
PROVISIONED = {
    "TableName": "Few", **KEYS, "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
}  # fmt: skip
ON_DEMAND = {"TableName": "Many", **KEYS, "BillingMode": "PAY_PER_REQUEST"}


async def restarted(wing: Wing, away_seconds: float = 0.0) -> Wing:
    """The wing over the same store, stopped and started again `away_seconds` later."""
    await wing.table.close()
    wing.clock.advance(away_seconds)
    return Wing(throttling=True, clock=wing.clock, store=wing.store)


def left(wing: Wing, name: str, kind: str = "Write") -> float:
    meter = wing.table.rooms.tables.get(name).meter
    assert meter is not None
    found: float = meter.statistics()[kind]["unitsLeft"]
    return found


def test_an_empty_bucket_stays_empty_and_has_refilled_meanwhile() -> None:
    async def run() -> None:
        wing = Wing(throttling=True)
        await wing.call("CreateTable", **PROVISIONED)
        put: dict[str, Any] = {"TableName": "Few", "Item": {"p": {"S": "x"}}}
        for _ in range(300):
            await wing.call("PutItem", **put)
        wing = await restarted(wing)
        with pytest.raises(ThrottledError):
            await wing.call("PutItem", **put)
        wing = await restarted(wing, away_seconds=20.0)
        assert left(wing, "Few") == pytest.approx(20.0)
        wing = await restarted(wing, away_seconds=3600.0)
        assert left(wing, "Few") == 300.0
        await wing.table.close()

    asyncio.run(run())


def test_a_peak_is_not_forgotten() -> None:
    async def run() -> None:
        wing = Wing(throttling=True)
        await wing.call("CreateTable", **ON_DEMAND)
        meter = wing.table.rooms.tables.get("Many").meter
        assert meter is not None
        for at in range(60):  # a minute of 3,840 units a second, over all partitions
            for place in range(64):
                meter.write(bytes((at, 0, 0, place * 4)), 60.0)
            wing.clock.advance(1.0)
        partitions = meter.statistics()["partitions"]
        wing = await restarted(wing, away_seconds=60.0)
        wing.clock.advance(31 * 60.0)
        meter = wing.table.rooms.tables.get("Many").meter
        assert meter is not None
        meter.turn()
        assert meter.statistics()["Write"]["unitsPerSecond"] == pytest.approx(7_680.0, rel=0.02)
        assert meter.statistics()["partitions"] >= partitions
        await wing.table.close()

    asyncio.run(run())


def test_a_dropped_table_leaves_no_meter() -> None:
    async def run() -> None:
        wing = Wing(throttling=True)
        await wing.call("CreateTable", **ON_DEMAND)
        await wing.call("PutItem", TableName="Many", Item={"p": {"S": "x"}})
        wing.clock.advance(61.0)
        assert len(list(wing.table.catalogue.list("dynamodb:meter"))) == 1
        await wing.call("DeleteTable", TableName="Many")
        wing.clock.advance(61.0)
        assert list(wing.table.catalogue.list("dynamodb:meter")) == []
        await wing.table.close()

    asyncio.run(run())


def test_a_killed_server_forgets_its_last_five_seconds_at_most() -> None:
    async def run() -> None:
        wing = Wing(throttling=True)
        await wing.call("CreateTable", **PROVISIONED)
        put: dict[str, Any] = {"TableName": "Few", "Item": {"p": {"S": "x"}}}
        for _ in range(200):
            await wing.call("PutItem", **put)
        wing.clock.advance(5.0)
        for _ in range(50):  # these it forgets
            await wing.call("PutItem", **put)
        # Nobody closes the first one: what it had kept is all that the second one finds.
        second = Wing(throttling=True, clock=wing.clock, store=wing.store)
        assert left(second, "Few") == pytest.approx(105.0)
        await second.table.close()
        await wing.table.close()

    asyncio.run(run())
