"""Claim 16: environments follow concurrency up to the limit; beyond it callers get a 429, and nobody else is hurt."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.pattern.conftest import Application, http
from trine.testing import running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {CodeUri: src/, Runtime: python3.12, Timeout: 30}
Resources:
  Good:
    Type: AWS::Serverless::Function
    Properties: {Handler: mixed.good, Events: {Get: {Type: HttpApi, Properties: {Path: /good, Method: get}}}}
  Loops:
    Type: AWS::Serverless::Function
    Properties:
      Handler: mixed.loops
      Timeout: 2
      Events: {Get: {Type: HttpApi, Properties: {Path: /loops, Method: get}}}
  Exits:
    Type: AWS::Serverless::Function
    Properties: {Handler: mixed.exits, Events: {Get: {Type: HttpApi, Properties: {Path: /exits, Method: get}}}}
  Reserved:
    Type: AWS::Serverless::Function
    Properties: {Handler: mixed.slow, ReservedConcurrentExecutions: 2}
"""
MIXED = """
import os, time
def good(event, context):
    return {"ok": True}
def loops(event, context):
    while True:
        pass
def exits(event, context):
    os._exit(1)
def slow(event, context):
    time.sleep(1)
"""


def test_two_hundred_requests_beside_one_that_loops_and_one_that_exits(application: Application) -> None:
    with running(application.write(TEMPLATE, mixed=MIXED)) as stack, ThreadPoolExecutor(24) as pool:
        looping = pool.submit(http, "GET", f"{stack.url}/loops")
        exiting = [pool.submit(http, "GET", f"{stack.url}/exits") for _ in range(5)]
        good = list(pool.map(lambda _: http("GET", f"{stack.url}/good").status, range(200)))
        assert Counter(good) == {200: 200}
        assert {answer.result().status for answer in exiting} == {500}
        assert looping.result().status == 500
        assert http("GET", f"{stack.url}/good").json() == {"ok": True}


def test_over_the_reserved_limit_is_a_429_with_its_reason(application: Application) -> None:
    with running(application.write(TEMPLATE, mixed=MIXED)) as stack, ThreadPoolExecutor(6) as pool:
        client = stack.client("lambda", config=Config(retries={"max_attempts": 0}, max_pool_connections=10))
        name = next(f["name"] for f in stack.description["functions"] if f["logicalId"] == "Reserved")

        def invoke(_: int) -> str:
            try:
                return str(client.invoke(FunctionName=name)["StatusCode"])
            except ClientError as error:
                return f"{error.response['ResponseMetadata']['HTTPStatusCode']} {error.response['Reason']}"

        answers = Counter(pool.map(invoke, range(6)))
        assert answers["429 ReservedFunctionConcurrentInvocationLimitExceeded"] == 4
        assert answers["200"] == 2


@pytest.mark.parametrize("timeout", [0, 901])
def test_a_timeout_outside_1_to_900_is_refused_at_deploy(application: Application, timeout: int) -> None:
    from trine.cloudformation.faults import TemplateFaults

    template = application.write(TEMPLATE.replace("Timeout: 2", f"Timeout: {timeout}"), mixed=MIXED)
    with pytest.raises(TemplateFaults, match=r"(?i)timeout"), running(template):
        raise AssertionError("must not start")
