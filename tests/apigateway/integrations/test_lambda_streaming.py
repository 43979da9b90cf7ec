"""Streamed answers: the head in front, the rest as it comes, and every way in which a stream can go wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from trine.apigateway.api import IntegrationType
from trine.aws.answer_stream import StreamEnd
from trine.aws.errors import AwsError
from trine.http.errors import BodyBroken
from trine.http.message import Response

ZEROS = b"\0" * 8


@pytest.fixture
def make(make_door: Any, rest: Any, lambda_proxy: Any, function_arn: str) -> Any:
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/{function_arn}/response-streaming-invocations"

    def door(**integration: Any) -> Any:
        mode = {"uri": uri, "responseTransferMode": "STREAM", **integration}
        return make_door(rest({"/s": {"get": lambda_proxy(integration=mode)}}, MinimumCompressionSize=0))

    return door


def head(**members: Any) -> bytes:
    return orjson.dumps(members) + ZEROS


async def pieces(response: Response) -> list[bytes]:
    assert not isinstance(response.body, bytes)
    return [piece async for piece in response.body]


def test_the_head_and_then_pieces(make: Any, function_arn: str) -> None:
    door = make()
    stream = door.invoker.stream

    async def run() -> None:
        waiting = door.start("GET", "/s", {"Accept-Encoding": "gzip"})
        await asyncio.sleep(0)
        stream.feed(b'{"statusCode": 201, "headers": {"Content-Type": "text/event-stream", "Connection": "x"},')
        await asyncio.sleep(0)
        assert not waiting.done()
        stream.feed(b'"multiValueHeaders": {"X-A": ["1", "2"]}, "cookies": ["a=1", "b=2"]}' + ZEROS + b"first")
        response = await waiting
        assert response.status == 201
        shown = [(name.lower(), value) for name, value in response.headers]
        assert (b"content-type", b"text/event-stream") in shown
        assert [value for name, value in shown if name == b"x-a"] == [b"1", b"2"]
        assert [value for name, value in shown if name == b"set-cookie"] == [b"a=1", b"b=2"]
        assert (b"x-amzn-remapped-connection", b"x") in shown
        reading = asyncio.ensure_future(pieces(response))
        for piece in (b"second", b"third" + ZEROS):
            stream.feed(piece)
            await asyncio.sleep(0)
        stream.finish(StreamEnd())
        assert await reading == [b"first", b"second", b"third" + ZEROS]

    asyncio.run(run())
    assert door.invoker.event["path"] == "/s"
    assert door.invoker.requests[0].function == function_arn


def test_an_answer_longer_than_ten_megabytes(make: Any) -> None:
    door = make()
    stream = door.invoker.stream

    async def run() -> int:
        stream.feed(head())
        response = await door.start("GET", "/s")
        assert response.status == 200
        for _ in range(12):
            stream.feed(b"x" * 1_000_000)
        assert door.invoker.holds == [True]
        stream.finish(StreamEnd())
        return sum(map(len, await pieces(response)))

    assert asyncio.run(run()) == 12_000_000
    assert door.invoker.holds == [True, False]


@pytest.mark.parametrize(
    ("begin", "why"),
    [
        (b'{"statusCode": 200, "body": "buffered"}', "no head with its delimiter in the first 39 bytes"),
        (b"x" * 20_000, "no head with its delimiter in the first 20000 bytes"),
        (b"not json" + ZEROS, "not JSON"),
        (b"[]" + ZEROS, "the head of the stream is no object"),
        (head(statusCode="no"), "statusCode 'no'"),
        (head(headers={"a\nb": "c"}), "header name"),
        (head(headers={"a": "c\r\nd: e"}), "line break"),
        (head(cookies="a=1"), "cookies is not a list"),
        (b"", "no head"),
    ],
)
def test_malformed_heads(make: Any, begin: bytes, why: str) -> None:
    door = make()
    door.invoker.stream.feed(begin)
    door.invoker.stream.finish(StreamEnd())
    response = door.call("GET", "/s")
    assert (response.status, response.body) == (502, b'{"message": "Internal server error"}')
    assert why in door.refusal()["reason"]


def test_a_function_that_fails_before_its_head(make: Any) -> None:
    door = make()
    door.invoker.stream.finish(StreamEnd("Unhandled", b'{"errorType":"E","errorMessage":"early"}'))
    assert door.call("GET", "/s").status == 502
    assert "the function failed: E: early" in door.refusal()["reason"]


def test_a_function_that_is_not_run(make: Any) -> None:
    door = make()
    door.invoker.refusal = AwsError("Rate exceeded", code="TooManyRequestsException", status=429)
    assert door.call("GET", "/s").status == 500
    assert "TooManyRequestsException" in door.refusal()["reason"]


def test_a_function_that_fails_midway(make: Any) -> None:
    door = make()
    stream = door.invoker.stream

    async def run() -> None:
        stream.feed(head() + b"so far")
        response = await door.start("GET", "/s")
        stream.finish(StreamEnd("Unhandled", b"{}"))
        body = aiter(response.body)
        assert await anext(body) == b"so far"
        with pytest.raises(BodyBroken, match="failed midway"):
            await anext(body)

    asyncio.run(run())


@pytest.mark.parametrize(("timeout_ms", "seconds", "why"), [(2_000, 2.1, "timeout is over"),
                                                            (900_000, 301.0, "nothing came")])  # fmt: skip
def test_streams_end(make: Any, timeout_ms: int, seconds: float, why: str) -> None:
    door = make(timeoutInMillis=timeout_ms)
    stream = door.invoker.stream

    async def run() -> None:
        stream.feed(head() + b"so far")
        response = await door.start("GET", "/s")
        body = aiter(response.body)
        assert await anext(body) == b"so far"
        reading = asyncio.ensure_future(anext(body))
        await asyncio.sleep(0)
        door.clock.advance(seconds)
        with pytest.raises(BodyBroken, match=why):
            await reading

    asyncio.run(run())


def test_a_head_that_comes_too_late(make: Any) -> None:
    door = make(timeoutInMillis=1_000)
    stream = door.invoker.stream

    async def run() -> Response:
        waiting = door.start("GET", "/s")
        await asyncio.sleep(0)
        door.clock.advance(1.1)
        response = await waiting
        stream.feed(head() + b"x" * 300_000)
        for _ in range(4):
            await asyncio.sleep(0)
        stream.feed(b"thrown away")
        return response

    response = asyncio.run(run())
    assert response.status == 504
    assert door.invoker.holds == [True, False]  # nobody reads: the function runs on to nowhere


def test_a_reader_that_goes_away(make: Any) -> None:
    door = make()
    stream = door.invoker.stream

    async def run() -> None:
        stream.feed(head() + b"x" * 300_000)
        response = await door.start("GET", "/s")
        await response.body.aclose()
        stream.feed(b"x" * 300_000)

    asyncio.run(run())
    assert door.invoker.holds[-1:] != [True]


@pytest.mark.parametrize("change", [{"type": "mock"}, {"type": "aws"}])
def test_only_proxies_stream(make: Any, change: dict[str, Any]) -> None:
    door = make(**change)
    assert door.apis[0].routes[0].integration.type is IntegrationType.NOT_BUILT
    assert "STREAM is for proxy integrations" in door.apis[0].problems[0]
