"""Who gets in: handshakes that are refused, with the statuses and words of AWS, and nobody's function started."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.apigateway.conftest import URI, TemplateResource
from tests.apigateway.websocket.conftest import LAMBDA, Chat, open_chat, running, template
from trine.aws.invoke import InvokeResponse
from trine.iam.provision import put_user


def _authorizer(*sources: str, uri: str = URI) -> list[TemplateResource]:
    properties = {"ApiId": "sock01", "AuthorizerType": "REQUEST", "AuthorizerUri": uri.replace("hello", "guard"),
                  "IdentitySource": list(sources)}  # fmt: skip
    return [TemplateResource("A", "AWS::ApiGatewayV2::Authorizer", "auth1", properties)]


def _guarded(*sources: str, uri: str = URI) -> list[TemplateResource]:
    connect = {**LAMBDA, "Route": {"AuthorizationType": "CUSTOM", "AuthorizerId": "auth1"}}
    return template({"$connect": connect}, extra=_authorizer(*sources, uri=uri))


def _verdict(effect: str, resource: str = "*") -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


ARN = "arn:aws:execute-api:us-east-1:123456789012:sock01/prod/"
ANSWERS = {
    "allowed": (_verdict("Allow"), None, ""),
    "allowed for this route": (_verdict("Allow", ARN + "$connect"), None, ""),
    "denied": (_verdict("Deny"), 403, "Forbidden"),
    "allowed for another": (_verdict("Allow", ARN + "send"), 403, "Forbidden"),
    "raises Unauthorized": (
        InvokeResponse(200, b'{"errorMessage":"Unauthorized"}', "id", "Unhandled"), 401, "Unauthorized"),
    "raises": (InvokeResponse(200, b'{"errorMessage":"x"}', "id", "Unhandled"), 500, "Internal server error"),
    "nonsense": ({"isAuthorized": True}, 500, "Internal server error"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_what_an_authorizer_says(name: str) -> None:
    async def main() -> None:
        answer, status, words = ANSWERS[name]
        async with open_chat(_guarded("route.request.header.Auth", "route.request.querystring.q")) as chat:
            chat.invoker.answer = lambda request: answer if "guard" in request.function else {"statusCode": 200}
            options = {"additional_headers": {"Auth": "x"}}
            if status is None:
                async with chat.connect("?q=1", **options):
                    assert len(chat.invoker.requests) == 2
                return
            found, body = await chat.refused("?q=1", **options)
            assert (found, body["message"]) == (status, words)
            assert list(body) == ["message", "connectionId", "requestId"]
            assert len(chat.invoker.requests) == 1  # the integration was not run
            assert chat.trace().refusal is not None

    running(main)


@pytest.mark.parametrize("query", ["", "?q="])
def test_a_missing_identity_source_starts_nothing(query: str) -> None:
    async def main() -> None:
        async with open_chat(_guarded("route.request.querystring.q")) as chat:
            status, body = await chat.refused(query)
            assert (status, body["message"]) == (401, "Unauthorized")
            assert chat.invoker.requests == []

    running(main)


def test_an_authorizer_is_asked_each_time() -> None:
    async def main() -> None:
        async with open_chat(_guarded("route.request.header.Auth")) as chat:
            chat.invoker.answer = lambda request: (
                _verdict("Allow") if "guard" in request.function else {"statusCode": 200}
            )
            for _ in range(2):
                async with chat.connect(additional_headers={"Auth": "x"}):
                    pass
            assert len(chat.invoker.requests) == 4

    running(main)


def test_an_authorizer_that_does_not_answer() -> None:
    async def main() -> None:
        async with open_chat(_guarded("route.request.header.Auth")) as chat:
            chat.invoker.answer = None
            asking = asyncio.ensure_future(chat.refused(additional_headers={"Auth": "x"}))
            await chat.until(lambda: chat.invoker.pending)
            chat.clock.advance(10.5)
            assert (await asking)[0] == 500

    running(main)


def test_an_authorizer_that_does_not_exist() -> None:
    async def main() -> None:
        connect = {**LAMBDA, "Route": {"AuthorizationType": "CUSTOM", "AuthorizerId": "lost"}}
        async with open_chat(template({"$connect": connect})) as chat:
            assert (await chat.refused())[0] == 500

    running(main)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"statusCode": 200}, None),
        ({"statusCode": 204}, None),
        ({"statusCode": 401, "body": '{"message": "no"}'}, 401),
        ({"statusCode": 403, "body": "{}"}, 403),
        ({"statusCode": 302, "body": "{}"}, 302),
        ({"statusCode": 500, "body": "{}"}, 500),
        ({"wrong": 1}, 502),
        (InvokeResponse(200, b'{"errorMessage":"x"}', "id", "Unhandled"), 502),
    ],
)
def test_the_function_of_connect_decides(answer: Any, status: int | None) -> None:
    async def main() -> None:
        async with open_chat(template({"$connect": LAMBDA})) as chat:
            chat.invoker.answer = answer
            if status is None:
                async with chat.connect():
                    assert len(chat.front.warm()[0].connections) == 1
            else:
                assert (await chat.refused())[0] == status
                assert len(chat.front.warm()[0].connections) == 0

    running(main)


def test_connect_that_takes_too_long() -> None:
    async def main() -> None:
        async with open_chat(template({"$connect": LAMBDA})) as chat:
            chat.invoker.answer = None
            asking = asyncio.ensure_future(chat.refused(open_timeout=None))
            await chat.until(lambda: chat.invoker.pending)
            chat.clock.advance(29.5)
            assert (await asking)[0] == 504

    running(main)


def test_subprotocols_are_chosen_by_the_function() -> None:
    async def main() -> None:
        async with open_chat(template({"$connect": LAMBDA})) as chat:
            chat.invoker.answer = {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "b"}}
            async with chat.connect(subprotocols=["a", "b"]) as client:
                assert client.subprotocol == "b"
            async with chat.connect(subprotocols=["a"]) as client:  # one that was not offered is not sent
                assert client.subprotocol is None
            chat.invoker.answer = {"statusCode": 200}
            async with chat.connect(subprotocols=["a"]) as client:
                assert client.subprotocol is None

    running(main)


def _signed(chat: Chat, key: Any, **changed: str) -> dict[str, str]:
    """Headers of a signed handshake."""
    host = f"127.0.0.1:{chat.port}"
    request = AWSRequest("GET", f"http://{host}/_apis/sock01/prod", headers={"Host": host})
    request.context["timestamp"] = "20270115T080000Z"
    signer = SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "execute-api", "us-east-1")
    import datetime
    from unittest.mock import patch

    now = datetime.datetime.fromtimestamp(chat.clock.now(), datetime.UTC)
    with patch("botocore.auth.get_current_datetime", return_value=now):
        signer.add_auth(request)
    headers = {name: value for name, value in request.headers.items() if name != "Host"}
    return {**headers, **changed}


def test_iam() -> None:
    async def main() -> None:
        connect = {**LAMBDA, "Route": {"AuthorizationType": "AWS_IAM"}}
        async with open_chat(template({"$connect": connect, "$default": LAMBDA})) as chat:
            owner = chat.access.owner_credentials()
            status, body = await chat.refused()
            assert (status, body["message"]) == (403, "Forbidden")
            status, _ = await chat.refused(
                additional_headers=_signed(chat, owner, **{"X-Amz-Date": "20270115T080001Z"})
            )
            assert status == 403
            assert chat.invoker.requests == []
            async with chat.connect(additional_headers=_signed(chat, owner)) as client:
                await client.send("x")
                await chat.until(lambda: len(chat.invoker.requests) == 2)
            for event in chat.events()[:2]:
                identity = event["requestContext"]["identity"]
                assert identity["accountId"] == "123456789012"
                assert identity["userArn"] == "arn:aws:iam::123456789012:user/owner"
                assert identity["accessKey"] == owner.access_key_id

    running(main)


def test_iam_without_permission() -> None:
    async def main() -> None:
        connect = {**LAMBDA, "Route": {"AuthorizationType": "AWS_IAM"}}
        async with open_chat(template({"$connect": connect})) as chat:
            put_user(chat.access.directory, {"UserName": "stranger"}, "stranger")
            key = chat.access.keys.make("stranger")
            status, _ = await chat.refused(additional_headers=_signed(chat, key))
            assert status == 403
            refusal = chat.trace().refusal
            assert refusal is not None
            assert refusal["action"] == "execute-api:Invoke"
            assert refusal["resource"] == ARN + "$connect"
            assert chat.invoker.requests == []

    running(main)


def test_api_keys_count_on_connect() -> None:
    async def main() -> None:
        connect = {**LAMBDA, "Route": {"ApiKeyRequired": True}}
        from trine.apigateway.quota import QuotaLedger
        from trine.apigateway.throttle import Buckets
        from trine.apigateway.usage_plans import ApiKey, UsagePlan, UsagePlans
        from trine.clock import ManualClock

        clock = ManualClock()
        plan = UsagePlan("p", "plan", {("sock01", "prod"): {}}, key_ids=("k",))
        usage = UsagePlans([plan], [ApiKey("k", "key", "v" * 20)], QuotaLedger(clock), Buckets(clock))
        async with open_chat(template({"$connect": connect}), usage=usage) as chat:
            assert (await chat.refused())[0] == 403
            assert (await chat.refused(additional_headers={"x-api-key": "wrong"}))[0] == 403
            assert chat.invoker.requests == []
            async with chat.connect(additional_headers={"x-api-key": "v" * 20}):
                assert len(chat.invoker.requests) == 1

    running(main)


def test_connects_are_throttled() -> None:
    async def main() -> None:
        stage = {"DefaultRouteSettings": {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 2}}
        async with open_chat(template({"$connect": LAMBDA}, stage=stage)) as chat:
            for _ in range(2):
                async with chat.connect():
                    pass
            status, body = await chat.refused()
            assert (status, body["message"]) == (429, "Too Many Requests")
            assert len(chat.invoker.requests) == 2

    running(main)


def test_an_account_takes_500_new_connections_a_second() -> None:
    async def main() -> None:
        async with open_chat(template({})) as chat:
            bucket = chat.front.warm()[0]._arrivals
            while bucket.tokens >= 1:
                assert bucket.take()
            assert (await chat.refused())[0] == 429
            chat.clock.advance(0.01)
            async with chat.connect():
                pass

    running(main)


@pytest.mark.parametrize("path", ["/_apis/sock01/other", "/_apis/sock01/prod/below", "/_apis/sock01/", "/_apis/sock01"])
def test_paths_that_lead_nowhere(path: str) -> None:
    async def main() -> None:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus

        async with open_chat(template({"$connect": LAMBDA})) as chat:
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://127.0.0.1:{chat.port}{path}", proxy=None)
            assert refused.value.response.status_code == 403
            assert chat.invoker.requests == []

    running(main)


def test_a_url_that_is_too_long() -> None:
    async def main() -> None:
        async with open_chat(template({"$connect": LAMBDA})) as chat:
            assert (await chat.refused("?q=" + "x" * 4_100))[0] == 414
            assert (await chat.refused(additional_headers={"X-Long": "x" * 7_000, "Y-Long": "x" * 7_000}))[0] == 431

    running(main)


def test_plain_http_is_told_to_upgrade() -> None:
    async def main() -> None:
        async with open_chat(template({"$connect": LAMBDA})) as chat:
            reader, writer = await asyncio.open_connection("127.0.0.1", chat.port)
            writer.write(b"GET /_apis/sock01/prod HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 426 ")
            assert b"Sec-WebSocket-Version: 13" in answer
            writer.close()

    running(main)
