"""AWS's table of content type conversions, row by row, over an HTTP integration of a REST API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from trine.clock import SystemClock
from trine.http.message import Request, Response
from trine.http.server import serve

TEXT, IMAGE = "text/plain", "image/png"
RAW = b"\x89PNG\xff"
CODED = base64.b64encode(RAW)


class Upstream:
    """Remembers the body it got, answers what it is told."""

    def __init__(self) -> None:
        self.got = b""
        self.answer = (TEXT, b"")

    def __call__(self, request: Request) -> Response:
        self.got = request.body
        return Response(200, [(b"Content-Type", self.answer[0].encode())], self.answer[1])


def called(make_door: Any, rest: Any, upstream: Upstream, types: list[str], node: dict[str, Any], *sent: Any) -> Any:
    """The answer to one POST (headers, body) of an API with these binary media types."""

    async def main() -> Any:
        server = await serve(upstream, "127.0.0.1", 0, clock=SystemClock())
        try:
            whole = {"type": "http", "httpMethod": "POST", "uri": f"http://127.0.0.1:{server.port}/", **node}
            paths = {"/x": {"post": {"x-amazon-apigateway-integration": whole}}}
            return await make_door(rest(paths, BinaryMediaTypes=types)).acall("POST", "/x", *sent)
        finally:
            await server.close()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("types", "content_type", "handling", "sent", "got"),
    [
        ([], TEXT, None, b"hello", b"hello"),
        ([], TEXT, "CONVERT_TO_BINARY", CODED, RAW),
        ([], TEXT, "CONVERT_TO_TEXT", b"hello", b"hello"),
        ([IMAGE], TEXT, None, b"hello", b"hello"),
        ([IMAGE], TEXT, "CONVERT_TO_BINARY", CODED, RAW),
        ([IMAGE], TEXT, "CONVERT_TO_TEXT", b"hello", b"hello"),
        ([IMAGE], IMAGE, None, RAW, RAW),
        ([IMAGE], IMAGE, "CONVERT_TO_BINARY", RAW, RAW),
        ([IMAGE], IMAGE, "CONVERT_TO_TEXT", RAW, CODED),
    ],
)
def test_requests(
    make_door: Any, rest: Any, types: list[str], content_type: str, handling: str | None, sent: bytes, got: bytes
) -> None:
    node = {"contentHandling": handling, "responses": {"default": {"statusCode": "200"}}}
    upstream = Upstream()
    response = called(make_door, rest, upstream, types, node, {"Content-Type": content_type}, sent)
    assert (response.status, upstream.got) == (200, got)


@pytest.mark.parametrize(
    ("types", "answered", "accept", "handling", "body"),
    [
        ([], (TEXT, b"hello"), TEXT, None, b"hello"),
        ([], (TEXT, CODED), TEXT, "CONVERT_TO_BINARY", RAW),
        ([], (TEXT, b"hello"), TEXT, "CONVERT_TO_TEXT", b"hello"),
        ([IMAGE], (TEXT, b"hello"), TEXT, None, b"hello"),
        ([IMAGE], (TEXT, CODED), TEXT, "CONVERT_TO_BINARY", RAW),
        ([IMAGE], (TEXT, b"hello"), TEXT, "CONVERT_TO_TEXT", b"hello"),
        ([IMAGE], (TEXT, CODED), IMAGE, None, RAW),
        ([IMAGE], (TEXT, CODED), IMAGE, "CONVERT_TO_BINARY", RAW),
        ([IMAGE], (TEXT, b"hello"), IMAGE, "CONVERT_TO_TEXT", b"hello"),
        ([IMAGE], (IMAGE, RAW), TEXT, None, CODED),
        ([IMAGE], (IMAGE, RAW), TEXT, "CONVERT_TO_BINARY", RAW),
        ([IMAGE], (IMAGE, RAW), TEXT, "CONVERT_TO_TEXT", CODED),
        ([IMAGE], (IMAGE, RAW), IMAGE, None, RAW),
        ([IMAGE], (IMAGE, RAW), IMAGE, "CONVERT_TO_BINARY", RAW),
        ([IMAGE], (IMAGE, RAW), IMAGE, "CONVERT_TO_TEXT", CODED),
    ],
)
def test_answers(
    make_door: Any, rest: Any, types: list[str], answered: Any, accept: str, handling: str | None, body: bytes
) -> None:
    chosen = {"statusCode": "200", "contentHandling": handling}
    upstream = Upstream()
    upstream.answer = answered
    node = {"responses": {"default": chosen}}
    response = called(make_door, rest, upstream, types, node, {"Accept": accept}, b"")
    assert (response.status, response.body) == (200, body)


def test_a_function_that_answers_base64_sends_bytes(make_door: Any, rest: Any, lambda_proxy: Any) -> None:
    """As of `return base64.b64encode(...)`: what the gateway gets is a JSON string, with its quotes."""
    responses = {"default": {"statusCode": "200", "contentHandling": "CONVERT_TO_BINARY"}}
    operation = lambda_proxy(integration={"type": "aws", "contentHandling": "CONVERT_TO_TEXT", "responses": responses})
    door = make_door(rest({"/x": {"post": operation}}))
    door.invoker.answer = CODED.decode()
    assert door.call("POST", "/x", {"Content-Type": "application/json"}, b'{"a":1}').body == RAW
    assert door.invoker.event == {"a": 1}
