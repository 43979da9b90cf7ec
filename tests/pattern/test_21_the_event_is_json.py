"""Claim 21: bytes, unicode, duplicate names and sizes as AWS treats them: 10 MB at the door, 6 MB at the function."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.pattern.conftest import Application
from tests.pattern.conftest import http as request
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
      MemorySize: 1024
      Timeout: 20
      Events: {Any: {Type: Api, Properties: {Path: /, Method: any}}}
"""
ECHO = """
def handler(event, context):
    if isinstance(event, dict) and event.get("grow"):
        return "x" * event["grow"]
    body = event["body"] or ""
    return {"statusCode": 200, "headers": {"x-size": str(len(body))}, "body": body[:100]}
"""


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(Application(tmp_path_factory.mktemp("json")).write(TEMPLATE, echo=ECHO)) as stack:
        yield stack


@pytest.mark.parametrize("text", ["plain", "üñï ☃ 𝄞", '{"a": 1, "a": 2}', "\u202e", ""])
def test_text_goes_through_unchanged(echo: RunningStack, text: str) -> None:
    answer = request("POST", echo.url, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
    assert (answer.status, answer.body.decode()) == (200, text)


def test_more_than_ten_megabytes_is_refused_at_the_door(echo: RunningStack) -> None:
    for size in (10 * 1024 * 1024 + 1, 11 * 1024 * 1024):
        connection = http.client.HTTPConnection(urlsplit(echo.url).netloc, timeout=20)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        if size == 10 * 1024 * 1024 + 1:
            connection.send(b"x" * size)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (413, b'{"message":"Request Too Long"}')
        connection.close()


def test_more_than_six_megabytes_is_refused_at_the_function(echo: RunningStack) -> None:
    client = echo.client("lambda")
    name = echo.description["functions"][0]["name"]
    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName=name, Payload=b'"' + b"x" * (6 * 1024 * 1024 + 1) + b'"')
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    grown = client.invoke(FunctionName=name, Payload=b'{"grow": 7000000}')
    assert grown["FunctionError"] == "Unhandled"
    assert b"Function.ResponseSizeTooLarge" in grown["Payload"].read()
