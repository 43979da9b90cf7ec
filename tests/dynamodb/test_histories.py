"""Many writers at once on registers and counters: what they saw must be explainable, also across a kill -9.

The quick test runs the endpoint over a durable store in this process; the slow one `trine dynamodb` behind sockets,
killed in the middle and started again on its state. `history` holds the checks.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dynamodb.history import NEVER, Call, Journal, Lost, NotDone, linearizable
from tests.dynamodb.killable import Failed, Wire, free_port, outcome, start, stop, verify_and_start
from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import SystemClock
from trine.dynamodb.endpoint import DynamoDB
from trine.http.message import Headers, Request, Response
from trine.iam.access import Access
from trine.stack.state import open_store
from trine.trace import TraceBook

Send = Callable[[str, dict[str, Any]], Awaitable[Any]]
TABLE = "Histories"
REGISTERS = ["r0", "r1", "r2"]
PAIR = ("c1", "c2")
DEFINITION = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
}
BY_VALUE = {
    "IndexName": "by-v",
    "KeySchema": [{"AttributeName": "v", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


def key(name: str) -> dict[str, Any]:
    return {"p": {"S": name}}


class Client:
    """One process of the history: calls one after another, their answers put down."""

    def __init__(self, send: Send, journal: Journal, seed: int) -> None:
        self.send, self.journal, self.random = send, journal, random.Random(seed)
        self.name, self.count, self.last = f"w{seed}", 0, dict.fromkeys(REGISTERS, "")

    async def step(self) -> None:
        kind = self.random.choice(["read", "read", "write", "swap", "swap", "add", "add together", "look"])
        register = self.random.choice(REGISTERS)
        if kind == "read":
            await self._read(register)
        elif kind == "write":
            await self._write(register)
        elif kind == "swap":
            await self._swap(register)
        elif kind == "add":
            await self._add()
        elif kind == "add together":
            await self._add_together()
        else:
            await self._look()

    def _new_value(self) -> str:
        self.count += 1
        return f"{self.name}-{self.count}"

    async def _read(self, register: str) -> None:
        with self.journal.call(register, Call("read")) as call:
            if self.random.random() < 0.5:
                get = {"TableName": TABLE, "Key": key(register), "ConsistentRead": True}
                item = (await self.send("GetItem", get)).get("Item")
            else:
                gets = {"TransactItems": [{"Get": {"TableName": TABLE, "Key": key(register)}}]}
                item = (await self.send("TransactGetItems", gets))["Responses"][0].get("Item")
            call.value = item["v"]["S"] if item else None
            self.last[register] = call.value or ""

    async def _write(self, register: str) -> None:
        with self.journal.call(register, Call("write", self._new_value())) as call:
            item = {**key(register), "v": {"S": call.value}}
            if self.random.random() < 0.5:
                await self.send("PutItem", {"TableName": TABLE, "Item": item})
            else:
                await self.send("BatchWriteItem", {"RequestItems": {TABLE: [{"PutRequest": {"Item": item}}]}})

    async def _swap(self, register: str) -> None:
        with self.journal.call(register, Call("swap", self._new_value(), self.last[register])) as call:
            update = {
                "TableName": TABLE,
                "Key": key(register),
                "UpdateExpression": "SET v = :new",
                "ConditionExpression": "v = :seen",
                "ExpressionAttributeValues": {":new": {"S": call.value}, ":seen": {"S": call.seen}},
            }
            try:
                if self.random.random() < 0.5:
                    await self.send("UpdateItem", update)
                else:
                    await self.send("TransactWriteItems", {"TransactItems": [{"Update": update}]})
                self.last[register] = call.value or ""
            except Failed:
                call.done = False

    async def _add(self) -> None:
        with self.journal.adding("c0"):
            answer = await self.send("UpdateItem", {**_addition("c0"), "ReturnValues": "UPDATED_NEW"})
            self.journal.returned.setdefault("c0", []).append(int(answer["Attributes"]["n"]["N"]))

    async def _add_together(self) -> None:
        with self.journal.adding(*PAIR):
            await self.send("TransactWriteItems", {"TransactItems": [{"Update": _addition(name)} for name in PAIR]})

    async def _look(self) -> None:
        gets = [{"Get": {"TableName": TABLE, "Key": key(name)}} for name in PAIR]
        try:
            answers = (await self.send("TransactGetItems", {"TransactItems": gets}))["Responses"]
        except (Lost, NotDone):
            return
        assert answers[0].get("Item", {}).get("n") == answers[1].get("Item", {}).get("n"), answers


def _addition(counter: str) -> dict[str, Any]:
    return {
        "TableName": TABLE,
        "Key": key(counter),
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }


async def check(journal: Journal, send: Send) -> None:
    """What must hold when all clients are done."""
    for register, calls in journal.calls.items():
        with journal.call(register, Call("read")) as last:
            item = (await send("GetItem", {"TableName": TABLE, "Key": key(register), "ConsistentRead": True})).get(
                "Item"
            )
            last.value = item["v"]["S"] if item else None
        assert linearizable(calls), register
    for counter in ("c0", *PAIR):
        answer = await send("GetItem", {"TableName": TABLE, "Key": key(counter), "ConsistentRead": True})
        count = int(answer["Item"]["n"]["N"])
        acknowledged = journal.acknowledged[counter]
        assert acknowledged <= count <= acknowledged + journal.unknown.get(counter, 0), counter
    returned = journal.returned["c0"]
    assert len(set(returned)) == len(returned)


def test_a_checker_that_accepts_everything_proves_nothing() -> None:
    write = Call("write", "a", start=0, end=1)
    assert linearizable([write, Call("read", "a", start=2, end=3)])
    assert not linearizable([write, Call("read", None, start=2, end=3)])
    assert linearizable([Call("write", "a", start=0, end=5), Call("read", None, start=2, end=3)])
    lost = Call("write", "b", start=0, end=NEVER)
    assert linearizable([lost, write, Call("read", "a", start=2, end=3), Call("read", "b", start=4, end=5)])
    assert not linearizable([lost, Call("read", "b", start=4, end=5), Call("read", None, start=6, end=7)])
    twice = [Call("swap", "b", "a", start=2, end=9), Call("swap", "c", "a", start=2, end=9)]
    assert not linearizable([write, *twice])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_concurrent_clients(tmp_path: Path, seed: int) -> None:
    async def run() -> None:
        clock, ids = SystemClock(), SeededIds(seed)
        store = open_store(tmp_path, clock, memory=False)
        access = Access(clock, ids, mode="soft")
        dynamodb = DynamoDB(store, clock, ids, access, Place(), TraceBook(clock, 10), throttling=False)

        async def send(operation: str, document: dict[str, Any]) -> Any:
            target = f"DynamoDB_20120810.{operation}".encode()
            request = Request(
                "POST",
                b"/",
                Headers([(b"x-amz-target", target), (b"content-type", b"application/x-amz-json-1.0")]),
                json.dumps(document).encode(),
            )
            await asyncio.sleep(0)
            answer = dynamodb.handle(request)
            response = answer if isinstance(answer, Response) else await asyncio.wait_for(answer, 10)
            assert isinstance(response.body, bytes)
            return outcome(response.status, response.body)

        await send("CreateTable", DEFINITION)
        journal = Journal()

        async def work(client: Client) -> None:
            for _ in range(200):
                await client.step()

        await asyncio.gather(*(work(Client(send, journal, seed * 100 + number)) for number in range(8)))
        await check(journal, send)
        await dynamodb.close()
        await store.close()

    asyncio.run(run())


async def _check_index(send: Send) -> None:
    """The index has what the table has."""
    items = (await send("Scan", {"TableName": TABLE, "ConsistentRead": True}))["Items"]
    entries = (await send("Scan", {"TableName": TABLE, "IndexName": "by-v"}))["Items"]
    assert sorted(map(str, entries)) == sorted(str(item) for item in items if "v" in item)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_server_that_is_killed(tmp_path: Path, seed: int) -> None:
    port = free_port()
    state = tmp_path / "state"
    server = start(port, state, "--soft")
    journal, chance, kill_at = Journal(), random.Random(seed), NEVER

    async def work(client: Client, wire: Wire, steps: int) -> None:
        for _ in range(steps):
            await client.step()
            if journal.count() >= kill_at and server.poll() is None:
                os.kill(server.pid, signal.SIGKILL)
        wire.close()

    async def run() -> None:
        nonlocal server, kill_at
        wires = [Wire(port) for _ in range(8)]
        clients = [Client(wire.send, journal, seed * 100 + number) for number, wire in enumerate(wires)]
        names = [{"AttributeName": name, "AttributeType": "S"} for name in "pv"]
        indexed = {**DEFINITION, "AttributeDefinitions": names, "GlobalSecondaryIndexes": [BY_VALUE]}
        await wires[0].send("CreateTable", indexed)
        for _ in range(3):
            kill_at = journal.count() + chance.randrange(60, 200)
            await asyncio.gather(*(work(*pair, 60) for pair in zip(clients, wires, strict=True)))
            await asyncio.to_thread(server.wait, 30)
            server = await asyncio.to_thread(verify_and_start, port, state, "--soft")
            looking = Wire(port)
            await _check_index(looking.send)
            looking.close()
        kill_at = NEVER
        await asyncio.gather(*(work(*pair, 20) for pair in zip(clients, wires, strict=True)))
        last = Wire(port)
        await check(journal, last.send)
        await _check_index(last.send)
        last.close()

    try:
        asyncio.run(run())
    finally:
        stop(server)
