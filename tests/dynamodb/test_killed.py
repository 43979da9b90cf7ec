"""kill -9 under puts, batches, deletes, transactions and counters: what was acknowledged is there, nothing is there by
half, and what follows from items (indexes, the stream, counts) says the same as they do.

`test_histories` asks whether what clients saw can be explained; here each writer owns its keys, so it is known.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.dynamodb.history import Lost, NotDone
from tests.dynamodb.killable import Wire, free_port, start, stop, verify_and_start

WRITERS, SORTS, BATCH = 6, 40, 8
OPTIONS = ("--soft", "--no-throttling")
Key = tuple[str, str]
MAIN = {
    "TableName": "Main",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in "psgl"],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by-l",
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}
PAIRS = {
    "TableName": "Pairs",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
}


def item(key: Key, value: int) -> dict[str, Any]:
    """An item whose attributes all say `value`."""
    partition, sort = key
    return {
        "p": {"S": partition},
        "s": {"S": sort},
        "g": {"S": f"g{value % 7}"},
        "l": {"S": f"l{value:06}"},
        "v": {"N": str(value)},
        "pad": {"S": "x" * (value % 900)},
    }


class Known:
    """What the writers know: the last value that was acknowledged for each key, and those that nobody answered for."""

    def __init__(self) -> None:
        self.settled: dict[Key, int | None] = {}
        self.open: dict[Key, list[int | None]] = {}
        self.transactions = self.maybe = 0
        self.awaited = 0
        """How many answers are still waited for until `enough` is set."""
        self.enough = asyncio.Event()

    def wait_for(self, answers: int) -> None:
        self.awaited = answers
        self.enough.clear()

    def begin(self, keys: list[Key], value: int | None) -> None:
        for key in keys:
            self.open.setdefault(key, []).append(value)

    def end(self, keys: list[Key], value: int | None) -> None:
        self.awaited -= 1
        if self.awaited == 0:
            self.enough.set()
        for key in keys:
            self.settled[key], self.open[key] = value, []

    def may_be(self, key: Key, value: int | None) -> bool:
        return value == self.settled.get(key) or value in self.open.get(key, ())

    def found(self, values: dict[Key, int]) -> None:
        """From here on what is there counts as settled."""
        for key in {*self.settled, *self.open}:
            self.settled[key], self.open[key] = values.get(key), []


async def write_until_killed(known: Known, wire: Wire, name: str, chance: random.Random) -> None:
    """Write to keys of one's own, one call after the other, until the server is gone."""
    while True:
        kind, value = chance.random(), chance.randrange(10**6)
        keys = [(name, f"s{sort:03}") for sort in chance.sample(range(SORTS), BATCH if kind < 0.2 else 1)]
        try:
            if kind < 0.2:
                known.begin(keys, value)
                puts = [{"PutRequest": {"Item": item(key, value)}} for key in keys]
                answer = await wire.send("BatchWriteItem", {"RequestItems": {"Main": puts}})
                assert answer["UnprocessedItems"] == {}
                known.end(keys, value)
            elif kind < 0.6:
                known.begin(keys, value)
                await wire.send("PutItem", {"TableName": "Main", "Item": item(keys[0], value)})
                known.end(keys, value)
            elif kind < 0.7:
                known.begin(keys, None)
                await wire.send("DeleteItem", {"TableName": "Main", "Key": key_of(keys[0])})
                known.end(keys, None)
            else:
                await transact(known, wire, name, value)
        except (Lost, NotDone):
            wire.close()
            return


def key_of(key: Key) -> dict[str, Any]:
    return {"p": {"S": key[0]}, "s": {"S": key[1]}}


async def transact(known: Known, wire: Wire, name: str, value: int) -> None:
    """Three items of two tables with one value, and a counter that all writers share."""
    keys = [(name, "pair"), (f"{name}a", ""), (f"{name}b", "")]
    puts = [{"Put": {"TableName": "Main", "Item": item(keys[0], value)}}]
    for partition, _ in keys[1:]:
        puts.append({"Put": {"TableName": "Pairs", "Item": {"p": {"S": partition}, "v": {"N": str(value)}}}})
    count = {
        "TableName": "Pairs",
        "Key": {"p": {"S": "count"}},
        "UpdateExpression": "ADD v :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    known.begin(keys, value)
    known.maybe += 1
    await wire.send("TransactWriteItems", {"TransactItems": [*puts, {"Update": count}]})
    known.transactions += 1
    known.maybe -= 1
    known.end(keys, value)


async def everything(wire: Wire, table: str, index: str | None = None) -> list[dict[str, Any]]:
    """All items of a table, or all entries of an index."""
    wish: dict[str, Any] = {"TableName": table} | ({"ConsistentRead": True} if index is None else {"IndexName": index})
    items: list[dict[str, Any]] = []
    while True:
        page = await wire.send("Scan", wish)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        wish["ExclusiveStartKey"] = page["LastEvaluatedKey"]


async def last_images(wire: Wire, stream: str) -> dict[str, Any]:
    """What the stream says that the table holds; each record must begin where the one before it of its key ended."""
    (shard,) = (await wire.send("DescribeStream", {"StreamArn": stream}))["StreamDescription"]["Shards"]
    wish = {"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = (await wire.send("GetShardIterator", wish))["ShardIterator"]
    images: dict[str, Any] = {}
    while (page := await wire.send("GetRecords", {"ShardIterator": iterator}))["Records"]:
        iterator = page["NextShardIterator"]
        for record in page["Records"]:
            change = record["dynamodb"]
            key = str(sorted(change["Keys"].items()))
            assert change.get("OldImage") == images.get(key), f"the stream lacks a change of {key}"
            images[key] = change.get("NewImage")
    return {key: image for key, image in images.items() if image is not None}


async def check(known: Known, wire: Wire) -> None:
    """Everything that was acknowledged is there, and all that follows from items agrees with them."""
    items = await everything(wire, "Main")
    pairs = {one["p"]["S"]: int(one["v"]["N"]) for one in await everything(wire, "Pairs")}
    values = {(one["p"]["S"], one["s"]["S"]): int(one["v"]["N"]) for one in items}
    counted = pairs.pop("count", 0)
    values |= {(partition, ""): value for partition, value in pairs.items()}

    wrong = [key for key in {*known.settled, *known.open, *values} if not known.may_be(key, values.get(key))]
    assert wrong == [], [(key, known.settled.get(key), values.get(key)) for key in wrong[:5]]
    assert all(one == item((one["p"]["S"], one["s"]["S"]), int(one["v"]["N"])) for one in items)
    for number in range(WRITERS):
        together = {values.get(key) for key in ((f"w{number}", "pair"), (f"w{number}a", ""), (f"w{number}b", ""))}
        assert len(together) == 1, f"a torn transaction of writer {number}: {together}"
    assert known.transactions <= counted <= known.transactions + known.maybe

    for index in ("by-g", "by-l"):
        assert sorted(map(str, await everything(wire, "Main", index))) == sorted(map(str, items)), index
    described = (await wire.send("DescribeTable", {"TableName": "Main"}))["Table"]
    assert described["ItemCount"] == len(items)
    images = await last_images(wire, described["LatestStreamArn"])
    assert sorted(map(str, images.values())) == sorted(map(str, items))
    known.found(values)
    known.transactions, known.maybe = counted, 0


async def round_of(known: Known, port: int, server: subprocess.Popen[bytes], chance: random.Random) -> None:
    """All writers at work until the server is killed, after so many answers as chance wants."""
    known.wait_for(chance.randrange(20, 400))
    wires = [Wire(port) for _ in range(WRITERS)]
    seeds = [random.Random(chance.random()) for _ in wires]
    writing = [
        asyncio.create_task(write_until_killed(known, wire, f"w{number}", seeds[number]))
        for number, wire in enumerate(wires)
    ]
    enough = asyncio.create_task(known.enough.wait())
    await asyncio.wait({enough, *writing}, return_when=asyncio.FIRST_COMPLETED)
    assert enough.done(), "a writer ended before the server was killed"
    os.kill(server.pid, signal.SIGKILL)
    await asyncio.gather(*writing)
    await asyncio.to_thread(server.wait, 30)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_acknowledged_is_lost_and_nothing_is_torn(tmp_path: Path, seed: int) -> None:
    state, port, chance, known = tmp_path / "state", free_port(), random.Random(seed), Known()
    server = start(port, state, *OPTIONS)

    async def run() -> None:
        nonlocal server
        wire = Wire(port)
        for table in (MAIN, PAIRS):
            await wire.send("CreateTable", table)
        recovery = {"PointInTimeRecoveryEnabled": True}
        await wire.send("UpdateContinuousBackups", {"TableName": "Main", "PointInTimeRecoverySpecification": recovery})
        wire.close()
        for _ in range(3):
            await round_of(known, port, server, chance)
            server = await asyncio.to_thread(verify_and_start, port, state, *OPTIONS)
            looking = Wire(port)
            await check(known, looking)
            looking.close()

    try:
        asyncio.run(run())
    finally:
        stop(server)
