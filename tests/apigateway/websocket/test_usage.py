"""What WebSocket events take: messages either way in steps of 32 KB, minutes when a connection ends; by route."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.apigateway.websocket.conftest import LAMBDA, open_chat, running, template
from trine.metering.cost import cost_of
from trine.metering.kinds.known import tally
from trine.metering.prices import load_prices
from trine.metering.receipt import receipt_of
from trine.metering.usage import Counts, add
from trine.trace import Trace


def test_messages_and_minutes() -> None:
    async def scenario() -> None:
        closed: list[Trace] = []
        async with open_chat(template({"$disconnect": LAMBDA, "send": LAMBDA}, responding=("send",))) as chat:
            chat.traces.follow(closed.extend)

            def disconnected() -> bool:
                chat.traces.hand_on()
                return any(trace.title.startswith("DISCONNECT") for trace in closed)

            chat.invoker.answer = {"statusCode": 200, "body": "y" * 40_000}
            async with chat.connect() as client:
                await client.send(json.dumps({"action": "send", "text": "x" * 100}))
                assert len(await asyncio.wait_for(client.recv(), 30)) == 40_000
                await client.send("no route has this")
                assert b"Forbidden" in (await asyncio.wait_for(client.recv(), 30)).encode()
                chat.clock.advance(90)
            await chat.until(disconnected)
        rows: dict[str, Counts] = {}
        for trace in closed:
            for dimensions, counts in tally(trace):
                if dimensions.service == "websocket":
                    add(rows.setdefault(dimensions.route, {}), counts)
        assert rows["chat/prod send"]["messages"] == 1 + 2
        assert rows["chat/prod $default"] | {"milliseconds": 0} == {
            "requests": 1, "messages": 2, "errors": 1, "milliseconds": 0}  # fmt: skip
        assert rows["chat/prod $disconnect"]["connectionMinutes"] == pytest.approx(1.5)
        sent = next(trace for trace in closed if trace.title == "MESSAGE send")
        receipt = receipt_of(sent, load_prices(), lambda table, index: False)
        assert [(line.meter, line.amount) for line in receipt.lines] == [("websocket.message", 3)]
        assert receipt.usd == pytest.approx(3e-6)

    running(scenario)


def test_the_price_of_a_billion_and_one() -> None:
    prices = load_prices()
    assert cost_of({"websocket.message": 2e9}, prices)["websocket.message"] == pytest.approx(1_000 + 800)
    assert cost_of({"websocket.connection-minute": 4e6}, prices)["websocket.connection-minute"] == pytest.approx(1)
