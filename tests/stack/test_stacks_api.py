"""CloudFormation's API about the running stack: what integration tests and the SAM CLI ask before anything else."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Description: what sam init writes
Parameters:
  Stage: {Type: String, Default: dev}
  Secret: {Type: String, Default: hush, NoEcho: true}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: "def handler(event, context): return {'statusCode': 200, 'body': 'hello'}"
      Events: {Get: {Type: Api, Properties: {Path: /hello, Method: get}}}
  Table: {Type: AWS::Serverless::SimpleTable}
  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml}}
Outputs:
  Url:
    Description: where it answers
    Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/hello"
    Export: {Name: !Sub "${AWS::StackName}-url"}
  TableName: {Value: !Ref Table}
  Id: {Value: !Ref AWS::StackId}
"""
INNER = "Resources: {Queue: {Type: AWS::SQS::Queue}}\nOutputs: {Url: {Value: !Ref Queue}}\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "inner.yaml").write_text(INNER)
    with running(folder, stack_name="sam-app") as made:
        yield made


@pytest.fixture
def api(stack: RunningStack) -> Any:
    return stack.client("cloudformation")


def refused(call: Any, **given: Any) -> tuple[str, str]:
    """The code and message of a call that must fail."""
    with pytest.raises(call.__self__.exceptions.ClientError) as told:
        call(**given)
    error = told.value.response["Error"]
    return error["Code"], error["Message"]


def test_outputs_are_reached_here(api: Any) -> None:
    """As the integration test that `sam init` writes: the output's address is called as it is."""
    described = api.describe_stacks(StackName="sam-app")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    with urllib.request.urlopen(outputs["Url"]) as response:
        assert response.read() == b"hello"
    assert outputs["Id"] == described["StackId"]
    assert (described["StackStatus"], described["Description"]) == ("CREATE_COMPLETE", "what sam init writes")
    shown = {one["ParameterKey"]: one["ParameterValue"] for one in described["Parameters"]}
    assert shown == {"Stage": "dev", "Secret": "****"}
    assert api.describe_stacks(StackName=described["StackId"])["Stacks"] == [described]
    assert api.list_exports()["Exports"] == [
        {"ExportingStackId": described["StackId"], "Name": "sam-app-url", "Value": outputs["Url"]}
    ]


def test_resources(api: Any) -> None:
    outputs = {one["OutputKey"]: one["OutputValue"] for one in api.describe_stacks()["Stacks"][0]["Outputs"]}
    listed = api.list_stack_resources(StackName="sam-app")["StackResourceSummaries"]
    found = {one["LogicalResourceId"]: one for one in listed}
    assert {"Hello", "HelloRole", "Table", "ServerlessRestApi", "Inner"} <= set(found)
    assert found["Table"]["PhysicalResourceId"] == outputs["TableName"]
    assert found["Hello"]["ResourceType"] == "AWS::Lambda::Function"
    detail = api.describe_stack_resource(StackName="sam-app", LogicalResourceId="Table")["StackResourceDetail"]
    assert (detail["StackName"], detail["PhysicalResourceId"]) == ("sam-app", outputs["TableName"])
    of_physical = api.describe_stack_resources(PhysicalResourceId=outputs["TableName"])["StackResources"]
    assert {one["LogicalResourceId"] for one in of_physical} == set(found)


def test_nested_stacks_are_stacks(api: Any) -> None:
    whole = {one["StackName"]: one for one in api.list_stacks()["StackSummaries"]}
    nested = next(one for name, one in whole.items() if name != "sam-app")
    assert nested["ParentId"] == nested["RootId"] == whole["sam-app"]["StackId"]
    listed = api.list_stack_resources(StackName=nested["StackName"])["StackResourceSummaries"]
    assert [one["LogicalResourceId"] for one in listed] == ["Queue"]
    assert api.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"] == []


def test_the_template_is_given_as_it_was_written(api: Any) -> None:
    assert "what sam init writes" in json.dumps(api.get_template(StackName="sam-app")["TemplateBody"])
    assert refused(api.get_template, StackName="sam-app", TemplateStage="Processed")[0] == "ValidationError"


def test_what_is_refused(api: Any) -> None:
    gone = ("ValidationError", "Stack with id other does not exist")
    assert refused(api.describe_stacks, StackName="other") == gone
    assert refused(api.list_stack_resources, StackName="other") == gone
    assert refused(api.describe_stack_resource, StackName="sam-app", LogicalResourceId="X") == (
        "ValidationError",
        "Resource X does not exist for stack sam-app",
    )
    assert refused(api.describe_stack_resources, PhysicalResourceId="x") == (
        "ValidationError",
        "Stack for x does not exist",
    )
    assert refused(api.describe_stack_resources)[0] == "ValidationError"
    other = "arn:aws:cloudformation:us-east-1:123456789012:stack/sam-app/0"
    assert refused(api.describe_stacks, StackName=other) == ("ValidationError", f"Stack with id {other} does not exist")
    assert refused(api.delete_stack, StackName="sam-app")[0] == "UnsupportedOperationException"


def test_a_caller_needs_the_right(stack: RunningStack) -> None:
    iam: Any = stack.client("iam")
    user = iam.create_user(UserName="nobody")["User"]["UserName"]
    key = iam.create_access_key(UserName=user)["AccessKey"]
    client = stack.client(
        "cloudformation", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    code, message = refused(client.describe_stacks, StackName="sam-app")
    assert code == "AccessDenied"
    assert "cloudformation:DescribeStacks" in message
    assert "stack/sam-app/*" in message
