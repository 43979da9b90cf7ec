"""Which route a message takes, and what comes back to the client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.apigateway.conftest import URI
from tests.apigateway.websocket.conftest import LAMBDA, open_chat, running, template
from trine.aws.errors import AwsError
from trine.aws.invoke import InvokeResponse


def _echo(request: Any) -> Any:
    context = json.loads(request.payload)["requestContext"]
    return {"statusCode": 200, "body": context["routeKey"]}


def _routes(*keys: str) -> dict[str, Any]:
    return dict.fromkeys(keys, LAMBDA)


@pytest.mark.parametrize(
    ("expression", "message", "route"),
    [
        ("$request.body.action", {"action": "send"}, "send"),
        ("$request.body.action", {"action": "other"}, "$default"),
        ("$request.body.action", {"no": "action"}, "$default"),
        ("$request.body.action", {"action": "$connect"}, "$default"),
        ("$request.body.action", {"action": "$disconnect"}, "$default"),
        ("$request.body.action", {"action": "$default"}, "$default"),
        ("$request.body.action", {"action": None}, "$default"),
        ("$request.body.action", {"action": 7}, "7"),
        ("$request.body.action", ["action"], "$default"),
        ("$request.body.action", "not JSON", "$default"),
        ("$request.body.action", "", "$default"),
        ("$request.body.message.type", {"message": {"type": "send"}}, "send"),
        ("${request.body.type}-${request.body.version}", {"type": "send", "version": 2}, "send-2"),
        ("${request.body.a[1].b}", {"a": [0, {"b": "send"}]}, "send"),
        ("$context.stage", {}, "prod"),
        ("\\$default", {"action": "send"}, "$default"),
        ("$default", {"action": "send"}, "$default"),
        ("send", {"action": "other"}, "send"),
    ],
)
def test_selection(expression: str, message: Any, route: str) -> None:
    async def main() -> None:
        routes = _routes("$connect", "$default", "send", "send-2", "7", "prod")
        resources = template(routes, responding=tuple(routes), RouteSelectionExpression=expression)
        async with open_chat(resources) as chat:
            chat.invoker.answer = _echo
            async with chat.connect() as client:
                answer = await chat.ask(client, message)
                assert str(answer) == route

    running(main)


def test_without_a_default_route_the_client_is_told() -> None:
    async def main() -> None:
        async with open_chat(template(_routes("$connect", "send"))) as chat, chat.connect() as client:
            for message in ({"action": "nothing"}, "no JSON"):
                answer = await chat.ask(client, message)
                connection_id = chat.events()[0]["requestContext"]["connectionId"]
                assert answer["message"] == "Forbidden"
                assert answer["connectionId"] == connection_id
                assert list(answer) == ["message", "connectionId", "requestId"]
                trace = chat.traces.find(answer["requestId"])
                assert trace is not None
                assert trace.refusal is not None
                assert trace.refusal["room"] == "apigateway.router"
            assert len(chat.invoker.requests) == 1

    running(main)


def test_the_words_of_an_error_are_those_of_aws() -> None:
    async def main() -> None:
        async with open_chat(template(_routes("$connect"))) as chat, chat.connect() as client:
            await client.send("{}")
            text = await client.recv()
            assert isinstance(text, str)
            assert text.startswith('{"message": "Forbidden", "connectionId":"')
            assert '", "requestId":"' in text

    running(main)


def test_one_way_routes_say_nothing_and_two_way_ones_answer() -> None:
    async def main() -> None:
        resources = template(_routes("$connect", "quiet", "loud"), responding=("loud", "$connect"))
        async with open_chat(resources) as chat, chat.connect() as client:
            chat.invoker.answer = {"statusCode": 200, "body": "heard"}
            await client.send('{"action": "quiet"}')
            assert await chat.ask(client, {"action": "loud"}) == "heard"
            chat.invoker.answer = {"statusCode": 200, "body": "aGVhcmQ=", "isBase64Encoded": True}
            assert await chat.ask(client, {"action": "loud"}) == "heard"
            chat.invoker.answer = {"statusCode": 500, "body": "a status is no error"}
            assert await chat.ask(client, {"action": "loud"}) == "a status is no error"

    running(main)


BROKEN = {
    "the function raises": InvokeResponse(200, b'{"errorMessage":"x","errorType":"Y"}', "id", "Unhandled"),
    "no proxy answer": {"unknown": 1},
    "no object": b"null",
    "no JSON": b"<html>",
    "not permitted": AwsError("no", code="AccessDeniedException", status=403),
    "throttled": AwsError("no", code="TooManyRequestsException", status=429),
    "a fault of our own": RuntimeError("boom"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_function_that_fails(name: str) -> None:
    async def main() -> None:
        async with open_chat(template(_routes("$connect", "$default"))) as chat, chat.connect() as client:
            chat.invoker.answer = BROKEN[name]
            answer = await chat.ask(client, {"action": "x"})
            assert answer["message"] == "Internal server error"
            chat.invoker.answer = {"statusCode": 200}
            pong = await client.ping()
            await pong  # the connection goes on

    running(main)


def test_a_function_that_is_too_slow() -> None:
    async def main() -> None:
        async with open_chat(template(_routes("$connect", "$default"))) as chat, chat.connect() as client:
            chat.invoker.answer = None
            await client.send("x")
            await chat.until(lambda: chat.invoker.pending)
            chat.clock.advance(29.5)
            answer = json.loads(await client.recv())
            assert answer["message"] == "Endpoint request timed out"
            chat.invoker.pending[0].set_exception(RuntimeError("late"))

    running(main)


def test_messages_of_one_client_run_side_by_side() -> None:
    async def main() -> None:
        resources = template(_routes("$connect", "$default"), responding=("$default",))
        async with open_chat(resources) as chat, chat.connect() as client:
            chat.invoker.answer = None
            for _ in range(3):
                await client.send("x")
            await chat.until(lambda: len(chat.invoker.pending) == 3)
            for number in (2, 0, 1):
                body = json.dumps({"statusCode": 200, "body": str(number)}).encode()
                chat.invoker.pending[number].set_result(InvokeResponse(200, body, "id"))
                assert await client.recv() == str(number)

    running(main)


def test_a_response_selection_expression_alone_makes_a_route_two_way() -> None:
    async def main() -> None:
        routes = {"$default": {**LAMBDA, "Route": {"RouteResponseSelectionExpression": "$default"}}}
        async with open_chat(template(routes)) as chat, chat.connect() as client:
            chat.invoker.answer = {"statusCode": 200, "body": "heard"}
            assert await chat.ask(client, "x") == "heard"

    running(main)


def test_throttles_of_stage_and_route() -> None:
    async def main() -> None:
        stage = {"RouteSettings": {"slow": {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}}}
        resources = template(_routes("$connect", "slow", "$default"), responding=("slow", "$default"), stage=stage)
        async with open_chat(resources) as chat, chat.connect() as client:
            chat.invoker.answer = {"statusCode": 200, "body": "done"}
            assert await chat.ask(client, {"action": "slow"}) == "done"
            assert (await chat.ask(client, {"action": "slow"}))["message"] == "Too Many Requests"
            assert await chat.ask(client, {"action": "other"}) == "done"
            chat.clock.advance(1)
            assert await chat.ask(client, {"action": "slow"}) == "done"
            refused = [trace for trace in chat.traces.latest("websocket") if trace.refusal]
            assert refused[0].refusal is not None
            assert refused[0].refusal["bucket"] == "chat/prod slow"

    running(main)


def test_a_client_that_left_misses_its_answer() -> None:
    async def main() -> None:
        resources = template(_routes("$connect", "$default", "$disconnect"), responding=("$default",))
        async with open_chat(resources) as chat:
            client = await chat.connect()
            chat.invoker.answer = None
            await client.send("x")
            await chat.until(lambda: chat.invoker.pending)
            chat.invoker.answer = {"statusCode": 200}
            await client.close()
            await chat.until(lambda: len(chat.invoker.requests) == 3)
            chat.invoker.pending[0].set_result(InvokeResponse(200, b'{"statusCode":200,"body":"late"}', "id"))
            await asyncio.sleep(0.01)
            titles = {trace.title: trace for trace in chat.traces.latest("websocket")}
            dropped = [
                step.detail for step in titles["MESSAGE $default"].steps if step.detail and "dropped" in step.detail
            ]
            assert dropped == [{"dropped": "the client has gone"}]

    running(main)


def test_an_access_log_line_for_each_event() -> None:
    async def main() -> None:
        log = {"Format": "$context.eventType $context.routeKey $context.status", "DestinationArn": "arn:x:log-group:a"}
        routes = _routes("$connect", "$disconnect", "send")
        async with open_chat(template(routes, stage={"AccessLogSettings": log})) as chat:
            async with chat.connect() as client:
                await client.send('{"action": "send"}')
                await chat.ask(client, {"action": "none"})
            await chat.until(lambda: len(chat.lines) == 4)
            assert sorted(chat.lines) == [
                "CONNECT $connect 101", "DISCONNECT $disconnect 200", "MESSAGE $default 403", "MESSAGE send 200",
            ]  # fmt: skip

    running(main)


def test_an_api_needs_no_routes() -> None:
    async def main() -> None:
        async with open_chat(template({})) as chat, chat.connect() as client:
            assert (await chat.ask(client, "x"))["message"] == "Forbidden"
            assert chat.invoker.requests == []

    running(main)


def test_an_authorization_on_another_route_is_told(  # AWS refuses such a route when it is made
) -> None:
    async def main() -> None:
        routes = {"$default": {**LAMBDA, "Route": {"AuthorizationType": "AWS_IAM"}}}
        async with open_chat(template(routes)) as chat:
            assert any("$connect only" in problem for problem in chat.gateway.problems)

    running(main)


def test_uri_of_the_function_may_be_short() -> None:
    async def main() -> None:
        arn = URI.partition("/functions/")[2].removesuffix("/invocations")
        async with open_chat(template({"$connect": {**LAMBDA, "IntegrationUri": arn}})) as chat, chat.connect():
            assert chat.invoker.requests[0].function == arn

    running(main)
