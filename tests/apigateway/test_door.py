"""The front door on a real socket, called with http.client."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from tests.waiting import PATIENCE_SECONDS
from trine.clock import SystemClock
from trine.http.server import serve


class LiveDoor:
    """A server in a thread of its own, with a gateway whose functions echo their event."""

    def __init__(self, handler: Any) -> None:
        self._ready = threading.Event()
        self._handler = handler
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await serve(self._handler, "127.0.0.1", 0, clock=SystemClock())
        self.port = server.port
        self._ready.set()
        await self._stop.wait()
        await server.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_SECONDS)

    def call(self, method: str, target: str, body: bytes | None = None, **headers: str) -> tuple[Any, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, target, body, {n.replace("_", "-"): v for n, v in headers.items()})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


@pytest.fixture
def live(request: pytest.FixtureRequest) -> Iterator[Callable[[Any], LiveDoor]]:
    doors: list[LiveDoor] = []

    def start(door: Any) -> LiveDoor:
        door.invoker.answer = lambda r: {"statusCode": 200, "body": r.payload.decode()}
        doors.append(LiveDoor(door.gateway.handle))
        return doors[-1]

    yield start
    for door in doors:
        door.close()


def test_rest_over_the_wire(live: Any, rest_door: Any) -> None:
    door = live(rest_door)
    response, body = door.call("POST", "/users?a=1", b'{"name":"x"}', Content_Type="application/json")
    assert response.status == 200
    assert response.headers["x-amzn-RequestId"]
    event = orjson.loads(body)
    assert event["body"] == '{"name":"x"}'
    assert event["queryStringParameters"] == {"a": "1"}
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_http_over_the_wire(live: Any, http_door: Any) -> None:
    door = live(http_door)
    response, body = door.call("GET", "/users/%C3%A4?x=1", Cookie="a=1")
    event = orjson.loads(body)
    assert (response.status, event["rawPath"], event["cookies"]) == (200, "/users/ä", ["a=1"])


def test_head_has_no_body(live: Any, rest_door: Any) -> None:
    response, body = live(rest_door).call("HEAD", "/files/a")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["content-length"]) > 0


def test_refusals_over_the_wire(live: Any, rest_door: Any, http_door: Any) -> None:
    response, body = live(rest_door).call("GET", "/nope")
    assert (response.status, body) == (403, b'{"message":"Missing Authentication Token"}')
    response, body = live(http_door).call("GET", "/nope")
    assert (response.status, body) == (404, b'{"message":"Not Found"}')


def test_headers_that_belong_to_the_server_do_not_break_the_answer(live: Any, rest_door: Any, http_door: Any) -> None:
    headers = {"Content-Length": "5", "Connection": "close", "Date": "x", "Keep-Alive": "x", "Upgrade": "x",
               "Transfer-Encoding": "chunked"}  # fmt: skip
    for door in (rest_door, http_door):
        started = live(door)
        door.invoker.answer = {"statusCode": 200, "headers": headers, "body": "whole"}
        response, body = started.call("GET", "/users")
        assert (response.status, body) == (200, b"whole")
