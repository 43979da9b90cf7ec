"""The bare HTTP server of Trine: answers every request with its body. The ceiling of what an endpoint can reach."""

from __future__ import annotations

import asyncio
import gc
import sys

from trine.clock import SystemClock
from trine.http.loop import run
from trine.http.message import Request, Response
from trine.http.server import serve


def echo(request: Request) -> Response:
    return Response(200, [(b"content-type", b"application/x-amz-json-1.0")], request.body)


async def main(port: int) -> None:
    await serve(echo, "127.0.0.1", port, clock=SystemClock())
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)  # as `trine up`
    await asyncio.Event().wait()


if __name__ == "__main__":
    run(main(int(sys.argv[1])))
