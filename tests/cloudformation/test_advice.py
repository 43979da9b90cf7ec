"""Advice: each rule on a template that deserves it, and silence on one that does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trine.cloudformation.advice import advise, quieted
from trine.cloudformation.faults import Fault
from trine.cloudformation.template import Template, load_template

EXAMPLE = Path(__file__).parents[2] / "examples" / "profiles" / "template.yaml"
REGRETTABLE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Slow:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: x
      Handler: index.handler
      Runtime: python3.12
      Timeout: 60
      Environment:
        Variables:
          DB_PASSWORD: hunter2
          PASSWORD_SECRET_ARN: arn:aws:secretsmanager:us-east-1:123456789012:secret:x
          KEY: AKIAIOSFODNN7EXAMPLE
          TABLE: !Ref Table
      VpcConfig: {SubnetIds: [!Ref Subnet], SecurityGroupIds: [sg-1]}
      Policies:
        - AmazonDynamoDBFullAccess
        - Statement:
            - Effect: Allow
              Action: dynamodb:*
              Resource: !GetAtt Table.Arn
            - Effect: Allow
              Action: [dynamodb:GetItem, xray:PutTraceSegments]
              Resource: "*"
            - Effect: Allow
              Action: dynamodb:Scan
              Resource: "*"   # trine: quiet policy/any-resource
            - Effect: Allow
              Action: [logs:PutLogEvents, ec2:CreateNetworkInterface]
              Resource: "*"
      Events:
        Call: {Type: Api, Properties: {Path: /x, Method: get}}
        Topic: {Type: SNS, Properties: {Topic: !Ref Topic}}
        Stream: {Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn, StartingPosition: LATEST}}
  Topic: {Type: AWS::SNS::Topic}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: vpc-1, CidrBlock: 10.0.0.0/24}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
"""


@pytest.fixture
def advice(load: Callable[..., Template]) -> Callable[[str], list[Fault]]:
    def advice(text: str) -> list[Fault]:
        return list(quieted(advise(load(text))))

    return advice


def test_every_rule_speaks_at_its_line(advice: Callable[[str], list[Fault]]) -> None:
    text = REGRETTABLE
    found = [(fault.rule, text.splitlines()[fault.line - 1].strip()) for fault in advice(text)]
    expected = {
        ("lambda/timeout-above-gateway", "Timeout: 60"),
        ("lambda/secret-in-environment", "DB_PASSWORD: hunter2"),
        ("lambda/secret-in-environment", "KEY: AKIAIOSFODNN7EXAMPLE"),
        ("lambda/vpc-without-endpoint", "VpcConfig: {SubnetIds: [!Ref Subnet], SecurityGroupIds: [sg-1]}"),
        ("lambda/no-dead-letter-queue", "Slow:"),
        ("lambda/no-failure-destination", "Slow:"),
        ("dynamodb/fixed-capacity", "ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}"),
        ("policy/any-action", "Action: dynamodb:*"),
        ("policy/any-resource", 'Resource: "*"'),
        ("policy/full-access", "Policies:"),
        ("apigateway/public-route", "Call: {Type: Api, Properties: {Path: /x, Method: get}}"),
    }
    assert expected <= set(found)
    assert [rule for rule, _ in found].count("policy/any-resource") == 1, "one is quiet, one cannot be narrowed"
    assert not [line for _, line in found if "PASSWORD_SECRET_ARN" in line]


def test_messages_name_what_is_wrong(advice: Callable[[str], list[Fault]]) -> None:
    messages = {fault.rule: fault.message for fault in advice(REGRETTABLE)}
    assert "dynamodb:*" in messages["policy/any-action"]
    assert "60 s" in messages["lambda/timeout-above-gateway"]
    assert "GET /x" in messages["apigateway/public-route"]
    assert "hunter2" not in "".join(messages.values()), "a secret is not repeated"


def test_a_comment_quiets_a_rule_on_its_line(advice: Callable[[str], list[Fault]]) -> None:
    quiet = REGRETTABLE.replace(
        "DB_PASSWORD: hunter2", "DB_PASSWORD: hunter2  # trine: quiet lambda/secret-in-environment"
    )
    lines = [fault.line for fault in advice(quiet) if fault.rule == "lambda/secret-in-environment"]
    assert len(lines) == 1


def test_the_example_is_advised_of_its_open_doors_only() -> None:
    template = load_template(EXAMPLE)
    assert {fault.rule for fault in advise(template)} == {"apigateway/public-route"}


MODEST = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /:
            get:
              security: [{key: []}]
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/${F.Arn}/response-streaming-invocations
                responseTransferMode: STREAM
  F:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: x
      Handler: index.handler
      Runtime: python3.12
      Timeout: 300
      VpcConfig: {SubnetIds: [!Ref Subnet], SecurityGroupIds: [sg-1]}
      Policies:
        - Statement:
            - Effect: Allow
              Action: [translate:TranslateText, rekognition:DetectLabels, ec2:DescribeVpcs, s3:ListAllMyBuckets,
                       cloudwatch:PutMetricData, comprehend:BatchDetectSentiment, polly:SynthesizeSpeech]
              Resource: "*"
      Events: {Get: {Type: Api, Properties: {Path: /, Method: get, RestApiId: !Ref Api}}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: vpc-1, CidrBlock: 10.0.0.0/24}}
"""  # noqa: E501 -- an address


def test_what_cannot_be_written_otherwise_is_no_fault(tmp_path: Path) -> None:
    """Actions without resources, a streamed answer that may last, a function in a VPC that never calls DynamoDB."""
    (tmp_path / "template.yaml").write_text(MODEST)
    assert [fault.rule for fault in advise(load_template(tmp_path / "template.yaml"))] == []
    (tmp_path / "wider.yaml").write_text(MODEST.replace("responseTransferMode: STREAM", "timeoutInMillis: 60000"))
    assert [fault.rule for fault in advise(load_template(tmp_path / "wider.yaml"))] == ["lambda/timeout-above-gateway"]
