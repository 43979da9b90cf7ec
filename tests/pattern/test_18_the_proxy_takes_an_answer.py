"""Claim 18: the proxy takes `statusCode`, `headers`, `body`; a malformed or failed answer is a 502 with AWS's body."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pattern.conftest import Application, http
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Answer:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: answer.handler
      Runtime: python3.12
      Timeout: 1
      Events:
        Rest: {Type: Api, Properties: {Path: "/{kind}", Method: get}}
        Http: {Type: HttpApi, Properties: {Path: "/{kind}", Method: get}}
"""
ANSWER = """
import os
ANSWERS = {
    "whole": {"statusCode": "201", "headers": {"X-One": "1"}, "multiValueHeaders": {"X-Two": ["a", "b"]}, "body": "hi"},
    "binary": {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True},
    "empty": {"statusCode": 204},
    "text": "just text",
    "number": {"statusCode": "abc"},
    "object": {"hello": "world"},
}
def handler(event, context):
    kind = event["pathParameters"]["kind"]
    if kind == "raise":
        raise ValueError("no")
    if kind == "exit":
        os._exit(3)
    if kind == "loop":
        while True:
            pass
    return ANSWERS[kind]
"""


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(Application(tmp_path_factory.mktemp("answer")).write(TEMPLATE, answer=ANSWER)) as stack:
        yield stack


def test_status_headers_and_body_are_taken_over(answering: RunningStack) -> None:
    answer = http("GET", f"{answering.url}/whole")
    assert (answer.status, answer.body, answer.headers["X-One"]) == (201, b"hi", "1")
    assert answer.headers.get_all("X-Two") == ["a", "b"]  # type: ignore[attr-defined]
    assert http("GET", f"{answering.url}/empty").status == 204


@pytest.mark.parametrize("kind", ["text", "number", "object", "raise", "exit", "loop"])
def test_what_is_no_answer_is_a_502(answering: RunningStack, kind: str) -> None:
    answer = http("GET", f"{answering.url}/{kind}")
    assert (answer.status, answer.json()) == (502, {"message": "Internal server error"})


def test_an_http_api_infers_an_answer_from_plain_json(answering: RunningStack) -> None:
    url = next(api for api in answering.description["apis"] if api["kind"] == "HTTP")["stages"][0]["pathUrl"]
    answer = http("GET", f"{url}object")
    assert (answer.status, answer.json(), answer.headers["content-type"]) == (
        200,
        {"hello": "world"},
        "application/json",
    )
    assert http("GET", f"{url}binary").body == b"\x00\xff"
