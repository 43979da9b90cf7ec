"""Models and required parameters of WebSocket routes: what reaches the integration, what is refused, broken models."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apigateway.conftest import TemplateResource
from tests.apigateway.websocket.conftest import LAMBDA, open_chat, running, template

SEND = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "maxLength": 5}}}


def model(name: str, schema: Any) -> TemplateResource:
    properties = {"ApiId": "sock01", "Name": name, "Schema": schema}
    return TemplateResource(f"Model{name}", "AWS::ApiGatewayV2::Model", f"model{name}", properties)


def checked(expression: str, **models: str) -> dict[str, Any]:
    names = {key.replace("default", "$default"): name for key, name in models.items()}
    return {**LAMBDA, "Route": {"ModelSelectionExpression": expression, "RequestModels": names}}


@pytest.mark.parametrize(
    ("route", "message", "passes"),
    [
        (checked("$request.body.kind", a="Send"), {"action": "send", "kind": "a", "text": "hi"}, True),
        (checked("$request.body.kind", a="Send"), {"action": "send", "kind": "a", "text": "too long"}, False),
        (checked("$request.body.kind", a="Send"), {"action": "send", "kind": "a"}, False),
        (checked("$request.body.kind", a="Send"), {"action": "send", "kind": "b", "text": "hi"}, False),
        (checked("$request.body.kind", default="Send"), {"action": "send", "text": "hi"}, True),
        (checked("$default", default="Send"), {"action": "send"}, False),
        (checked("$default", default="Free"), {"action": "send"}, True),
        (checked("", default="Send"), {"action": "send"}, True),  # without an expression nothing is checked
    ],
)
def test_messages_and_models(route: dict[str, Any], message: dict[str, Any], passes: bool) -> None:
    async def scenario() -> None:
        extra = [model("Send", SEND), model("Free", {"type": "object"})]
        async with open_chat(template({"send": route}, responding=("send",), extra=extra)) as chat:
            assert chat.problems == []
            chat.invoker.answer = {"statusCode": 200, "body": "passed"}
            async with chat.connect() as client:
                answer = await chat.ask(client, message)
                if passes:
                    assert answer == "passed"
                    return
                assert answer["message"] == "Invalid request body"
                assert set(answer) == {"message", "connectionId", "requestId"}
                assert chat.invoker.requests == []
                refusal = chat.trace().refusal
                assert refusal is not None
                assert refusal["room"] == "apigateway.validation"

    running(scenario)


def test_the_handshake_has_its_parameters() -> None:
    async def scenario() -> None:
        required = {
            "route.request.querystring.token": {"Required": True},
            "route.request.header.X-Who": {"Required": False},
        }
        routes = {"$connect": {**LAMBDA, "Route": {"RequestParameters": required}}}
        async with open_chat(template(routes)) as chat:
            chat.invoker.answer = {"statusCode": 200}
            status, body = await chat.refused()
            assert (status, body["message"]) == (400, "Missing required request parameters: [token]")
            assert chat.invoker.requests == []
            async with chat.connect("?token=x"):
                assert len(chat.invoker.requests) == 1

    running(scenario)


@pytest.mark.parametrize(
    ("route", "problem"),
    [
        (checked("$default", default="Nobody"), "there is no model 'Nobody'"),
        (checked("$default", default="Broken"), "not valid JSON schema"),
        (checked("$nonsense.x", default="Send"), "which no expression can see"),
    ],
)
def test_models_that_cannot_be_used(route: dict[str, Any], problem: str) -> None:
    async def scenario() -> None:
        extra = [model("Send", SEND), model("Broken", {"type": 5})]
        async with open_chat(template({"send": route}, responding=("send",), extra=extra)) as chat:
            assert problem in chat.problems[0]
            async with chat.connect() as client:
                assert (await chat.ask(client, {"action": "send"}))["message"] == "Internal server error"

    running(scenario)
