"""`trine dynamodb`'s server: its own timers run, and its door speaks DynamoDB's language."""

from __future__ import annotations

import asyncio
import http.client
import json
from pathlib import Path
from typing import Any

from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.message import Headers, Request, Response
from trine.stack.settings import Settings
from trine.stack.table_server import TableServer


def _settings(tmp_path: Path) -> Settings:
    return Settings(template=Path(), state_directory=tmp_path, dynamodb_port=0, memory=True, enforcement="soft")


async def _call(server: TableServer, operation: str, **document: Any) -> Any:
    target = f"DynamoDB_20120810.{operation}".encode()
    answer = server.dynamodb.handle(
        Request(
            "POST",
            b"/",
            Headers([(b"x-amz-target", target), (b"content-type", b"application/x-amz-json-1.0")]),
            json.dumps(document).encode(),
        )
    )
    response = answer if isinstance(answer, Response) else await answer
    assert isinstance(response.body, bytes)
    assert response.status == 200, response.body
    return json.loads(response.body)


def test_items_expire(tmp_path: Path) -> None:
    async def run() -> None:
        clock = ManualClock()
        server = await TableServer.start(_settings(tmp_path), clock=clock, ids=SeededIds(1))
        await _call(
            server,
            "CreateTable",
            TableName="Users",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        )
        setting = {"AttributeName": "until", "Enabled": True}
        await _call(server, "UpdateTimeToLive", TableName="Users", TimeToLiveSpecification=setting)
        until = {"N": str(int(clock.now()) + 5)}
        await _call(server, "PutItem", TableName="Users", Item={"p": {"S": "a"}, "until": until})
        assert "Item" in await _call(server, "GetItem", TableName="Users", Key={"p": {"S": "a"}})
        for _ in range(8):
            clock.advance(1)
            for _ in range(20):
                await asyncio.sleep(0)
        assert await _call(server, "GetItem", TableName="Users", Key={"p": {"S": "a"}}) == {}
        await server.close()

    asyncio.run(run())


def test_heads_over_16_kilobytes(tmp_path: Path) -> None:
    def statuses(port: int) -> list[int]:
        found = []
        for path, headers in (("/", {"x-long": "x" * 17_000}), ("/" + "x" * 17_000, {}), ("/", {"x-short": "x"})):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", path, headers=headers)
            found.append(connection.getresponse().status)
            connection.close()
        return found

    async def run() -> None:
        server = await TableServer.start(_settings(tmp_path), ids=SeededIds(1))
        port = int(server.url.rpartition(":")[2])
        assert await asyncio.to_thread(statuses, port) == [400, 400, 200]
        await server.close()

    asyncio.run(run())


def test_it_has_no_console_and_says_so(tmp_path: Path) -> None:
    def ask(port: int) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/_trine/")
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    async def run() -> None:
        server = await TableServer.start(_settings(tmp_path), ids=SeededIds(1))
        status, body = await asyncio.to_thread(ask, int(server.url.rpartition(":")[2]))
        assert (status, json.loads(body)["__type"]) == (501, "UnknownServiceException")
        await server.close()

    asyncio.run(run())
