"""Claim 2: a function has its permission from its execution role, by short-lived credentials, never by stored keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.pattern.conftest import Application, http, wait_for_environments
from trine.clock import ManualClock
from trine.testing import running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Table:
    Type: AWS::Serverless::SimpleTable
  Reveal:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: reveal.handler
      Runtime: python3.12
      Policies: [{DynamoDBReadPolicy: {TableName: !Ref Table}}]
      Environment: {Variables: {TABLE: !Ref Table}}
      Events: {Get: {Type: HttpApi, Properties: {Path: /, Method: get}}}
"""
REVEAL = """
import json, os
def handler(event, context):
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "TABLE")
    return {"statusCode": 200, "body": json.dumps({name: os.environ[name] for name in names})}
"""


def test_the_credentials_are_temporary_limited_and_die_with_their_environment(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    # Sign with the stack's time: a signature made by the machine's own clock would be far outside the skew.
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(clock.now(), UTC))
    with running(application.write(TEMPLATE, reveal=REVEAL), clock=clock, enforcement="enforce") as stack:
        found = json.loads(http("GET", stack.url + "/").body)
        assert found["AWS_ACCESS_KEY_ID"].startswith("ASIA")

        table = boto3.client(
            "dynamodb",
            endpoint_url=stack.aws_url,
            region_name="us-east-1",
            aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=found["AWS_SESSION_TOKEN"],
        )
        assert "Item" not in table.get_item(TableName=found["TABLE"], Key={"id": {"S": "1"}})
        with pytest.raises(ClientError, match="not authorized to perform: dynamodb:PutItem"):
            table.put_item(TableName=found["TABLE"], Item={"id": {"S": "1"}})

        # Idle for so long, the environment ends: its credentials die with it, an hour before they could expire.
        stack.advance(600)
        wait_for_environments(stack, 0)
        with pytest.raises(ClientError) as refused:
            table.get_item(TableName=found["TABLE"], Key={"id": {"S": "1"}})
        assert refused.value.response["Error"]["Code"] == "UnrecognizedClientException"
