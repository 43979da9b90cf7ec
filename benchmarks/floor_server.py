"""The bare floor of a call with boto3: a front door that only hands events to AWS's runtime client, a table that only
answers. What the SDK, the official client and the sockets cost, and nothing else: no rights, limits, log or store.

`python -m benchmarks.floor_server FRONT_PORT TABLE_PORT RUNTIME_PORT…`: one Runtime API for each client.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
from asyncio import Future
from collections import deque

import orjson

from trine.clock import SystemClock
from trine.http.loop import run
from trine.http.message import Request, Response
from trine.http.server import serve

JSON = (b"content-type", b"application/json")
FIXED = (
    (b"Lambda-Runtime-Deadline-Ms", b"4000000000000"),
    (b"Lambda-Runtime-Invoked-Function-Arn", b"arn:aws:lambda:us-east-1:000000000000:function:f"),
)


class Floor:
    """Events on their way to runtimes, and answers on their way back."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._answers: dict[str, Future[Response]] = {}
        self._events: deque[Response] = deque()
        self._idle: deque[Future[Response]] = deque()

    def front(self, request: Request) -> Response | Future[Response]:
        """A request becomes an event, with no more of it than the function reads."""
        path = request.path.decode()
        if not path.startswith("/users/"):
            return Response(404)
        request_id = f"00000000-0000-4000-8000-{next(self._numbers):012x}"
        event = {"rawPath": path, "pathParameters": {"id": path.removeprefix("/users/")}, "isBase64Encoded": False}
        head = [JSON, (b"Lambda-Runtime-Aws-Request-Id", request_id.encode()), *FIXED]
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        message = Response(200, head, orjson.dumps(event))
        if self._idle:
            self._idle.popleft().set_result(message)
        else:
            self._events.append(message)
        return answer

    def runtime(self, request: Request) -> Response | Future[Response]:
        """The Runtime API: `next` and `response`."""
        parts = request.path.decode().split("/")
        if parts[-1] == "next":
            if self._events:
                return self._events.popleft()
            idle: Future[Response] = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            return idle
        found = orjson.loads(request.body)
        failed = parts[-1] != "response"
        answer = Response(500, [], request.body) if failed else Response(200, [JSON], found["body"].encode())
        self._answers.pop(parts[-2]).set_result(answer)
        return Response(202, [JSON], b"{}")


def table(request: Request) -> Response:
    """Every item there could be."""
    key = request.body[request.body.index(b'"S": "u') + 7 :].partition(b'"')[0]
    return Response(200, [JSON], b'{"Item":{"id":{"S":"u%b"},"name":{"S":"Name %b"}}}' % (key, key))


async def main(front_port: int, table_port: int, *runtime_ports: int) -> None:
    clock = SystemClock()
    floor = Floor()
    for port in runtime_ports:
        await serve(floor.runtime, port=port, clock=clock)
    await serve(table, port=table_port, clock=clock)
    await serve(floor.front, port=front_port, clock=clock)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as `trine up`
    await asyncio.Event().wait()


if __name__ == "__main__":
    run(main(*map(int, sys.argv[1:])))
