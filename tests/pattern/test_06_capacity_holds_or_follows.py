"""Claim 6: on-demand tables absorb spikes; provisioned tables do not, and auto scaling lags."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config

from tests.pattern.conftest import Application
from trine.clock import ManualClock, SystemClock
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Provisioned:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: Provisioned
      BillingMode: PROVISIONED
      ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  WriteUnits:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: dynamodb
      ResourceId: !Sub table/${Followed}
      ScalableDimension: dynamodb:table:WriteCapacityUnits
      MinCapacity: 1
      MaxCapacity: 10
  KeepSeventy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: KeepSeventy
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref WriteUnits
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 70
        PredefinedMetricSpecification: {PredefinedMetricType: DynamoDBWriteCapacityUtilization}
  Followed:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: Followed
      BillingMode: PROVISIONED
      ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  OnDemand:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: OnDemand
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
THIRTY_UNITS = "x" * 30_000
BURST_PUTS = 10  # of thirty units: what a table of one unit a second saved in 300 s


@pytest.fixture
def stack(application: Application) -> Iterator[RunningStack]:
    # Signatures carry the time of day: the stack's clock begins there, and then stands still.
    with running(application.write(TEMPLATE), clock=ManualClock(SystemClock().now())) as stack:
        yield stack


def _put(client: Any, table: str, number: int) -> Any:
    return client.put_item(TableName=table, Item={"id": {"S": str(number)}, "text": {"S": THIRTY_UNITS}})


def _impatient(stack: RunningStack) -> Any:
    return stack.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))


def test_a_provisioned_table_uses_up_its_burst_and_says_so(stack: RunningStack) -> None:
    client = _impatient(stack)
    for number in range(BURST_PUTS):
        _put(client, "Provisioned", number)
    with pytest.raises(client.exceptions.ProvisionedThroughputExceededException) as refused:
        _put(client, "Provisioned", BURST_PUTS)
    arn = next(table["arn"] for table in stack.description["tables"] if table["name"] == "Provisioned")
    reason = {"reason": "TableWriteProvisionedThroughputExceeded", "resource": arn}
    assert refused.value.response["ThrottlingReasons"] == [reason]
    assert refused.value.response["Error"]["Message"].startswith("The level of configured provisioned throughput")

    explained = stack.explain(refused.value.response["ResponseMetadata"]["RequestId"])
    assert explained is not None
    assert explained["refusal"]["room"] == "dynamodb.throughput"
    assert explained["refusal"]["unitsPerSecond"] == 1

    stack.advance(30)
    _put(client, "Provisioned", BURST_PUTS)


def test_the_sdk_retries_with_backoff_and_succeeds(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        stack.advance(seconds)

    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=wait))
    client = stack.client("dynamodb", config=Config(retries={"mode": "standard", "total_max_attempts": 60}))
    for number in range(BURST_PUTS):
        _put(client, "Provisioned", number)
    assert not waits
    answer = _put(client, "Provisioned", BURST_PUTS)
    assert answer["ResponseMetadata"]["RetryAttempts"] == len(waits) > 1
    assert sum(waits) >= 29


def test_an_on_demand_table_takes_the_same_spike_and_a_hundred_times_more(stack: RunningStack) -> None:
    client = _impatient(stack)
    for number in range(10 * BURST_PUTS):
        _put(client, "OnDemand", number)


def test_auto_scaling_follows_two_minutes_later(stack: RunningStack) -> None:
    client = _impatient(stack)

    def units() -> int:
        table = client.describe_table(TableName="Followed")["Table"]
        return int(table["ProvisionedThroughput"]["WriteCapacityUnits"])

    for number in range(3):
        _put(client, "Followed", number)
    stack.advance(60)
    assert units() == 1, "one busy minute is none"
    for number in range(3):
        _put(client, "Followed", number)
    stack.advance(60)
    assert units() == 3, "90 units a minute are 1.5 a second: 70 % of 2.15"
