"""What a function receives of a WebSocket API, field for field as AWS sends it."""

from __future__ import annotations

import json

from tests.apigateway.conftest import FUNCTION, URI, TemplateResource
from tests.apigateway.websocket.conftest import LAMBDA, Chat, open_chat, running, template

ALL = template({"$connect": LAMBDA, "$disconnect": LAMBDA, "$default": LAMBDA, "send": LAMBDA})


async def _ended(chat: Chat, count: int) -> None:
    await chat.until(lambda: len(chat.invoker.requests) == count)


def test_connect() -> None:
    async def main() -> None:
        async with open_chat(ALL) as chat:
            headers = {"X-Twice": "1", "Authorization": "token"}
            async with chat.connect("?a=1&a=2&b=%20", additional_headers=headers, subprotocols=["chat"]):
                pass
            event = chat.events()[0]
            context = event["requestContext"]
            connection_id, request_id = context["connectionId"], context["requestId"]
            assert len(connection_id) == 16
            assert connection_id.endswith("=")
            assert context == {
                "routeKey": "$connect",
                "eventType": "CONNECT",
                "extendedRequestId": request_id,
                "requestTime": "15/Jan/2027:08:00:00 +0000",
                "messageDirection": "IN",
                "stage": "prod",
                "connectedAt": 1_800_000_000_000,
                "requestTimeEpoch": 1_800_000_000_000,
                "identity": {"userAgent": "tests", "sourceIp": "127.0.0.1"},
                "requestId": request_id,
                "domainName": "sock01.execute-api.us-east-1.amazonaws.com",
                "connectionId": connection_id,
                "apiId": "sock01",
            }
            shown = event["headers"]
            assert shown["Authorization"] == "token"
            assert shown["X-Twice"] == "1"
            assert shown["Sec-WebSocket-Version"] == "13"
            assert shown["Sec-WebSocket-Protocol"] == "chat"
            assert shown["X-Forwarded-For"] == "127.0.0.1"
            assert not {"Connection", "Upgrade"} & shown.keys()
            assert event["multiValueHeaders"]["Authorization"] == ["token"]
            assert event["queryStringParameters"] == {"a": "2", "b": " "}
            assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [" "]}
            assert event["isBase64Encoded"] is False
            assert "body" not in event
            assert "stageVariables" not in event

    running(main)


def test_no_query_no_members_for_it() -> None:
    async def main() -> None:
        async with open_chat(ALL) as chat:
            async with chat.connect():
                pass
            assert not {"queryStringParameters", "multiValueQueryStringParameters"} & chat.events()[0].keys()

    running(main)


def test_a_message() -> None:
    async def main() -> None:
        async with open_chat(ALL) as chat:
            async with chat.connect() as client:
                chat.clock.advance(2.5)
                await client.send('{"action": "send", "text": "grüße"}')
                await _ended(chat, 2)
            first, event = chat.events()[:2]
            context = event["requestContext"]
            assert event.keys() == {"requestContext", "body", "isBase64Encoded"}
            assert event["body"] == '{"action": "send", "text": "grüße"}'
            assert context["routeKey"] == "send"
            assert context["eventType"] == "MESSAGE"
            assert context["connectionId"] == first["requestContext"]["connectionId"]
            assert context["connectedAt"] == 1_800_000_000_000
            assert context["requestTimeEpoch"] == 1_800_000_002_500
            assert len(context["messageId"]) == 16
            assert context["identity"] == {"userAgent": "tests", "sourceIp": "127.0.0.1"}

    running(main)


def test_disconnects_tell_code_and_reason() -> None:
    async def main() -> None:
        async with open_chat(ALL) as chat:
            async with chat.connect() as client:
                await client.close(4_001, "enough")
            await _ended(chat, 2)
            event = chat.events()[1]
            assert event["requestContext"]["disconnectStatusCode"] == 4_001
            assert event["requestContext"]["disconnectReason"] == "enough"
            assert event["requestContext"]["eventType"] == "DISCONNECT"
            assert event["headers"] == {
                "Host": "sock01.execute-api.us-east-1.amazonaws.com", "x-api-key": "", "X-Forwarded-For": "",
                "x-restapi": "",
            }  # fmt: skip
            assert event["multiValueHeaders"]["x-api-key"] == [""]
            assert "body" not in event
            client = await chat.connect()
            client.transport.abort()
            await _ended(chat, 4)
            assert chat.events()[3]["requestContext"]["disconnectStatusCode"] == 1_006

    running(main)


def test_who_invokes() -> None:
    async def main() -> None:
        async with open_chat(ALL) as chat:
            async with chat.connect() as client:
                await client.send("no JSON")
                await _ended(chat, 2)
            callers = [request.caller for request in chat.invoker.requests]
            arns = [caller.source_arn for caller in callers if caller is not None]
            prefix = "arn:aws:execute-api:us-east-1:123456789012:sock01/prod/"
            assert arns[:2] == [prefix + "$connect", prefix + "$default"]
            assert {request.function for request in chat.invoker.requests} == {FUNCTION}

    running(main)


def test_stage_variables() -> None:
    async def main() -> None:
        uri = URI.replace("function:hello", "function:${stageVariables.name}")
        resources = template(
            {"$connect": {**LAMBDA, "IntegrationUri": uri}}, stage={"StageVariables": {"name": "other"}}
        )
        async with open_chat(resources) as chat:
            async with chat.connect():
                pass
            assert chat.events()[0]["stageVariables"] == {"name": "other"}
            assert chat.invoker.requests[0].function.endswith(":function:other")

    running(main)


def test_a_custom_domain_names_itself() -> None:
    async def main() -> None:
        mapping = TemplateResource(
            "M", "AWS::ApiGatewayV2::ApiMapping", "m",
            {"ApiId": "sock01", "DomainName": "chat.example.com", "Stage": "prod", "ApiMappingKey": "v1"},
        )  # fmt: skip
        async with open_chat(template({"$connect": LAMBDA}, extra=[mapping])) as chat:
            from websockets.asyncio.client import connect

            url = "ws://chat.example.com/v1"
            async with connect(url, host="127.0.0.1", port=chat.port, proxy=None):
                pass
            assert chat.events()[0]["requestContext"]["domainName"] == "chat.example.com"

    running(main)


def test_an_authorizer_sees_the_whole_handshake() -> None:
    async def main() -> None:
        authorizer = TemplateResource(
            "A", "AWS::ApiGatewayV2::Authorizer", "auth1",
            {"ApiId": "sock01", "AuthorizerType": "REQUEST", "AuthorizerUri": URI.replace("hello", "guard"),
             "IdentitySource": ["route.request.header.Auth"]},
        )  # fmt: skip
        connect = {**LAMBDA, "Route": {"AuthorizationType": "CUSTOM", "AuthorizerId": "auth1"}}
        async with open_chat(template({"$connect": connect, "$default": LAMBDA}, extra=[authorizer])) as chat:
            allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
            policy = {"Version": "2012-10-17", "Statement": [allow]}
            verdict = {"principalId": "me", "policyDocument": policy, "context": {"level": 7, "text": "x"}}
            chat.invoker.answer = lambda request: verdict if "guard" in request.function else {"statusCode": 200}
            async with chat.connect("?q=1", additional_headers={"Auth": "secret"}) as client:
                await client.send("hello")
                await _ended(chat, 3)
            asked, connected, message = chat.events()
            assert asked["type"] == "REQUEST"
            assert asked["methodArn"] == "arn:aws:execute-api:us-east-1:123456789012:sock01/prod/$connect"
            assert asked["headers"]["Auth"] == "secret"
            assert asked["headers"]["Upgrade"] == "websocket"
            assert asked["queryStringParameters"] == {"q": "1"}
            assert asked["stageVariables"] == {}
            assert asked["requestContext"]["eventType"] == "CONNECT"
            shown = {"principalId": "me", "integrationLatency": 0, "level": "7", "text": "x"}
            assert connected["requestContext"]["authorizer"] == shown
            assert message["requestContext"]["authorizer"] == shown
            assert json.loads(chat.invoker.requests[0].payload) == asked

    running(main)
