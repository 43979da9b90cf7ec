"""Clients of every kind at once: mutated streams, cut anywhere, half-closed or gone. The server stays whole."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from trine.http.loop import run
from trine.http.message import Request, Response

PARTS = (
    b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
)


def any_answer(source: random.Random) -> Callable[[Request], Any]:
    async def task() -> Response:
        await asyncio.sleep(0)
        return Response(200, (), b"x" * source.choice([0, 5, 200_000]))

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(source.randrange(5)):
            yield b"y" * source.choice([1, 1000, 100_000])
            await asyncio.sleep(0)

    def handler(request: Request) -> Any:
        kind = source.randrange(10)
        if kind < 4:
            return Response(source.choice([200, 204, 304, 404]), (), b"x" * source.choice([0, 5, 100_000]))
        if kind < 7:
            return task()
        if kind < 9:
            return Response(200, (), pieces())
        raise RuntimeError("on purpose")

    return handler


def mutated(source: random.Random) -> bytes:
    data = bytearray(b"".join(source.choices(PARTS, k=source.randrange(1, 30))))
    for _ in range(source.choice([0, 1, 2])):
        index = source.randrange(len(data))
        junk = source.randbytes(source.randrange(1, 9))
        data[index : index + source.choice([0, len(junk)])] = source.choice([junk, b""])
        data = data or bytearray(b"x")
    return bytes(data)


async def client(door: Any, source: random.Random) -> None:
    reader, writer = await door.connect()
    data = mutated(source)
    try:
        while data:
            size = source.randrange(1, len(data) + 1)
            writer.write(data[:size])
            data = data[size:]
            if source.random() < 0.3:
                await asyncio.sleep(0)
            if source.random() < 0.05:
                writer.transport.abort()
                return
        writer.write_eof()
        await reader.read()
    except (OSError, RuntimeError):
        return  # the server may close while it is still spoken to; uvloop calls that a RuntimeError
    finally:
        writer.close()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("runner", [run, asyncio.run])
def test_the_server_outlives_its_clients(
    open_door: Callable[..., Any], runner: Callable[..., Any], seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        source = random.Random(seed)
        async with open_door(any_answer(source), in_flight_requests=4) as door:
            await asyncio.gather(*(client(door, source) for _ in range(60)))
            await door.until(lambda: not door.server.connections_count and not door.server._in_flight)
            assert (await door.say(PARTS[-1])).startswith(b"HTTP/1.1 ")

    with caplog.at_level(logging.CRITICAL, "trine.http"):
        runner(main())
    assert not faults
