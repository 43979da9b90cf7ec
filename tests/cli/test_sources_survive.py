"""Streams, queues and events after `kill -9`: what was acknowledged reaches its function after the restart, at least
once."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cli.conftest import StartUp, Up
from tests.waiting import wait_until

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Handler: index.handler
    Runtime: python3.11
    Timeout: 10
    CodeUri: code
Resources:
  Seen:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: seen
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Source:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: source
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: KEYS_ONLY}
  Work: {Type: AWS::SQS::Queue, Properties: {QueueName: work, VisibilityTimeout: 10}}
  OfStream:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Seen}}]
      Events:
        S: {Type: DynamoDB, Properties: {Stream: !GetAtt Source.StreamArn, StartingPosition: LATEST, BatchSize: 4}}
  OfQueue:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Seen}}]
      Events:
        Q: {Type: SQS, Properties: {Queue: !GetAtt Work.Arn, BatchSize: 2}}
  OfEvents:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: of-events, Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Seen}}]}
"""
CODE = """
import boto3, time
table = boto3.resource("dynamodb").Table("seen")
def handler(event, context):
    time.sleep(0.2)
    for record in event.get("Records") or [{"body": event["n"]}]:
        name = record["body"] if "body" in record else record["dynamodb"]["Keys"]["id"]["S"]
        table.put_item(Item={"id": str(name)})
"""


def client(up: Up, service: str) -> Any:
    """A client of a stack that runs in another process."""
    run = json.loads((up.state / "server.json").read_text())
    return boto3.client(
        service,
        endpoint_url=up.description["awsUrl"],
        region_name="us-east-1",
        aws_access_key_id=run["access_key_id"],
        aws_secret_access_key=run["secret_access_key"],
    )


@pytest.mark.slow
def test_nothing_that_was_acknowledged_is_lost(up: StartUp, project: Path) -> None:
    (project / "template.yaml").write_text(TEMPLATE)
    (project / "code").mkdir()
    (project / "code" / "index.py").write_text(CODE)
    first = up()
    table, queue, functions = client(first, "dynamodb"), client(first, "sqs"), client(first, "lambda")
    url = queue.get_queue_url(QueueName="work")["QueueUrl"]
    for number in range(12):
        table.put_item(TableName="source", Item={"id": {"S": f"stream-{number}"}})
        queue.send_message(QueueUrl=url, MessageBody=f"queue-{number}")
        functions.invoke(
            FunctionName="of-events", InvocationType="Event", Payload=json.dumps({"n": f"event-{number}"}).encode()
        )
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    second = up()
    table = client(second, "dynamodb")
    wanted = {f"{kind}-{number}" for kind in ("stream", "queue", "event") for number in range(12)}

    def seen() -> set[str]:
        return {item["id"]["S"] for item in table.scan(TableName="seen", ConsistentRead=True)["Items"]}

    wait_until(lambda: seen() >= wanted, "the functions of another process")
    assert seen() == wanted
    assert second.stop() == 0
