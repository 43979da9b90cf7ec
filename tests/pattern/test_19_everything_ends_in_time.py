"""Claim 19: the function is stopped at its own timeout, and the gateway answers at its own: 29 s REST, 30 s HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.pattern.conftest import Application, http
from tests.waiting import PATIENCE_SECONDS, wait_until
from trine.clock import ManualClock
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Sleeper:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: sleeper.handler
      Runtime: python3.12
      Timeout: 60
      Events:
        Rest: {Type: Api, Properties: {Path: /, Method: get}}
        Http: {Type: HttpApi, Properties: {Path: /, Method: get}}
"""
SLEEPER = """
import time
def handler(event, context):
    print("asleep")
    time.sleep(300)
"""


def _wait_until_asleep(stack: RunningStack) -> None:
    logs = stack.stack.wings.functions.machinery.log_store
    wait_until(lambda: any("asleep" in event.message for log in logs.groups() for event in log.events()), "its start")


@pytest.mark.parametrize(
    ("kind", "seconds", "status", "message"),
    [("REST", 29, 504, "Endpoint request timed out"), ("HTTP", 30, 503, "Service Unavailable")],
)
def test_the_gateway_answers_at_its_own_time(
    application: Application, kind: str, seconds: int, status: int, message: str
) -> None:
    with running(application.write(TEMPLATE, sleeper=SLEEPER), clock=ManualClock()) as stack:
        url = next(api for api in stack.description["apis"] if api["kind"] == kind)["stages"][0]["pathUrl"]
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(http, "GET", url)
            _wait_until_asleep(stack)
            stack.advance(seconds - 1)
            assert not waiting.done()
            stack.advance(1.5)
            answer = waiting.result(PATIENCE_SECONDS)
        assert (answer.status, answer.json()) == (status, {"message": message})


def test_the_function_is_stopped_at_its_own_time(application: Application) -> None:
    with running(application.write(TEMPLATE, sleeper=SLEEPER), clock=ManualClock()) as stack:
        name = stack.description["functions"][0]["name"]
        from trine.aws.invoke import InvokeRequest

        future = stack.call(lambda: stack.stack.wings.functions.invoke(InvokeRequest(name, b"{}")))
        _wait_until_asleep(stack)
        stack.advance(61)
        wait_until(future.done, "the kernel to end the process")
        answer = stack.call(future.result)
        assert answer.function_error == "Unhandled"
        assert b"Task timed out after 60.00 seconds" in answer.payload
