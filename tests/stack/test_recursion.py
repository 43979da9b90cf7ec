"""Functions that call functions, and the API, down to the last unit of concurrency: refused in the end, never stuck."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config

from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.11, Handler: app.handler, CodeUri: src, Timeout: 25, MemorySize: 512}
Resources:
  Spiral:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: spiral
      ReservedConcurrentExecutions: 4
      Policies: [{Statement: {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: '*'}}]
      Events:
        Get: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: '/down/{depth}', Method: GET}}
  Other:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: other
      ReservedConcurrentExecutions: 4
      Policies: [{Statement: {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: '*'}}]
  Api: {Type: AWS::Serverless::HttpApi}
"""
CODE = """
import json, os, urllib.error, urllib.request
import boto3
from botocore.config import Config

LAMBDA = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}, read_timeout=20))
NEXT = {"spiral": "other", "other": "spiral"}


def handler(event, context):
    if "pathParameters" in event:
        depth, url = int(event["pathParameters"]["depth"]), event["headers"]["x-front"]
        if depth == 0:
            return {"statusCode": 200, "body": "bottom"}
        request = urllib.request.Request(f"{url}/down/{depth - 1}", headers={"x-front": url})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return {"statusCode": 200, "body": answer.read().decode()}
        except urllib.error.HTTPError as error:
            return {"statusCode": error.code, "body": "refused below"}
    if event["depth"] == 0:
        return "bottom"
    try:
        answer = LAMBDA.invoke(FunctionName=NEXT[context.function_name],
                               Payload=json.dumps({"depth": event["depth"] - 1}))
    except LAMBDA.exceptions.TooManyRequestsException as refused:
        return refused.response["Reason"]
    return json.loads(answer["Payload"].read())
"""
REASON = "ReservedFunctionConcurrentInvocationLimitExceeded"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("spiral")
    (folder / "src").mkdir()
    (folder / "src" / "app.py").write_text(CODE)
    (folder / "template.yaml").write_text(TEMPLATE)
    with running(folder) as made:
        yield made


def call(stack: RunningStack, depth: int) -> str:
    client = stack.client("lambda", config=Config(retries={"total_max_attempts": 1}, read_timeout=60))
    try:
        answer = client.invoke(FunctionName="spiral", Payload=json.dumps({"depth": depth}))
    except client.exceptions.TooManyRequestsException as refused:
        return str(refused.response["Reason"])
    found: str = json.loads(answer["Payload"].read())
    return found


def test_functions_that_call_each_other(stack: RunningStack) -> None:
    assert call(stack, 7) == "bottom"  # all eight units at once
    assert call(stack, 8) == REASON
    with ThreadPoolExecutor(12) as crowd:
        heard = set(crowd.map(lambda _: call(stack, 5), range(24)))
    assert heard <= {"bottom", REASON}
    assert call(stack, 7) == "bottom"  # nothing is held by anybody


def test_functions_that_call_the_api(stack: RunningStack) -> None:
    def get(depth: int) -> int:
        request = urllib.request.Request(f"{stack.url}/down/{depth}", headers={"x-front": stack.url})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert get(3) == 200
    assert get(4) >= 400  # one more than there are
    with ThreadPoolExecutor(8) as crowd:
        statuses = list(crowd.map(lambda _: get(2), range(16)))
    assert all(status in (200, 429, 500, 503) for status in statuses)
    assert get(3) == 200
