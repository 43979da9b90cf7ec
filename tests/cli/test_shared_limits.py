"""Two `trine up` of one template that share their limits: one quota, one bucket; kept over a kill and a restart."""

from __future__ import annotations

import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import StartUp, trine

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /keyed:
            get:
              security: [{key: []}]
              x-amazon-apigateway-integration: &mock
                type: mock
                requestTemplates: {application/json: '{"statusCode": 200}'}
                responses: {default: {statusCode: "200"}}
          /open: {get: {x-amazon-apigateway-integration: *mock}}
        components: {securitySchemes: {key: {type: apiKey, in: header, name: x-api-key}}}
      MethodSettings:
        - {ResourcePath: /open, HttpMethod: GET, ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 3}
  Key:
    Type: AWS::ApiGateway::ApiKey
    Properties: {Enabled: true, Value: a-value-of-twenty-letters}
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    DependsOn: ApiprodStage
    Properties: {ApiStages: [{ApiId: !Ref Api, Stage: prod}], Quota: {Limit: 5, Period: MONTH}}
  PlanKey:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}
"""


def status(url: str) -> int:
    request = urllib.request.Request(url, headers={"x-api-key": "a-value-of-twenty-letters"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.slow
def test_two_processes_count_together(up: StartUp, project: Path, tmp_path: Path) -> None:
    (project / "template.yaml").write_text(TEMPLATE)

    def start(name: str) -> Any:
        return up("--share-limits", tmp_path / "limits", "--state", tmp_path / name, "--memory")

    one, two = start("a"), start("b")
    doors = [one.url, two.url, one.url, two.url]
    assert [status(f"{url}/open") for url in doors] == [200, 200, 200, 429]
    assert [status(f"{url}/keyed") for url in doors] == [200] * 4
    one.stop(signal.SIGKILL)
    again = start("a")
    assert [status(f"{url}/keyed") for url in (again.url, two.url, again.url)] == [200, 429, 429]
    assert status(f"{again.url}/open") == 429


def test_a_folder_that_is_none(project: Path, tmp_path: Path) -> None:
    (tmp_path / "buckets").write_text("something else")
    ended = trine("up", project, "--port", "0", "--aws-port", "0", "--dynamodb-port", "0", "--memory", "--share-limits",
                  tmp_path)  # fmt: skip
    assert ended.returncode == 1
    assert "is no file of Trine's counters" in ended.stderr
