"""The chat example on real sockets: rooms, messages that do not fit, people who leave, what a message costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.waiting import wait_until
from trine.testing import RunningStack, running

EXAMPLE = Path(__file__).parents[2] / "examples" / "chat"
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running(EXAMPLE, stack_name="chat") as running_stack:
        yield running_stack


def enter(stack: RunningStack, room: str) -> connect:
    url = stack.description["apis"][0]["stages"][0]["pathUrl"]
    return connect(f"{url}?room={room}", proxy=None, open_timeout=PATIENCE_SECONDS)


def heard(client: ClientConnection) -> Any:
    return json.loads(client.recv(PATIENCE_SECONDS))


def test_a_room_hears_what_is_said_in_it(stack: RunningStack) -> None:
    with enter(stack, "kitchen") as one, enter(stack, "kitchen") as two, enter(stack, "cellar") as three:
        one.send(json.dumps({"action": "sendmessage", "text": "soup is ready"}))
        assert heard(one) == heard(two)
        two.send(json.dumps({"action": "sendmessage", "text": "coming"}))
        assert heard(one)["text"] == "coming"
        three.send(json.dumps({"action": "sendmessage", "text": "anybody?"}))
        assert heard(three)["text"] == "anybody?"  # the first thing it hears
        one.send(json.dumps({"action": "sendmessage", "text": "x" * 501}))
        assert heard(one)["message"] == "Invalid request body"
    (table,) = [one["name"] for one in stack.description["tables"]]
    client = stack.client("dynamodb")
    wait_until(lambda: not client.scan(TableName=table, ConsistentRead=True)["Items"], "$disconnect to forget them")


def test_nobody_enters_without_a_room(stack: RunningStack) -> None:
    url = stack.description["apis"][0]["stages"][0]["pathUrl"]
    with pytest.raises(InvalidStatus) as refused:
        connect(url, proxy=None, open_timeout=PATIENCE_SECONDS)
    assert refused.value.response.status_code == 400
    assert b"Missing required request parameters: [room]" in refused.value.response.body
