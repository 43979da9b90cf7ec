"""One stack with an alarm, a topic-less action and a function that puts metrics, on a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.loaders import Loader
from botocore.session import Session

from trine.clock import ManualClock, SystemClock
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Busy:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: busy
      Namespace: App
      MetricName: Orders
      Dimensions: [{Name: shop, Value: north}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 2
      Threshold: 10
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
      AlarmActions: [!GetAtt Told.Arn, !Sub "arn:aws:automate:${AWS::Region}:ec2:stop"]
      OKActions: [!GetAtt Told.Arn]
  Told:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: told.handler, Runtime: python3.12, Timeout: 900}
  MayTell:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Told
      Action: lambda:InvokeFunction
      Principal: lambda.alarms.cloudwatch.amazonaws.com
      SourceArn: !GetAtt Busy.Arn
  Shop:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: shop.handler
      Runtime: python3.12
      Events: {Order: {Type: HttpApi, Properties: {Path: /order, Method: post}}}
"""
TOLD = """
import json
def handler(event, context):
    print("TOLD", event["alarmData"]["alarmName"], event["alarmData"]["state"]["value"])
"""
SHOP = """
import json, time
def handler(event, context):
    print(json.dumps({"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
        {"Namespace": "App", "Dimensions": [["shop"], []], "Metrics": [{"Name": "Orders", "Unit": "Count"}]}]},
        "shop": "north", "Orders": [3, 4]}))
    print('{"_aws": {"Timestamp": "soon", "CloudWatchMetrics": []}}')
    return {"statusCode": 200}
"""


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Runs for the whole package: tests use metrics of their own names."""
    directory = tmp_path_factory.mktemp("cloudwatch")
    (directory / "src").mkdir()
    (directory / "src" / "told.py").write_text(TOLD)
    (directory / "src" / "shop.py").write_text(SHOP)
    template: Path = directory / "template.yaml"
    template.write_text(TEMPLATE)
    with running(template, clock=ManualClock(SystemClock().now())) as started:
        yield started


def client_speaking(stack: RunningStack, protocol: str) -> Any:
    """A CloudWatch client that speaks one protocol, as older and newer botocores do."""

    class OneProtocol(Loader):
        def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
            document = super().load_service_model(service_name, type_name, api_version)
            if service_name == "cloudwatch" and type_name == "service-2":
                metadata = {**document["metadata"], "protocol": protocol, "protocols": [protocol]}
                document = {**document, "metadata": metadata}
            return document

    session = Session()
    session.register_component("data_loader", OneProtocol())
    key = stack.stack.wings.access.owner_credentials()
    return boto3.Session(botocore_session=session).client(
        "cloudwatch",
        endpoint_url=stack.aws_url,
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
    )
