"""What lies in a function's VPC beside it: a database, a cache, a server. Bytes are carried both ways, and not read.

Enters a listening socket in the network of an environment and the address on this machine that stands for the
neighbour; leaves what ends it. A neighbour that does not answer closes the connection, as nothing listening would.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

CONNECTIONS_MAX = 256
CONNECT_SECONDS = 10.0
_PIECE_BYTES = 65_536


async def forward(listening: socket.socket, target: tuple[str, int]) -> Callable[[], Awaitable[None]]:
    """Carry what connects to `listening` to `target` until what is returned is called."""
    under_way: set[asyncio.Task[None]] = set()

    async def carry(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(under_way) >= CONNECTIONS_MAX:
            writer.close()
            return
        under_way.add(task)
        try:
            await _carry(reader, writer, target)
        finally:
            under_way.discard(task)
            writer.close()

    server = await asyncio.start_server(carry, sock=listening)

    async def end() -> None:
        server.close()
        for task in tuple(under_way):
            task.cancel()

    return end


async def _carry(reader: StreamReader, writer: StreamWriter, target: tuple[str, int]) -> None:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            far_reader, far_writer = await asyncio.open_connection(*target)
    except OSError:
        return
    try:
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
    finally:
        far_writer.close()


async def _pump(reader: StreamReader, writer: StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
