"""What a bill has beside requests, time and units: provisioned concurrency, logs, alarms, metrics of one's own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.pattern.conftest import http
from tests.waiting import wait_until
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, CodeUri: ./, MemorySize: 256}}
Resources:
  Json:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.hello
      LoggingConfig: {LogFormat: JSON}
      Events: {Api: {Type: HttpApi, Properties: {Path: /json, Method: get}}}
  Ready:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.hello
      AutoPublishAlias: live
      ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 2}
      Events: {Api: {Type: HttpApi, Properties: {Path: /ready, Method: get}}}
  Measuring:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.measure
      Policies: [{Statement: [{Effect: Allow, Action: "cloudwatch:*", Resource: "*"}]}]
      Events: {Api: {Type: HttpApi, Properties: {Path: /measure, Method: get}}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: busy, Namespace: AWS/Lambda, MetricName: Invocations, Statistic: Sum, Period: 60,
                 EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanThreshold}
"""
CODE = """
import json

def hello(event, context):
    print("ünder way")
    return {"statusCode": 200, "body": "hello"}

def measure(event, context):
    import boto3
    client = boto3.client("cloudwatch")
    client.put_metric_data(Namespace="Mine", MetricData=[{"MetricName": name, "Value": 1} for name in ("a", "b")])
    return {"statusCode": 200, "body": "measured"}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder: Path = tmp_path_factory.mktemp("paid")
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "app.py").write_text(CODE)
    with running(folder) as found:
        yield found


def _receipt(stack: RunningStack, path: str) -> Mapping[str, Any]:
    answer = http("GET", f"{stack.url}{path}")
    assert answer.status == 200, answer.body
    explained = stack.explain(answer.headers["apigw-requestid"])
    assert explained is not None
    return {line["meter"]: line for line in explained["receipt"]["lines"]}


def _logged(stack: RunningStack, name: str) -> list[str]:
    groups = stack.stack.wings.logs.existing()
    return [event.message for group in groups if f"-{name}" in group.group for event in group.events()]


def test_a_function_that_logs_json_is_paid_for(stack: RunningStack) -> None:
    receipt = _receipt(stack, "/json")
    assert receipt["lambda.request"]["amount"] == 1
    assert receipt["lambda.gb-second"]["amount"] > 0


@pytest.mark.parametrize(("path", "name"), [("/json", "Json"), ("/measure", "Measuring")])
def test_every_line_of_the_log_is_paid_for(stack: RunningStack, path: str, name: str) -> None:
    before = sum(len(message.encode()) for message in _logged(stack, name))
    receipt = _receipt(stack, path)
    written = sum(len(message.encode()) for message in _logged(stack, name)) - before
    assert written > 0
    assert receipt["logs.in-gb"]["amount"] * 1024**3 == pytest.approx(written)


def test_provisioned_concurrency_has_prices_of_its_own(stack: RunningStack) -> None:
    provisioned = stack.stack.wings.functions.provisioned
    (entry,) = [entry for entry in stack.stack.wings.functions.registry if "-Ready" in entry.function.name]
    wait_until(lambda: stack.call(lambda: provisioned.get(entry.function.name, "live").status) == "READY")
    receipt = _receipt(stack, "/ready")
    assert receipt["lambda.ready-gb-second"]["amount"] > 0
    assert "lambda.gb-second" not in receipt


def test_calls_and_metrics_of_a_function_stand_on_its_routes_bill(stack: RunningStack) -> None:
    receipt = _receipt(stack, "/measure")
    assert receipt["cloudwatch.request"]["amount"] == 1
    groups = {group["name"]: group for group in stack.bill("route")["groups"]}
    (route,) = [group for name, group in groups.items() if name.endswith("GET /measure")]
    assert route["amounts"]["cloudwatch.request"] >= 1
    services = {group["name"]: group for group in stack.bill("service")["groups"]}
    assert services["cloudwatch"]["counts"]["cloudwatch"]["metricHours"] >= 2


def test_what_stands_there_is_on_the_bill(stack: RunningStack) -> None:
    bill = stack.bill("route")
    standing = {line["meter"]: line for line in bill["standing"]}
    assert standing["lambda.provisioned-gb-second"]["amount"] >= 2 * 256 / 1024 * 60
    assert standing["cloudwatch.alarm-month"]["what"] == "busy"
    assert math.isclose(bill["total"]["standingUsd"], sum(line["usd"] for line in bill["standing"]))


def test_metrics_that_are_asked_for_are_counted(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    now = stack.stack.wings.clock.now()
    metric = {"Namespace": "Mine", "MetricName": "a"}
    queries = [{"Id": f"m{at}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}} for at in range(3)]
    client.describe_alarms()

    def requested() -> float:
        groups = {group["name"]: group for group in stack.bill("service")["groups"]}
        return float(groups.get("cloudwatch", {}).get("amounts", {}).get("cloudwatch.request", 0.0))

    before = requested()
    client.get_metric_data(MetricDataQueries=queries, StartTime=now - 3600, EndTime=now)
    client.describe_alarms()
    assert requested() - before == 3
