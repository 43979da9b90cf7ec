"""@connections with boto3, the AWS CLI and unmodified handlers, against a whole stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.waiting import PATIENCE_SECONDS, wait_until
from trine.testing import RunningStack, running

CHAT = Path(__file__).parent / "chat"


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running(CHAT) as stack:
        yield stack


def _url(stack: RunningStack) -> str:
    url: str = stack.description["apis"][0]["stages"][0]["pathUrl"]
    return url


def _who(client: ClientConnection) -> str:
    client.send('{"action": "whoami"}')
    text = client.recv(10)
    assert isinstance(text, str)
    return text


def _management(stack: RunningStack, endpoint: str | None = None) -> Any:
    import boto3

    key = stack.stack.wings.access.owner_credentials()
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=endpoint or _url(stack).replace("ws:", "http:"),
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
    )


def _code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_addresses_are_told(stack: RunningStack) -> None:
    [api] = stack.description["apis"]
    [stage] = api["stages"]
    assert api["kind"] == "WEBSOCKET"
    assert stage["url"] == f"ws://{api['id']}.execute-api.localhost:{stack.url.rpartition(':')[2]}/prod"
    assert stage["pathUrl"] == f"{stack.url.replace('http', 'ws')}/_apis/{api['id']}/prod"
    assert {route["path"] for route in api["routes"]} >= {"$connect", "$disconnect", "sendmessage"}
    host = f"{api['id']}.execute-api.localhost"
    port = int(stack.url.rpartition(":")[2])
    import socket

    with connect(f"ws://{host}/prod", sock=socket.create_connection(("127.0.0.1", port)), proxy=None) as client:
        assert len(_who(client)) == 16
    with connect(f"{stack.url.replace('http', 'ws')}/prod", proxy=None) as client:  # the only one of the stack
        assert len(_who(client)) == 16


def test_api_gateway_describes_it(stack: RunningStack) -> None:
    client = stack.client("apigatewayv2")
    [api] = client.get_apis()["Items"]
    assert api["ProtocolType"] == "WEBSOCKET"
    assert api["ApiEndpoint"] == f"wss://{api['ApiId']}.execute-api.us-east-1.amazonaws.com"
    assert api["RouteSelectionExpression"] == "$request.body.action"
    assert api["ApiKeySelectionExpression"] == "$request.header.x-api-key"
    keys = {route["RouteKey"] for route in client.get_routes(ApiId=api["ApiId"])["Items"]}
    assert keys >= {"$connect", "$disconnect", "sendmessage"}


def test_a_chat_with_unmodified_handlers(stack: RunningStack) -> None:
    with connect(_url(stack), proxy=None) as one, connect(_url(stack), proxy=None) as two:
        one.send(json.dumps({"action": "sendmessage", "data": "grüße"}))
        assert one.recv(PATIENCE_SECONDS) == "grüße"
        assert two.recv(PATIENCE_SECONDS) == "grüße"
    table = stack.client("dynamodb")
    name = stack.description["tables"][0]["name"]
    wait_until(lambda: not table.scan(TableName=name, ConsistentRead=True)["Items"], "$disconnect to empty it")


def test_a_function_without_the_right_to_post(stack: RunningStack) -> None:
    with connect(_url(stack), proxy=None) as client:
        client.send(json.dumps({"action": "deaf", "data": "x"}))
        answer = json.loads(client.recv(PATIENCE_SECONDS))
        assert answer["message"] == "Internal server error"
        document = stack.explain(answer["requestId"])
        assert document is not None
        text = json.dumps(document)
        assert "is not authorized to perform: execute-api:ManageConnections on resource: arn:aws:execute-api:" in text
        assert "POST @connections" in text  # the call hangs below the message that caused it


def test_post_get_delete(stack: RunningStack) -> None:
    management = _management(stack)
    with connect(_url(stack), proxy=None, user_agent_header="tests") as client:
        connection_id = _who(client)
        for data, seen in ((b"hello", "hello"), ("é" * 60_000, "é" * 60_000), (b"\xff", "\ufffd")):
            management.post_to_connection(ConnectionId=connection_id, Data=data)
            assert client.recv(10) == seen
        shown = management.get_connection(ConnectionId=connection_id)
        assert shown["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "tests"}
        assert abs((datetime.now(UTC) - shown["ConnectedAt"]).total_seconds()) < 60
        assert shown["LastActiveAt"] >= shown["ConnectedAt"]
        with pytest.raises(ClientError) as error:
            management.post_to_connection(ConnectionId=connection_id, Data=b"x" * 131_073)
        assert _code(error) == ("PayloadTooLargeException", 413)
        management.delete_connection(ConnectionId=connection_id)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    for call in (management.get_connection, management.delete_connection):
        with pytest.raises(ClientError) as error:
            call(ConnectionId=connection_id)
        assert _code(error) == ("GoneException", 410)
    with pytest.raises(management.exceptions.GoneException):
        management.post_to_connection(ConnectionId=connection_id, Data=b"late")


def test_wrong_calls(stack: RunningStack) -> None:
    management = _management(stack)
    for connection_id in ("x", "../../etc/passwd", "%00", "a" * 500):
        with pytest.raises(ClientError) as error:
            management.get_connection(ConnectionId=connection_id)
        assert _code(error) == ("BadRequestException", 400)
    elsewhere = _management(stack, _url(stack).replace("ws:", "http:").replace("/prod", "/other"))
    with pytest.raises(ClientError) as error:
        elsewhere.get_connection(ConnectionId="L0SM9cOFvHcCIhw=")
    assert _code(error) == ("ForbiddenException", 403)


def test_the_aws_port_takes_the_calls_too(stack: RunningStack) -> None:
    with connect(_url(stack), proxy=None) as client:
        connection_id = _who(client)
        for endpoint in (stack.aws_url, f"{stack.aws_url}/prod"):
            _management(stack, endpoint).post_to_connection(ConnectionId=connection_id, Data=b"hello")
            assert client.recv(10) == "hello"


def test_unsigned_and_wrongly_signed_calls(stack: RunningStack) -> None:
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    endpoint = _url(stack).replace("ws:", "http:")
    unsigned = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=endpoint,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED),
    )
    with pytest.raises(ClientError) as error:
        unsigned.get_connection(ConnectionId="L0SM9cOFvHcCIhw=")
    assert _code(error) == ("MissingAuthenticationTokenException", 403)
    stranger = boto3.client(
        "apigatewaymanagementapi", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x" * 40,
    )  # fmt: skip
    with pytest.raises(ClientError) as error:
        stranger.get_connection(ConnectionId="L0SM9cOFvHcCIhw=")
    assert _code(error) == ("UnrecognizedClientException", 403)


def test_the_aws_cli(stack: RunningStack) -> None:
    key = stack.stack.wings.access.owner_credentials()
    env = {**os.environ, "AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
           "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    with connect(_url(stack), proxy=None) as client:
        command = [
            str(Path(sys.executable).with_name("aws")), "apigatewaymanagementapi", "post-to-connection",
            "--endpoint-url", f"{stack.aws_url}/prod", "--connection-id", _who(client), "--data", "from the shell",
        ]  # fmt: skip
        subprocess.run(command, check=True, env=env, capture_output=True, timeout=50)
        assert client.recv(10) == "from the shell"
