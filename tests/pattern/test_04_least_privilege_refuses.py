"""Claim 4: a role with only GetItem and Query cannot write, and the refusal can be explained."""

from __future__ import annotations

from tests.pattern.conftest import Application, http
from trine.testing import running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Profiles:
    Type: AWS::Serverless::SimpleTable
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: reader.handler
      Runtime: python3.12
      Environment: {Variables: {TABLE: !Ref Profiles}}
      Policies:
        - Statement:
            - {Effect: Allow, Action: [dynamodb:GetItem, dynamodb:Query], Resource: !GetAtt Profiles.Arn}
      Events: {Any: {Type: Api, Properties: {Path: /, Method: any}}}
"""
READER = """
import json, os, boto3
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
def handler(event, context):
    if event["httpMethod"] == "GET":
        return {"statusCode": 200, "body": json.dumps(table.get_item(Key={"id": "1"}).get("Item"))}
    try:
        table.put_item(Item={"id": "1"})
    except table.meta.client.exceptions.ClientError as error:
        return {"statusCode": 403, "body": json.dumps(error.response["Error"])}
"""


def test_reading_passes_writing_is_refused_and_the_waterfall_says_why(application: Application) -> None:
    with running(application.write(TEMPLATE, reader=READER)) as stack:
        assert http("GET", stack.url).status == 200

        refused = http("POST", stack.url)
        assert refused.status == 403
        error = refused.json()
        assert error["Code"] == "AccessDeniedException"
        function = stack.description["functions"][0]
        table = stack.description["tables"][0]["arn"]
        role = function["role"].rpartition("/")[2]
        assert error["Message"] == (
            f"User: arn:aws:sts::123456789012:assumed-role/{role}/{function['name']} is not authorized to perform: "
            f"dynamodb:PutItem on resource: {table} because no identity-based policy allows the dynamodb:PutItem action"
        )

        explained = stack.explain(refused.headers["x-amzn-requestid"])
        assert explained is not None
        invocation = explained["children"][0]
        call = next(child for child in invocation["children"] if child["refusal"])
        assert call["refusal"]["room"] == "iam.policy"
        assert call["refusal"]["action"] == "dynamodb:PutItem"
        assert call["refusal"]["resource"] == table
