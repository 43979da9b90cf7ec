"""Claim 15: a function in a VPC needs a VPC endpoint to reach the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.pattern.conftest import Application, http
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Way: {Type: String, Default: none, AllowedValues: [none, endpoint, nat]}
  Allowed: {Type: String, Default: "dynamodb:*"}
Conditions:
  HasEndpoint: !Equals [!Ref Way, endpoint]
  HasNat: !Equals [!Ref Way, nat]
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Private: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
  PrivateTable: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  PrivateLink:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Private, RouteTableId: !Ref PrivateTable}
  Public: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.2.0/24}}
  PublicTable: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  PublicLink:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Public, RouteTableId: !Ref PublicTable}
  Internet: {Type: AWS::EC2::InternetGateway}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Internet}
  PublicRoute:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref PublicTable, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Internet}
  Address: {Type: AWS::EC2::EIP, Properties: {Domain: vpc}}
  Nat:
    Type: AWS::EC2::NatGateway
    Properties: {SubnetId: !Ref Public, AllocationId: !GetAtt Address.AllocationId}
  NatRoute:
    Type: AWS::EC2::Route
    Condition: HasNat
    Properties: {RouteTableId: !Ref PrivateTable, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Condition: HasEndpoint
    Properties:
      VpcId: !Ref Vpc
      ServiceName: !Sub com.amazonaws.${AWS::Region}.dynamodb
      RouteTableIds: [!Ref PrivateTable]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: "*", Action: !Ref Allowed, Resource: "*"}]
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc, GroupDescription: functions}}
  Users: {Type: AWS::Serverless::SimpleTable}
  Save:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: save.handler
      Runtime: python3.12
      Timeout: 2
      Environment: {Variables: {TABLE: !Ref Users}}
      VpcConfig: {SubnetIds: [!Ref Private], SecurityGroupIds: [!Ref Group]}
      Policies:
        - Statement:
            - {Effect: Allow, Action: ["dynamodb:PutItem", "dynamodb:GetItem"], Resource: !GetAtt Users.Arn}
            - Effect: Deny
              Action: dynamodb:GetItem
              Resource: !GetAtt Users.Arn
              Condition: {"Null": {"aws:SourceVpce": "true"}}
      Events: {Any: {Type: Api, Properties: {Path: "/{action}", Method: post}}}
"""
SAVE = """
import json, os, boto3
from botocore.exceptions import ClientError
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
def handler(event, context):
    try:
        if event["pathParameters"]["action"] == "put":
            table.put_item(Item={"id": "7"})
        else:
            table.get_item(Key={"id": "7"})
        return {"statusCode": 200, "body": "{}"}
    except ClientError as error:
        return {"statusCode": 403, "body": json.dumps({"message": str(error)})}
"""


@pytest.fixture
def serve(application: Application) -> Any:
    """Starts the application with the given parameters."""
    path = application.write(TEMPLATE, save=SAVE)
    return lambda **parameters: running(path, parameters=parameters)


def _ask(stack: RunningStack, action: str) -> tuple[int, str, list[Mapping[str, Any]]]:
    """Status, body, and every refusal that the trace tells."""
    answer = http("POST", f"{stack.url}/{action}")
    document = stack.explain(answer.headers["x-amzn-requestid"])
    assert document is not None
    return answer.status, answer.body.decode(), list(_refusals(document))


def _refusals(trace: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if trace["refusal"] is not None:
        yield trace["refusal"]
    for child in trace["children"]:
        yield from _refusals(child)


def test_without_an_endpoint_the_call_times_out_and_the_missing_route_is_told(serve: Any) -> None:
    with serve() as stack:
        status, _, refusals = _ask(stack, "put")
        assert status == 502  # the function ran into its timeout
        told = [refusal for refusal in refusals if refusal["room"] == "ec2.route"]
        assert told
        assert "no route leads from Private to dynamodb" in told[0]["reason"]
        assert "add a VPC endpoint for dynamodb" in told[0]["hint"]
        table = stack.description["tables"][0]["name"]
        assert stack.client("dynamodb").scan(TableName=table)["Count"] == 0  # people are not in the VPC


def test_with_the_endpoint_it_passes_and_the_policies_know_it(serve: Any) -> None:
    with serve(Way="endpoint") as stack:
        assert _ask(stack, "put")[0] == 200
        assert _ask(stack, "get")[0] == 200


def test_the_policy_of_the_endpoint_is_enforced(serve: Any) -> None:
    with serve(Way="endpoint", Allowed="dynamodb:GetItem") as stack:
        assert _ask(stack, "get")[0] == 200
        status, body, refusals = _ask(stack, "put")
        assert status == 403
        assert "because no VPC endpoint policy allows the dynamodb:PutItem action" in body
        assert any(refusal["room"] == "iam.policy" for refusal in refusals)


def test_a_nat_gateway_passes_and_is_no_endpoint(serve: Any) -> None:
    with serve(Way="nat") as stack:
        assert _ask(stack, "put")[0] == 200
        status, body, _ = _ask(stack, "get")  # denied where aws:SourceVpce is missing
        assert status == 403
        assert "explicit deny" in body
