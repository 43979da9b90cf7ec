"""Claim 5: unmodified handlers, with the libraries and the `context` object that they use on AWS."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from tests.pattern.conftest import Application, http
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    CodeUri: src/
    Runtime: python3.12
    MemorySize: 512
    Timeout: 15
    Environment: {Variables: {TABLE: !Ref Table, PYTHONPATH: @SITE@}}
Resources:
  Table:
    Type: AWS::Serverless::SimpleTable
  Powertools:
    Type: AWS::Serverless::Function
    Properties:
      Handler: resolver.handler
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Table}}]
      Events: {Any: {Type: Api, Properties: {Path: "/todos/{proxy+}", Method: any}}}
  Pynamo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: pynamo.handler
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Table}}]
      Events: {Any: {Type: Api, Properties: {Path: /pynamo, Method: get}}}
  Context:
    Type: AWS::Serverless::Function
    Properties:
      Handler: about.handler
      Events: {Any: {Type: Api, Properties: {Path: /context, Method: get}}}
"""
RESOLVER = """
import os, boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
app, logger = APIGatewayRestResolver(), Logger(service="todos")
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

@app.put("/todos/<name>")
def put(name: str):
    table.put_item(Item={"id": name, "done": bool(app.current_event.json_body["done"])})
    return {"id": name}, 201

@app.get("/todos/<name>")
def get(name: str):
    item = table.get_item(Key={"id": name}).get("Item")
    if item is None:
        raise NotFoundError("no such todo")
    return item

@logger.inject_lambda_context
def handler(event, context):
    return app.resolve(event, context)
"""
PYNAMO = """
import json, os
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

class Counter(Model):
    class Meta:
        table_name = os.environ["TABLE"]
        region = os.environ["AWS_REGION"]
        host = os.environ["AWS_ENDPOINT_URL"]
    id = UnicodeAttribute(hash_key=True)
    count = NumberAttribute(default=0)

def handler(event, context):
    counter = Counter("pynamo")
    counter.update(actions=[Counter.count.set((Counter.count | 0) + 1)])
    return {"statusCode": 200, "body": json.dumps(Counter.get("pynamo").count)}
"""
ABOUT = """
import json
def handler(event, context):
    remaining = context.get_remaining_time_in_millis()
    return {"statusCode": 200, "body": json.dumps({
        "function_name": context.function_name, "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn, "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id, "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name, "remaining": remaining,
    })}
"""


@pytest.fixture(scope="module")
def application_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    # Found, not imported: Powertools changes this process's SDK settings when it is imported.
    found = importlib.util.find_spec("aws_lambda_powertools")
    assert found is not None
    assert found.origin is not None
    site = found.origin.rpartition("/aws_lambda_powertools/")[0]
    application = Application(tmp_path_factory.mktemp("handlers"))
    template = application.write(TEMPLATE.replace("@SITE@", site), resolver=RESOLVER, pynamo=PYNAMO, about=ABOUT)
    with running(template) as stack:
        yield stack


def test_powertools_resolver_and_a_boto3_resource(application_: RunningStack) -> None:
    todo = f"{application_.url}/todos/wash"
    assert http("GET", todo).json() == {"statusCode": 404, "message": "no such todo"}
    assert http("PUT", todo, {"done": False}).status == 201
    assert http("GET", todo).json() == {"id": "wash", "done": False}


def test_pynamodb_counts(application_: RunningStack) -> None:
    assert [http("GET", f"{application_.url}/pynamo").json() for _ in range(3)] == [1, 2, 3]


def test_the_context_object_is_whole(application_: RunningStack) -> None:
    context = http("GET", f"{application_.url}/context").json()
    name = context["function_name"]
    assert context["invoked_function_arn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert (context["function_version"], context["memory_limit_in_mb"]) == ("$LATEST", "512")
    assert context["log_group_name"] == f"/aws/lambda/{name}"
    assert 14_000 < context["remaining"] <= 15_000
