"""Telemetry over TCP: lines of JSON on one connection, made again when it breaks, closed when the environment ends."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.waiting import PATIENCE_SECONDS, until
from trine.awslambda.guest_apis.telemetry import TELEMETRY, Telemetry
from trine.awslambda.guest_apis.telemetry_delivery import InvalidSubscription, delivery
from trine.clock import ManualClock, SystemClock


class Receiver:
    """Somebody who listens, as an extension does."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.connections = 0
        self.ended = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        while line := await reader.readline():
            self.lines.append(json.loads(line))
        self.ended += 1
        writer.close()

    async def listen(self) -> int:
        """Its port."""
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    def records(self) -> list[Any]:
        return [line["record"] for line in self.lines if line["type"] == "function"]


def subscribed(port: int, tasks: set[asyncio.Task[None]]) -> Telemetry:
    """Telemetry with one subscriber at a TCP port."""

    def keep(work: Coroutine[None, None, None]) -> None:
        tasks.add(asyncio.ensure_future(work))

    telemetry = Telemetry(SystemClock(), keep)
    wish = {"destination": {"protocol": "TCP", "port": port}, "types": ["function"], "buffering": {"timeoutMs": 25}}
    assert telemetry.subscribe("one", json.dumps(wish).encode(), TELEMETRY)
    return telemetry


def test_events_come_as_lines_over_one_connection() -> None:
    async def scene() -> None:
        receiver, tasks = Receiver(), set[asyncio.Task[None]]()
        telemetry = subscribed(await receiver.listen(), tasks)
        telemetry.line("function", "one\ntwo", is_json=False)
        telemetry.line("extension", "not asked for", is_json=False)
        await until(lambda: receiver.records() == ["one\ntwo"], "the first batch")
        telemetry.line("function", '{"a": 1}', is_json=True)
        telemetry.close()  # sends what is left, and ends the connection
        await until(lambda: receiver.ended == 1, "the end of the connection")
        assert (receiver.records(), receiver.connections) == (["one\ntwo", {"a": 1}], 1)
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_SECONDS)
        receiver.server.close()

    asyncio.run(scene())


def test_a_receiver_that_went_away_loses_events_and_is_told() -> None:
    async def scene() -> None:
        receiver, tasks = Receiver(), set[asyncio.Task[None]]()
        held = socket.socket()  # nobody else may take the port that is refused for now
        held.bind(("127.0.0.1", 0))
        telemetry = subscribed(held.getsockname()[1], tasks)
        telemetry.line("function", "lost", is_json=False)
        await until(lambda: tasks and all(task.done() for task in tasks), "the attempt")
        receiver.server = await asyncio.start_server(receiver.serve, sock=held)
        telemetry.line("function", "found", is_json=False)
        await until(lambda: receiver.records() == ["found"], "what follows")
        dropped = [line["record"] for line in receiver.lines if line["type"] == "platform.logsDropped"]
        assert [record["droppedRecords"] for record in dropped] == [1]
        telemetry.close()
        await until(lambda: receiver.ended == 1, "the end of the connection")
        receiver.server.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "destination",
    [None, {}, {"protocol": "UDP"}, {"protocol": "TCP"}, {"protocol": "TCP", "port": "80"},
     {"protocol": "TCP", "port": 0}, {"protocol": "TCP", "port": 70_000},
     {"protocol": "TCP", "port": True}, {"protocol": "HTTP", "URI": "http://x/"}],
)  # fmt: skip
def test_destinations_that_are_none(destination: Any) -> None:
    with pytest.raises(InvalidSubscription, match=r"destination\."):
        delivery({"destination": destination}, ManualClock())
