"""MOCK, AWS, HTTP and DynamoDB behind the routes of a WebSocket API, with their templates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.apigateway.conftest import URI
from tests.apigateway.websocket.conftest import LAMBDA, open_chat, running, template
from trine.apigateway.build import build_apis
from trine.aws.invoke import InvokeResponse
from trine.clock import SystemClock
from trine.http.message import Request, Response
from trine.http.server import serve

MOCK = {"IntegrationType": "MOCK", "TemplateSelectionExpression": "200",
        "RequestTemplates": {"200": '{"statusCode": 200}'}}  # fmt: skip


def test_mock() -> None:
    async def main() -> None:
        answer = {
            "IntegrationResponseKey": "/200/",
            "TemplateSelectionExpression": "200",
            "ResponseTemplates": {"200": '{"id": "$context.connectionId", "said": $input.json(\'$.text\')}'},
        }
        resources = template(
            {"$connect": MOCK, "$default": MOCK}, responding=("$default",), responses={"$default": [answer]}
        )
        async with open_chat(resources) as chat, chat.connect() as client:
            said = await chat.ask(client, {"text": "hi"})
            assert len(said["id"]) == 16
            assert chat.invoker.requests == []

    running(main)


@pytest.mark.parametrize(("status", "answer"), [("200", None), ("403", 403), ("500", 500)])
def test_a_mock_may_refuse_connects(status: str, answer: int | None) -> None:
    async def main() -> None:
        mock = {**MOCK, "RequestTemplates": {"200": '{"statusCode": %s}' % status}}  # noqa: UP031
        async with open_chat(template({"$connect": mock})) as chat:
            if answer is None:
                async with chat.connect():
                    pass
            else:
                assert (await chat.raw_status()) == answer

    running(main)


def test_a_function_behind_templates() -> None:
    async def main() -> None:
        integration = {
            "IntegrationType": "AWS",
            "IntegrationUri": URI,
            "TemplateSelectionExpression": "$request.body.kind",
            "RequestTemplates": {
                "a": '{"kind": "A", "stage": "$context.stage", "key": "$context.routeKey", "v": "$stageVariables.v"}',
                "$default": '{"kind": "other", "body": "$util.escapeJavaScript($input.body)"}',
            },
        }
        answers = [
            {
                "IntegrationResponseKey": "/.*bad.*/",
                "ResponseTemplates": {"$default": "it failed: $input.path('$.errorMessage')"},
            },
            {
                "IntegrationResponseKey": "$default",
                "TemplateSelectionExpression": "$integration.response.statuscode",
                "ResponseTemplates": {"200": "fine: $input.path('$.kind')", "$default": "default"},
            },
        ]
        resources = template(
            {"$connect": MOCK, "$default": integration}, responding=("$default",), responses={"$default": answers},
            stage={"StageVariables": {"v": "1"}},
        )  # fmt: skip
        async with open_chat(resources) as chat, chat.connect() as client:
            chat.invoker.answer = lambda request: json.loads(request.payload)
            assert await chat.ask(client, {"kind": "a"}) == "fine: A"
            assert chat.events()[-1] == {"kind": "A", "stage": "prod", "key": "$default", "v": "1"}
            assert await chat.ask(client, {"kind": "b"}) == "fine: other"
            assert await chat.ask(client, "plain") == "fine: other"
            assert chat.events()[-1]["body"] == "plain"
            chat.invoker.answer = InvokeResponse(200, b'{"errorMessage":"a bad day"}', "id", "Unhandled")
            assert await chat.ask(client, {"kind": "a"}) == "it failed: a bad day"

    running(main)


def test_passing_through_can_be_forbidden() -> None:
    async def main() -> None:
        integration = {
            "IntegrationType": "AWS", "IntegrationUri": URI, "PassthroughBehavior": "NEVER",
            "TemplateSelectionExpression": "$request.body.kind", "RequestTemplates": {"a": "{}", "b": "{}"},
        }  # fmt: skip
        async with open_chat(template({"$connect": MOCK, "$default": integration})) as chat, chat.connect() as client:
            assert (await chat.ask(client, {"kind": "c"}))["message"] == "Unsupported Media Type"
            assert chat.invoker.requests == []

    running(main)


def test_base64_becomes_binary_for_the_integration() -> None:
    async def main() -> None:
        seen: list[Request] = []

        def backend(request: Request) -> Response:
            seen.append(request)
            return Response(200, [], b"\x00\x01")

        server = await serve(backend, clock=SystemClock())
        integration = {
            "IntegrationType": "HTTP", "IntegrationUri": f"http://127.0.0.1:{server.port}/", "IntegrationMethod": "PUT",
            "ContentHandlingStrategy": "CONVERT_TO_BINARY",
            "RequestParameters": {"integration.request.header.Id": "context.connectionId"},
        }  # fmt: skip
        answers = [{"IntegrationResponseKey": "$default", "ContentHandlingStrategy": "CONVERT_TO_TEXT"}]
        resources = template({"$default": integration}, responding=("$default",), responses={"$default": answers})
        async with open_chat(resources) as chat, chat.connect() as client:
            assert await chat.ask(client, "AAEC") == "AAE="
            assert seen[0].body == b"\x00\x01\x02"
            assert seen[0].method == "PUT"
            assert len(seen[0].headers.get(b"id") or b"") == 16
        await server.close()

    running(main)


def test_http_proxy_and_a_backend_that_refuses() -> None:
    async def main() -> None:
        def backend(request: Request) -> Response:
            wanted = request.headers.get(b"x-status")
            return Response(int(wanted) if wanted else 200, [], b"echo: " + request.body)

        server = await serve(backend, clock=SystemClock())
        proxy = {"IntegrationType": "HTTP_PROXY", "IntegrationUri": f"http://127.0.0.1:{server.port}/",
                 "IntegrationMethod": "POST"}  # fmt: skip
        connect = {**proxy, "RequestParameters": {"integration.request.header.x-status": "route.request.querystring.s"}}
        async with open_chat(template({"$connect": connect, "$default": proxy}, responding=("$default",))) as chat:
            async with chat.connect("?s=200") as client:
                assert await chat.ask(client, "hello") == "echo: hello"
            assert await chat.raw_status("?s=403") == 403
            await server.close()
            assert await chat.raw_status("?s=200") == 502  # nobody listens any more

    running(main)


def test_straight_to_a_table_without_its_role() -> None:
    async def main() -> None:
        asked: list[Request] = []

        def table(request: Request) -> Response:
            asked.append(request)
            return Response(200, [(b"x-amzn-requestid", b"R")], b"{}")

        integration = {
            "IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:dynamodb:action/PutItem",
            "CredentialsArn": "arn:aws:iam::123456789012:role/none",
            "RequestTemplates": {"$default": '{"TableName": "T", "Item": {"id": {"S": "$context.connectionId"}}}'},
        }  # fmt: skip
        async with open_chat(template({"$connect": MOCK, "$default": integration}), {"dynamodb": table}) as chat:
            async with chat.connect() as client:
                assert (await chat.ask(client, "x"))["message"] == "Internal server error"
            assert asked == []
            refused = next(t for t in chat.traces.latest("websocket") if t.refusal)
            assert refused.refusal is not None
            assert "cannot assume" in refused.refusal["reason"]

    running(main)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"RequestTemplates": {"200": "#if("}}, "$default"),
        ({"TemplateSelectionExpression": "${"}, "cannot be read"),
        ({"IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:sqs:path/x"}, "does not offer"),
        ({"IntegrationType": "NOPE"}, "unknown"),
    ],
)
def test_what_cannot_be_served_is_told_and_answers_with_an_error(changed: dict[str, Any], problem: str) -> None:
    async def main() -> None:
        async with open_chat(template({"$connect": MOCK, "$default": {**MOCK, **changed}})) as chat:
            assert any(problem in text for text in chat.problems), chat.problems
            async with chat.connect() as client:
                assert (await chat.ask(client, "x"))["message"] == "Internal server error"

    running(main)


def test_other_problems_of_a_template() -> None:
    resources = template({"$connect": LAMBDA}, RouteSelectionExpression="${request.body.", Body={"openapi": "3.0.1"})
    resources += [type(resources[0])("X", "AWS::ApiGatewayV2::Route", "x", {"ApiId": "sock01", "RouteKey": "lost"})]
    resources += [type(resources[0])("Y", "AWS::ApiGatewayV2::Route", "y", {"ApiId": "sock01", "RouteKey": "lost"})]
    [api] = build_apis(resources)
    text = "\n".join(api.problems)
    assert "RouteSelectionExpression" in text
    assert "no OpenAPI document" in text
    assert "lost: its target (none) is unknown" in text
    assert "defined twice" in text
