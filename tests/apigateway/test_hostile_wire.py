"""Hostile bytes on a real socket: smuggled requests, odd paths, bombs. The function runs for none of them, each is
answered in AWS's words, and its trace says why."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import orjson
import pytest

from trine.clock import SystemClock
from trine.http.limits import Limits
from trine.http.server import serve

HOST = b"Host: x\r\n"
HIDDEN = b"GET /users HTTP/1.1\r\nHost: x\r\n\r\n"


async def _speak(door: Any, data: bytes) -> bytes:
    """Everything the server says until it closes: after a refusal, and where the client asked for it."""
    server = await serve(
        door.gateway.handle,
        "127.0.0.1",
        0,
        clock=SystemClock(),
        limits=Limits(body_bytes=1024 * 1024, linger_timeout_seconds=0.05),
        error_response=door.gateway.refuse_unread,
    )
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(data)
        heard = b""
        try:
            while piece := await asyncio.wait_for(reader.read(65_536), 30):
                heard += piece
        except (TimeoutError, ConnectionError):
            pass
        writer.close()
        return heard
    finally:
        await server.close(0.1)


def speak(door: Any, data: bytes) -> tuple[list[int], bytes]:
    """The statuses of all answers, and what was heard."""
    heard = asyncio.run(_speak(door, data))
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", heard)], heard


SMUGGLED = {
    "both lengths": b"POST /users HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /users HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nContent-Length: 40\r\n\r\nabcd",
    "a length that is none": b"POST /users HTTP/1.1\r\n" + HOST + b"Content-Length: +4\r\n\r\nabcd",
    "chunked twice": b"POST /users HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"POST /users HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk size that is none": b"POST /users HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
    "a huge chunk size": b"POST /users HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"f" * 17
    + b"\r\n",
    "a chunk too long": b"POST /users HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
    "obsolete folding": b"GET /users HTTP/1.1\r\n" + HOST + b"X-A: b\r\n Content-Length: 4\r\n\r\n",
    "a space before the colon": b"GET /users HTTP/1.1\r\n" + HOST + b"Content-Length : 4\r\n\r\n",
    "no Host": b"GET /users HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /users HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "a bare LF in a header": b"GET /users HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
    "NUL in a header": b"GET /users HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "a space in the target": b"GET /us ers HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_requests_within_requests(rest_door: Any, name: str) -> None:
    statuses, heard = speak(rest_door, SMUGGLED[name] + HIDDEN)
    assert rest_door.invoker.requests == []
    assert len(statuses) == 1
    assert statuses[0] in (400, 413, 501)
    assert re.search(rb"x-amzn-RequestId: [0-9a-f-]{36}", heard)
    assert heard.rpartition(b"\r\n\r\n")[2].startswith(b'{"message":')
    refusal = rest_door.refusal()
    assert (refusal["room"], refusal["status"]) == ("http.protocol", statuses[0])


def test_an_http_api_speaks_its_own_words(http_door: Any) -> None:
    statuses, heard = speak(http_door, SMUGGLED["two lengths"])
    assert statuses == [400]
    assert b"Apigw-Requestid: " in heard
    assert b"x-amzn-RequestId" not in heard


PATHS = [
    b"//users", b"/users//", b"/./users", b"/files/../users", b"/users/%2e%2e/admin", b"/users%2F7", b"/users/%00",
    b"/users/%", b"/users/%zz", b"/%75sers", b"/users;a=b", b"/users/" + b"a/" * 600, b"/users\\7", b"/users/%C0%AE",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_paths_reach_no_other_route(rest_door: Any, http_door: Any, path: bytes) -> None:
    for door, none in ((rest_door, 403), (http_door, 404)):
        statuses, _ = speak(door, b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert len(statuses) == 1
        assert statuses[0] in (200, none, 400)
        if statuses[0] == 200:
            event = door.invoker.event
            assert "admin" not in str(event.get("resource") or event.get("routeKey"))


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /users?" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HOST, 414),
        (b"GET /users?" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST, 414),
        (b"GET /users HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 11_000 + b"\r\n", 431),
        (b"GET /users HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 40_000 + b"\r\n", 431),
        (b"GET /users HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 300, 431),
        (b"POST /users HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999\r\n", 413),
        (b"POST /users HTTP/1.1\r\n" + HOST + b"Content-Length: 2000000\r\n", 413),
    ],
)
def test_bombs(rest_door: Any, head: bytes, status: int) -> None:
    statuses, heard = speak(rest_door, head + b"Connection: close\r\n\r\n")
    assert statuses == [status]
    body = orjson.loads(heard.rpartition(b"\r\n\r\n")[2])
    assert list(body) == ["message"]
    assert rest_door.invoker.requests == []
    assert rest_door.refusal()["room"] in ("http.protocol", "apigateway.limits")


def test_authorization_twice_is_judged_as_one(make_door: Any, rest: Any, lambda_proxy: Any, function_arn: str) -> None:
    """An authorizer must not see one token while the function sees another."""
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    authorizer = {"type": "token", "authorizerUri": uri, "authorizerResultTtlInSeconds": 0}
    scheme = {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authorizer": authorizer}
    paths = {"/x": {"get": lambda_proxy(security=[{"A": []}])}}
    door = make_door(rest(paths, body={"securityDefinitions": {"A": scheme}}))
    speak(
        door, b"GET /x HTTP/1.1\r\n" + HOST + b"Authorization: good\r\nAuthorization: evil\r\nConnection: close\r\n\r\n"
    )
    assert door.invoker.event["authorizationToken"] == "good,evil"


def test_a_client_that_vanishes_leaves_a_trace(rest_door: Any) -> None:
    async def run() -> None:
        invoked = asyncio.Event()
        rest_door.invoker.answer = lambda _: invoked.set()
        server = await serve(rest_door.gateway.handle, "127.0.0.1", 0, clock=SystemClock())
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HIDDEN)
        await invoked.wait()
        writer.transport.abort()
        await server.close(0.1)
        rest_door.clock.advance(30)  # the integration's timeout ends what nobody waits for

    asyncio.run(run())
    trace = next(rest_door.traces.latest("apigateway"))
    assert trace.outcome in (499, 504)
