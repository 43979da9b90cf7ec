"""A door to knock at: a server on a free port, and raw sockets to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.waiting import until
from trine.clock import ManualClock
from trine.http.limits import Limits
from trine.http.message import Handler, Request, Response
from trine.http.server import Server, serve


def echo(request: Request) -> Response:
    """Answers with what it understood, so that a test sees how bytes were read."""
    return Response(200, [(b"x-target", request.target)], request.method.encode() + b" " + request.body)


class Door:
    """A server under test with its clock."""

    def __init__(self, server: Server, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.server.port, limit=2**24)

    async def say(self, data: bytes, shut: bool = False) -> bytes:
        """Send `data` on a new connection; everything that comes back until the server closes."""
        reader, writer = await self.connect()
        writer.write(data)
        if shut:
            writer.write_eof()
        try:
            return await reader.read()
        finally:
            writer.close()

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the loop turn until `condition` holds."""
        await until(condition)


@pytest.fixture
def open_door() -> Callable[..., Any]:
    """`async with open_door(handler, **limits) as door`."""

    @asynccontextmanager
    async def opened(handler: Handler = echo, clock: ManualClock | None = None, **options: Any) -> AsyncIterator[Door]:
        clock = clock or ManualClock()
        names = {key: options.pop(key) for key in list(options) if key in Limits.__slots__}
        server = await serve(handler, clock=clock, limits=Limits(**names), **options)
        try:
            yield Door(server, clock)
        finally:
            await server.close()

    return opened


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[bytes, bytes], bytes]:
    """One answer with content-length or chunks: status, headers in lower case, body."""
    head = await reader.readuntil(b"\r\n\r\n")
    line, *rest = head[:-4].split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (entry.partition(b":") for entry in rest)}
    body = b""
    if headers.get(b"transfer-encoding") == b"chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    else:
        body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
    return int(line.split()[1]), headers, body


@pytest.fixture
def answer_of() -> Callable[..., Any]:
    return read_answer
