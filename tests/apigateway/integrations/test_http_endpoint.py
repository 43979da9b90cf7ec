"""HTTP and HTTP_PROXY over real sockets: what is passed on, remapped, mapped; servers that fail."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import orjson
import pytest

from trine.clock import SystemClock
from trine.http.errors import BodyBroken
from trine.http.message import Request, Response
from trine.http.server import serve


def echo(request: Request) -> Response:
    """Says back what it was sent."""
    headers = {name.decode().lower(): value.decode() for name, value in request.headers}
    document = {
        "method": request.method, "target": request.target.decode(), "headers": headers, "body": request.body.decode(),
    }  # fmt: skip
    status = int(headers.get("x-status", "200"))
    return Response(status, [(b"Server", b"echo"), (b"X-Own", b"1"), (b"X-Amzn-Trace-Id", b"echo"), (b"Content-Type", b"application/json")], orjson.dumps(document))  # fmt: skip  # noqa: E501


@pytest.fixture
def run() -> Any:
    def start(scenario: Any) -> None:
        async def main() -> None:
            server = await serve(echo, "127.0.0.1", 0, clock=SystemClock())
            try:
                await scenario(f"http://127.0.0.1:{server.port}")
            finally:
                await server.close()

        asyncio.run(main())

    return start


def integration(**node: Any) -> dict[str, Any]:
    return {"x-amazon-apigateway-integration": {"httpMethod": "ANY", **node}}


def test_rest_proxy(run: Any, make_door: Any, rest: Any, get_header: Any) -> None:
    async def scenario(base: str) -> None:
        node = integration(
            type="http_proxy",
            uri=base + "/to/{proxy}",
            requestParameters={
                "integration.request.path.proxy": "method.request.path.proxy",
                "integration.request.header.X-Static": "'fixed'",
                "integration.request.querystring.extra": "context.stage",
            },
        )
        door = make_door(rest({"/{proxy+}": {"x-amazon-apigateway-any-method": node}}))
        response = await door.acall("PUT", "/a/b%20c?x=1", {"X-One": "1", "TE": "x"}, b"hello")
        document = orjson.loads(response.body)
        assert (document["method"], document["body"]) == ("PUT", "hello")
        assert document["target"] == "/to/a/b%20c?x=1&extra=Prod"
        assert document["headers"]["x-one"] == "1"
        assert document["headers"]["x-static"] == "fixed"
        assert document["headers"]["host"] == base.removeprefix("http://")
        assert document["headers"]["x-forwarded-for"] == "203.0.113.9"
        assert "te" not in document["headers"]
        assert document["headers"]["x-amzn-apigateway-api-id"] == door.gateway.apis[0].id
        traces = [value for name, value in response.headers if name.lower() == b"x-amzn-trace-id"]
        assert traces == [document["headers"]["x-amzn-trace-id"].encode()]
        assert get_header(response, "x-amzn-Remapped-Server") == "echo"
        assert get_header(response, "X-Own") == "1"
        response = await door.acall("GET", "/a", {"X-Status": "404"})
        assert response.status == 404

    run(scenario)


def test_rest_custom(run: Any, make_door: Any, rest: Any, get_header: Any) -> None:
    async def scenario(base: str) -> None:
        node = integration(
            type="http",
            httpMethod="POST",
            uri=base + "/t",
            requestTemplates={"application/json": '{"wrapped":$input.json("$")}'},
            requestParameters={"integration.request.header.X-Status": "method.request.querystring.s"},
            responses={
                "default": {
                    "statusCode": "200",
                    "responseTemplates": {"application/json": "$input.path('$.body')"},
                    "responseParameters": {"method.response.header.X-From": "integration.response.header.X-Own"},
                },
                "5..": {"statusCode": "502", "responseTemplates": {"application/json": "upstream"}},
            },
        )
        door = make_door(rest({"/x": {"post": node}}))
        response = await door.acall("POST", "/x", {"X-One": "1"}, b'{"a":1}')
        assert (response.status, response.body) == (200, b'{"wrapped":{"a":1}}')
        assert get_header(response, "X-From") == "1"
        assert get_header(response, "X-Own") is None
        response = await door.acall("POST", "/x?s=503", {}, b"{}")
        assert (response.status, response.body) == (502, b"upstream")

    run(scenario)


def test_http_api_proxy_with_parameter_mapping(run: Any, make_door: Any, http: Any, get_header: Any) -> None:
    async def scenario(base: str) -> None:
        node = integration(
            type="http_proxy",
            uri=base + "/to/{id}",
            requestParameters={
                "append:header.X-New": "${request.header.x-one}-$context.stage",
                "remove:header.X-Gone": "''",
                "overwrite:querystring.q": "$request.path.id",
            },
            responseParameters={
                "404": {"overwrite:statuscode": "200", "append:header.X-Was": "404", "remove:header.X-Own": "''"}
            },
        )
        door = make_door(http({"/u/{id}": {"x-amazon-apigateway-any-method": node}}))
        headers = {"X-One": "1", "X-Gone": "1", "X-Status": "404"}
        response = await door.acall("GET", "/u/7?q=old&r=1", headers)
        document = orjson.loads(response.body)
        assert document["target"] == "/to/7?r=1&q=7"
        assert document["headers"]["x-new"] == "1-$default"
        assert "x-gone" not in document["headers"]
        assert (response.status, get_header(response, "X-Was"), get_header(response, "X-Own")) == (200, "404", None)
        assert get_header(response, "Server") is None

    run(scenario)


def test_overwritten_paths(run: Any, make_door: Any, http: Any) -> None:
    async def scenario(base: str) -> None:
        node = integration(
            type="http_proxy", uri=base + "/x", requestParameters={"overwrite:path": "/new/$request.path.id"}
        )
        door = make_door(http({"/u/{id}": {"get": node}}))
        assert orjson.loads((await door.acall("GET", "/u/7")).body)["target"] == "/new/7"

    run(scenario)


def test_mappings_before_a_function(make_door: Any, http: Any, lambda_proxy: Any) -> None:
    node = lambda_proxy(
        integration={
            "payloadFormatVersion": "2.0",
            "requestParameters": {"overwrite:header.x-user": "$context.requestId"},
        }
    )
    door = make_door(http({"/x": {"get": node}}))
    event = door.event("GET", "/x", {"X-User": "forged"})
    assert event["headers"]["x-user"] == event["requestContext"]["requestId"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_endpoint_that_is_not_there(make_door: Any, rest: Any, http: Any) -> None:
    node = integration(type="http_proxy", uri=f"http://127.0.0.1:{free_port()}/")
    response = make_door(rest({"/x": {"get": node}})).call("GET", "/x")
    assert (response.status, response.body) == (504, b'{"message": "Network error communicating with endpoint"}')
    response = make_door(http({"/x": {"get": node}})).call("GET", "/x")
    assert (response.status, response.body) == (503, b'{"message":"Service Unavailable"}')


def test_an_endpoint_that_hangs(make_door: Any, rest: Any) -> None:
    async def scenario() -> None:
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        node = integration(type="http_proxy", uri=f"http://127.0.0.1:{port}/", timeoutInMillis=2_000)
        door = make_door(rest({"/x": {"get": node}}))
        answer = door.start("GET", "/x")
        await asyncio.sleep(0)
        door.clock.advance(2)
        response = await answer
        assert (response.status, response.body) == (504, b'{"message": "Endpoint request timed out"}')
        await asyncio.sleep(0)
        server.close()

    asyncio.run(scenario())


def test_what_is_not_built(make_door: Any, rest: Any) -> None:
    for node, why in (
        (integration(type="http_proxy", uri="ftp://x"), "needs an http or https URI"),
        (integration(type="http_proxy", uri="http://x", connectionType="VPC_LINK"), "VPC_LINK"),
    ):
        door = make_door(rest({"/x": {"get": node}}))
        assert why in door.apis[0].problems[0]
        assert door.call("GET", "/x").status == 500


def test_streaming(make_door: Any, rest: Any, get_header: Any) -> None:
    async def main() -> None:
        more = asyncio.Event()

        async def pieces() -> Any:
            yield b"first"
            await more.wait()
            yield b"second"

        handler = lambda _: Response(201, [(b"Server", b"own"), (b"X-Own", b"1")], pieces())  # noqa: E731
        server = await serve(handler, "127.0.0.1", 0, clock=SystemClock())
        uri = f"http://127.0.0.1:{server.port}/s"
        node = integration(type="http_proxy", uri=uri, responseTransferMode="STREAM", timeoutInMillis=60_000)
        door = make_door(rest({"/s": {"get": node}}))
        response = await door.acall("GET", "/s")
        assert response.status == 201
        assert get_header(response, "x-amzn-Remapped-Server") == "own"
        body = aiter(response.body)
        assert await anext(body) == b"first"
        more.set()
        assert [piece async for piece in body] == [b"second"]
        await server.close()
        response = await door.acall("GET", "/s")
        assert response.status == 504

    asyncio.run(main())


def test_a_stream_that_falls_silent_ends(make_door: Any, rest: Any) -> None:
    async def main() -> None:
        async def pieces() -> Any:
            yield b"first"
            await asyncio.Event().wait()

        server = await serve(lambda _: Response(200, [], pieces()), "127.0.0.1", 0, clock=SystemClock())
        uri = f"http://127.0.0.1:{server.port}/s"
        node = integration(type="http_proxy", uri=uri, responseTransferMode="STREAM", timeoutInMillis=900_000)
        door = make_door(rest({"/s": {"get": node}}))
        response = await door.acall("GET", "/s")
        body = aiter(response.body)
        assert await anext(body) == b"first"
        waiting = asyncio.ensure_future(anext(body))
        await asyncio.sleep(0)
        door.clock.advance(299)
        await asyncio.sleep(0)
        assert not waiting.done()
        door.clock.advance(2)
        with pytest.raises(BodyBroken, match="nothing came for 300 s"):
            await waiting
        await server.close(0.1)

    asyncio.run(main())
