"""The Lambda API through a real socket with boto3: shapes, statuses, signatures, permissions."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.client
import botocore.config
import botocore.exceptions
import pytest

from tests.own_runtime import OWN_RUNTIME
from trine.awslambda.endpoint import lambda_api
from trine.http.server import serve
from trine.iam.door import ServiceDoor


class Door:
    """The endpoint behind a server, and boto3 clients to it."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab
        endpoint = ServiceDoor(lambda_api(lab.service, lab.ids), lab.access, lab.ids, lab.traces)
        self.server = lab.run(serve(endpoint.handle, "127.0.0.1", 0, clock=lab.clock))
        key = lab.access.owner_credentials()
        self.client = self.client_with(key.access_key_id, key.secret_access_key)

    def client_with(self, key: str, secret: str, token: str | None = None) -> Any:
        return boto3.client(
            "lambda",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.server.port}",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=botocore.config.Config(retries={"max_attempts": 0}),
        )

    def do(self, call: Callable[..., Any], **members: Any) -> Any:
        """A blocking SDK call while the lab's loop runs."""
        return self.lab.run(asyncio.to_thread(call, **members))

    def refused(self, call: Callable[..., Any], **members: Any) -> tuple[str, int, dict[str, Any]]:
        """The error that the call ends with."""
        with pytest.raises(botocore.exceptions.ClientError) as error:
            self.do(call, **members)
        response: dict[str, Any] = error.value.response  # type: ignore[assignment]
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response


@pytest.fixture(scope="module")
def door(lab: Any) -> Iterator[Door]:
    made = Door(lab)
    yield made
    lab.run(made.server.close())


def test_invoke(door: Door) -> None:
    door.lab.put("app.echo", "api-echo")
    answer = door.do(door.client.invoke, FunctionName="api-echo", Payload=b'{"a": 1}')
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == {"a": 1}
    request_id = answer["ResponseMetadata"]["RequestId"]
    trace = door.lab.traces.find(request_id)
    assert trace is not None
    assert trace.kind == "lambda"


def test_the_x_ray_header_is_passed_on(door: Door) -> None:
    door.lab.put("app.variables", "api-traced")
    sent = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

    def add(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = sent

    key = door.lab.access.owner_credentials()
    client = door.client_with(key.access_key_id, key.secret_access_key)
    client.meta.events.register("before-send", add)
    answer = door.do(client.invoke, FunctionName="api-traced")
    assert json.loads(answer["Payload"].read())["_X_AMZN_TRACE_ID"] == sent


def test_invoke_without_payload_gives_an_empty_object(door: Door) -> None:
    door.lab.put("app.echo", "api-echo")
    assert json.loads(door.do(door.client.invoke, FunctionName="api-echo")["Payload"].read()) == {}


def test_invoke_with_tail_and_client_context(door: Door) -> None:
    door.lab.put("app.describe_context", "api-context")
    context = base64.b64encode(b'{"custom": {"k": "v"}}').decode()
    answer = door.do(
        door.client.invoke, FunctionName="api-context", LogType="Tail", ClientContext=context, Payload=b"{}"
    )
    assert json.loads(answer["Payload"].read())["custom"] == {"k": "v"}
    assert base64.b64decode(answer["LogResult"]).startswith(b"START RequestId: ")


def test_function_errors_are_answers(door: Door) -> None:
    door.lab.put("app.fail", "api-fail")
    answer = door.do(door.client.invoke, FunctionName="api-fail", Payload=b"{}")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read())["errorType"] == "ValueError"


def test_event_and_dry_run(door: Door) -> None:
    door.lab.put("app.hello", "api-hello")
    assert door.do(door.client.invoke, FunctionName="api-hello", InvocationType="Event")["StatusCode"] == 202
    assert door.do(door.client.invoke, FunctionName="api-hello", InvocationType="DryRun")["StatusCode"] == 204
    assert door.do(door.client.invoke_async, FunctionName="api-hello", InvokeArgs=b"{}")["Status"] == 202


def test_refusals(door: Door) -> None:
    door.lab.put("app.echo", "api-echo")
    invoke = door.client.invoke
    assert door.refused(invoke, FunctionName="nobody")[:2] == ("ResourceNotFoundException", 404)
    assert door.refused(invoke, FunctionName="api-echo", Payload=b"{")[:2] == ("InvalidRequestContentException", 400)
    big = b'"' + b"x" * 6_291_456 + b'"'
    assert door.refused(invoke, FunctionName="api-echo", Payload=big)[:2] == ("RequestTooLargeException", 413)
    deep = b"[" * 100_000 + b"]" * 100_000
    assert door.refused(invoke, FunctionName="api-echo", Payload=deep)[1] in (400, 200)


def test_throttled(door: Door) -> None:
    door.lab.put("app.hello", "api-stopped", ReservedConcurrentExecutions=0)
    code, status, response = door.refused(door.client.invoke, FunctionName="api-stopped")
    assert (code, status) == ("TooManyRequestsException", 429)
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["Error"]["Message"] == "Rate Exceeded."


def test_functions_are_described(door: Door) -> None:
    door.lab.put("app.hello", "api-shown", MemorySize=512, Timeout=9, Environment={"Variables": {"AB": "b"}})
    shown = door.do(door.client.get_function_configuration, FunctionName="api-shown")
    assert shown["FunctionArn"] == "arn:aws:lambda:us-east-1:123456789012:function:api-shown"
    assert (shown["MemorySize"], shown["Timeout"], shown["Runtime"]) == (512, 9, OWN_RUNTIME)
    assert shown["Environment"] == {"Variables": {"AB": "b"}}
    assert shown["CodeSize"] > 0
    whole = door.do(door.client.get_function, FunctionName="api-shown")
    assert whole["Configuration"]["FunctionName"] == "api-shown"
    for number in range(60):
        door.lab.put("app.hello", f"many-{number:02}")

    def every_name() -> list[str]:
        pages = door.client.get_paginator("list_functions").paginate()
        return [function["FunctionName"] for page in pages for function in page["Functions"]]

    names = door.do(every_name)
    assert names == sorted(names)
    assert {f"many-{number:02}" for number in range(60)} <= set(names)


def test_concurrency_and_policy(door: Door) -> None:
    door.lab.put("app.hello", "api-plain")
    client = door.client
    door.do(client.put_function_concurrency, FunctionName="api-plain", ReservedConcurrentExecutions=5)
    assert door.do(client.get_function_concurrency, FunctionName="api-plain")["ReservedConcurrentExecutions"] == 5
    door.do(client.delete_function_concurrency, FunctionName="api-plain")
    assert "ReservedConcurrentExecutions" not in door.do(client.get_function_concurrency, FunctionName="api-plain")
    refused = door.refused(client.put_function_concurrency, FunctionName="api-plain", ReservedConcurrentExecutions=950)
    assert refused[:2] == ("InvalidParameterValueException", 400)
    assert door.refused(client.get_policy, FunctionName="api-plain")[:2] == ("ResourceNotFoundException", 404)
    permission = {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    door.lab.put("app.hello", "api-open", permissions=[permission])
    policy = json.loads(door.do(client.get_policy, FunctionName="api-open")["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "events.amazonaws.com"}
    assert door.do(client.get_account_settings)["AccountLimit"]["ConcurrentExecutions"] == 1000


def test_signatures_and_policies_are_enforced(door: Door) -> None:
    door.lab.put("app.hello", "api-guarded")
    stranger = door.client_with("AKIAIOSFODNN7EXAMPLE", "wrong")
    assert door.refused(stranger.invoke, FunctionName="api-guarded")[:2] == ("UnrecognizedClientException", 403)
    session = door.lab.access.assume_role_for_service(door.lab.role, "test", "lambda.amazonaws.com")
    weak = door.client_with(session.access_key_id, session.secret_access_key, session.session_token)
    code, status, response = door.refused(weak.invoke, FunctionName="api-guarded")
    assert (code, status) == ("AccessDeniedException", 403)
    assert "is not authorized to perform: lambda:InvokeFunction on resource" in response["Error"]["Message"]


def test_operations_that_are_not_offered(door: Door) -> None:
    code, status, response = door.refused(door.client.list_code_signing_configs)
    assert (code, status) == ("UnsupportedOperationException", 501)
    assert "lambda:ListCodeSigningConfigs" in response["Error"]["Message"]
