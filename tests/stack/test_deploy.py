"""The template's identities are made in an order that works, and what a wing refuses has its place in the text."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.pattern.conftest import http
from trine.cloudformation.faults import TemplateFaults
from trine.testing import running

IDENTITIES = """
Resources:
  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: shared
      Groups: [!Ref Readers]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: dynamodb:GetItem, Resource: "*"}]}
  Reader:
    Type: AWS::IAM::Role
    Properties:
      RoleName: reader
      ManagedPolicyArns: [!Ref Shared]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Readers: {Type: AWS::IAM::Group, Properties: {GroupName: readers}}
  More:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: more
      Roles: [!Ref Reader]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: dynamodb:Query, Resource: "*"}]}
"""

STREAM = """
Resources:
  Events:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: events
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
"""


def test_identities_that_name_each_other_are_made(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(IDENTITIES)
    with running(tmp_path) as stack:
        iam = stack.client("iam")
        attached = iam.list_attached_role_policies(RoleName="reader")["AttachedPolicies"]
        assert [policy["PolicyName"] for policy in attached] == ["shared"]
        assert iam.list_role_policies(RoleName="reader")["PolicyNames"] == ["more"]
        assert iam.list_attached_group_policies(GroupName="readers")["AttachedPolicies"] == attached


def test_every_refusal_of_a_wing_is_told_with_its_line(tmp_path: Path) -> None:
    broken = IDENTITIES.replace("dynamodb:GetItem", "no-colon").replace(
        "Effect: Allow, Action: dynamodb:Query", "Effect: No"
    )
    (tmp_path / "template.yaml").write_text(broken)
    with pytest.raises(TemplateFaults) as refused, running(tmp_path):
        raise AssertionError("must not start")
    assert all(fault.line > 0 for fault in refused.value.faults)
    assert any("Shared" in fault.hint or "shared" in fault.message for fault in refused.value.faults)


def test_a_policy_of_aws_that_is_not_here_gives_nothing_and_is_told(tmp_path: Path) -> None:
    known = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    arns = f"ManagedPolicyArns: [{known}, 'arn:aws:iam::aws:policy/TranslateReadOnly']"
    role = IDENTITIES.replace("ManagedPolicyArns: [!Ref Shared]", arns)
    assert role != IDENTITIES
    (tmp_path / "template.yaml").write_text(role)
    with running(tmp_path) as stack:
        attached = stack.client("iam").list_attached_role_policies(RoleName="reader")["AttachedPolicies"]
        assert known in [policy["PolicyArn"] for policy in attached]
        notes = [note for note in stack.description["problems"] if "TranslateReadOnly" in note]
        assert len(notes) == 1
        assert "allows nothing" in notes[0]


def test_a_table_with_a_stream_is_made(tmp_path: Path) -> None:
    """CloudFormation's StreamSpecification names a view and no StreamEnabled."""
    (tmp_path / "template.yaml").write_text(STREAM)
    with running(tmp_path) as stack:
        table = stack.client("dynamodb").describe_table(TableName="events")["Table"]
        assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}


def test_the_state_is_for_its_owner_s_eyes(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(IDENTITIES)
    state = tmp_path / "state"
    with running(tmp_path, memory=False, state_directory=state):
        assert stat.S_IMODE(state.stat().st_mode) == 0o700


ALIASED = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Words:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer/, CompatibleRuntimes: [python3.12]}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: hello.handler
      Runtime: python3.12
      AutoPublishAlias: live
      Layers: [!Ref Words]
      Events: {Get: {Type: Api, Properties: {Path: /, Method: get}}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      MinCapacity: 5
      MaxCapacity: 50
      ResourceId: !Sub table/${Table}
      ScalableDimension: dynamodb:table:WriteCapacityUnits
      ServiceNamespace: dynamodb
      RoleARN: !Sub arn:aws:iam::${AWS::AccountId}:role/scaling
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: writes
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 70
        PredefinedMetricSpecification: {PredefinedMetricType: DynamoDBWriteCapacityUtilization}
"""


def test_layers_versions_aliases_and_scaling_are_made(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(ALIASED)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "hello.py").write_text(
        "import words\n"
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'body': words.HELLO + context.function_version}\n"
    )
    (tmp_path / "layer" / "python").mkdir(parents=True)
    (tmp_path / "layer" / "python" / "words.py").write_text("HELLO = 'hello from version '\n")
    with running(tmp_path) as stack:
        assert http("GET", stack.url).body == b"hello from version 1"
        name = stack.description["functions"][0]["name"]
        (alias,) = stack.client("lambda").list_aliases(FunctionName=name)["Aliases"]
        assert (alias["Name"], alias["FunctionVersion"]) == ("live", "1")
        assert stack.description["isolation"]
