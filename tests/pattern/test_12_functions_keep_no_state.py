"""Claim 12: globals live in one warm environment; nothing leaks between environments or functions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.pattern.conftest import Application, http
from trine.testing import running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {CodeUri: src/, Runtime: python3.12, Timeout: 10}
Resources:
  Counter:
    Type: AWS::Serverless::Function
    Properties:
      Handler: counter.handler
      Environment: {Variables: {MINE: counter}}
      Events: {Get: {Type: HttpApi, Properties: {Path: /counter, Method: get}}}
  Other:
    Type: AWS::Serverless::Function
    Properties:
      Handler: other.handler
      Events: {Get: {Type: HttpApi, Properties: {Path: /other, Method: get}}}
"""
COUNTER = """
import os, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    with open("/tmp/seen", "a") as file:
        file.write("x")
    if "slow" in (event.get("queryStringParameters") or {}):
        time.sleep(0.5)
    return {"calls": calls, "pid": os.getpid(), "log": context.log_stream_name}
"""
OTHER = """
import os
def handler(event, context):
    return {"environment": dict(os.environ)}
"""


def test_a_warm_environment_counts_and_another_begins_anew(application: Application) -> None:
    with running(application.write(TEMPLATE, counter=COUNTER, other=OTHER)) as stack:
        first, second = (http("GET", f"{stack.url}/counter").json() for _ in range(2))
        assert (first["calls"], second["calls"]) == (1, 2)
        assert first["log"] == second["log"]

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: http("GET", f"{stack.url}/counter?slow=1").json(), range(4)))
        assert len({answer["log"] for answer in answers}) == 4
        assert sorted(answer["calls"] for answer in answers) == [1, 1, 1, 3]


def test_a_function_sees_nothing_of_its_neighbour_or_of_the_user(application: Application, monkeypatch: object) -> None:
    with running(application.write(TEMPLATE, counter=COUNTER, other=OTHER)) as stack:
        http("GET", f"{stack.url}/counter")
        environment = http("GET", f"{stack.url}/other").json()["environment"]
        assert "MINE" not in environment
        assert "HOME" not in environment or "root" not in environment["HOME"]
        assert environment["AWS_SAM_LOCAL"] == "true"
