"""Claim 20: stage throttles, usage plans and API keys; 403 without a key, 429 over the limit, and no function runs."""

from __future__ import annotations

from collections import Counter

from tests.pattern.conftest import Application, http
from trine.clock import ManualClock
from trine.testing import running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Front:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      Auth:
        ApiKeyRequired: true
        UsagePlan:
          CreateUsagePlan: PER_API
          Throttle: {RateLimit: 1, BurstLimit: 2}
          Quota: {Limit: 5, Period: DAY}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: hello.handler
      Runtime: python3.12
      Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Front, Path: /, Method: get}}}
"""
HELLO = """
def handler(event, context):
    return {"statusCode": 200, "body": "hello"}
"""


def test_keys_throttle_and_quota_hold_and_refill_with_time(application: Application) -> None:
    with running(application.write(TEMPLATE, hello=HELLO), clock=ManualClock()) as stack:
        (value,) = stack.call(stack.stack.run_file).api_keys.values()
        assert http("GET", stack.url).json() == {"message": "Forbidden"}
        assert http("GET", stack.url, headers={"x-api-key": "guess"}).status == 403

        def burst(count: int) -> Counter[tuple[int, str]]:
            answers = [http("GET", stack.url, headers={"x-api-key": value}) for _ in range(count)]
            return Counter((answer.status, answer.body.decode()) for answer in answers)

        throttled = (429, '{"message":"Too Many Requests"}')
        assert burst(4) == {(200, "hello"): 2, throttled: 2}
        stack.advance(10)
        assert burst(2) == {(200, "hello"): 2}
        stack.advance(10)
        spent = burst(2)
        assert spent[200, "hello"] == 1
        assert spent[429, '{"message":"Limit Exceeded"}'] == 1
        stack.advance(86_400)
        assert burst(1) == {(200, "hello"): 1}
