"""Claim 9: path, query, headers and body reach the handler as `event`, in both payload formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pattern.conftest import Application, http
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: echo.handler
      Runtime: python3.12
      Events:
        Rest: {Type: Api, Properties: {Path: "/items/{id}/{rest+}", Method: post}}
        Http: {Type: HttpApi, Properties: {Path: "/items/{id}/{rest+}", Method: post}}
"""
ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    directory: Path = tmp_path_factory.mktemp("echo")
    with running(Application(directory).write(TEMPLATE, echo=ECHO)) as stack:
        yield stack


def test_a_rest_api_sends_format_1_0(echo: RunningStack) -> None:
    event = http(
        "POST", f"{echo.url}/items/7/a/b?x=1&x=2&y=", b'{"n": 1}', {"X-Mixed": "Value", "Content-Type": "text/plain"}
    ).json()
    assert event["resource"] == "/items/{id}/{rest+}"
    assert event["path"] == "/items/7/a/b"
    assert event["httpMethod"] == "POST"
    assert event["pathParameters"] == {"id": "7", "rest": "a/b"}
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert event["headers"]["X-Mixed"] == "Value"
    assert event["multiValueHeaders"]["X-Mixed"] == ["Value"]
    assert (event["body"], event["isBase64Encoded"], event["stageVariables"]) == ('{"n": 1}', False, None)
    context = event["requestContext"]
    assert (context["stage"], context["path"], context["accountId"]) == ("Prod", "/Prod/items/7/a/b", "123456789012")


def test_an_http_api_sends_format_2_0(echo: RunningStack) -> None:
    api = next(api for api in echo.description["apis"] if api["kind"] == "HTTP")
    url = api["stages"][0]["pathUrl"]
    headers = {"X-Mixed": "Value", "Cookie": "a=1; b=2", "Content-Type": "application/octet-stream"}
    event = http("POST", f"{url}items/7/a%20b/c?x=1&x=2", b"\x00\xff", headers).json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == "POST /items/{id}/{rest+}"
    assert event["rawPath"] == "/items/7/a b/c"
    assert event["rawQueryString"] == "x=1&x=2"
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["headers"]["x-mixed"] == "Value"
    assert event["cookies"] == ["a=1", "b=2"]
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["stage"] == "$default"
