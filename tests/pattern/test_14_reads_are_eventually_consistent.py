"""Claim 14: reads are eventually consistent unless asked otherwise, and luck is pointed out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.pattern.conftest import Application, http
from trine.clock import ManualClock, SystemClock
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Carts:
    Type: AWS::Serverless::SimpleTable
  Buy:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: buy.handler
      Runtime: python3.12
      Environment: {Variables: {TABLE: !Ref Carts}}
      Policies:
        - DynamoDBCrudPolicy: {TableName: !Ref Carts}
      Events: {Any: {Type: Api, Properties: {Path: "/{consistency}/{id}", Method: post}}}
"""
BUY = """
import json, os, boto3
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
def handler(event, context):
    key = {"id": event["pathParameters"]["id"]}
    table.put_item(Item=key)
    found = table.get_item(Key=key, ConsistentRead=event["pathParameters"]["consistency"] == "strong")
    return {"statusCode": 200, "body": json.dumps("Item" in found)}
"""


def _notes(trace: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (step["detail"] for step in trace["steps"] if step["room"] == "dynamodb.consistency")
    for child in trace["children"]:
        yield from _notes(child)


def _buy(stack: RunningStack, path: str) -> tuple[bool, list[Mapping[str, Any]]]:
    """Whether the function saw its own write, and what the trace says of luck."""
    answer = http("POST", f"{stack.url}/{path}")
    explained = stack.explain(answer.headers["x-amzn-requestid"])
    assert explained is not None
    return answer.json(), list(_notes(explained))


def test_without_lag_the_read_works_and_is_called_luck(application: Application) -> None:
    clock = ManualClock(SystemClock().now())  # however busy the machine is, the read follows within the second
    with running(application.write(TEMPLATE, buy=BUY), clock=clock) as stack:
        seen, (note,) = _buy(stack, "eventual/1")
        assert seen
        assert note["could_be_stale"]
        assert note["key"] == {"id": {"S": "1"}}
        assert 0 <= note["ageMillis"] < 1000
        assert _buy(stack, "strong/2") == (True, [])
        counted = stack.call(stack.stack.wings.dynamodb.metering.statistics)
        assert [table["staleReads"] for table in counted.values()] == [1]


def test_with_a_lag_the_old_value_is_read_until_the_replica_follows(application: Application) -> None:
    clock = ManualClock(SystemClock().now())
    with running(application.write(TEMPLATE, buy=BUY), replica_lag_seconds=0.8, clock=clock) as stack:
        stack.advance(2)
        assert _buy(stack, "eventual/1")[0] is False
        assert _buy(stack, "strong/2")[0] is True
        client, name = stack.client("dynamodb"), stack.description["tables"][0]["name"]
        key = {"id": {"S": "1"}}
        assert "Item" not in client.get_item(TableName=name, Key=key)
        assert "Item" in client.get_item(TableName=name, Key=key, ConsistentRead=True)
        stack.advance(1)
        assert "Item" in client.get_item(TableName=name, Key=key)
