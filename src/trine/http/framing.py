"""The answers that are not the plain one: to HEAD and HTTP/1.0, the last of a connection, with a streamed body.

A `Response` and the request that it answers enter; bytes leave, and a body that is still to be sent piece by piece.
Which answer's turn it is, and what the connection does afterwards, is `connection`'s to know.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable

from trine.http.errors import BodyBroken
from trine.http.message import Request, Response
from trine.http.rendering import (
    CHUNKED_LINE,
    CLOSE_LINE,
    KEEP_ALIVE_LINE,
    LAST_CHUNK,
    chunk,
    may_have_body,
    render,
    render_head,
    render_without_body,
)


def is_old(request: Request | None) -> bool:
    """Whether the client speaks HTTP/1.0: it knows no chunks, and keeps a connection only when told so."""
    return request is not None and request.version == "1.0"


def framed(
    request: Request | None, response: Response, date_line: bytes, keep_alive: bool
) -> tuple[bytes, AsyncIterable[bytes] | None]:
    """What goes out at once, and the body that is streamed behind it. `request`: None where the bytes were none.

    Raises ResponseInvalid for headers that no answer may have.
    """
    old, body = is_old(request), response.body
    lines = date_line
    if not keep_alive:
        lines += CLOSE_LINE
    elif old:
        lines += KEEP_ALIVE_LINE
    if (request is not None and request.method == "HEAD") or not may_have_body(response.status):
        return render_without_body(response, lines), None
    if isinstance(body, bytes):
        return render(response, lines), None
    return render_head(response, lines) + (b"\r\n" if old else CHUNKED_LINE + b"\r\n"), body


async def send_body(
    body: AsyncIterable[bytes],
    chunked: bool,
    transport: asyncio.Transport,
    drained: Callable[[], asyncio.Future[None] | None],
    failed: Callable[[Exception], object],
) -> bool:
    """Write `body` piece by piece; False when the connection ended over it.

    `drained` gives what to wait for while the client is slow, None otherwise; `failed` is told what the body raised.
    """
    try:
        async for data in body:
            if data:
                transport.write(chunk(data) if chunked else data)
            if (waiting := drained()) is not None:
                await waiting
        if chunked:
            transport.write(LAST_CHUNK)
    except asyncio.CancelledError:
        transport.abort()
        raise
    except BodyBroken:
        transport.close()  # what was sent goes out; that no last chunk follows tells the client
        return False
    except Exception as error:
        # The head is out: only a body that breaks off can still tell the client.
        failed(error)
        transport.abort()
        return False
    finally:
        if (close := getattr(body, "aclose", None)) is not None:
            await close()
    return True
