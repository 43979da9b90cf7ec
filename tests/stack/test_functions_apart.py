"""Function against function: what an attacker's code can do to its neighbour with everything that it has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Attacker:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: attacker
      Runtime: python3.11
      Handler: index.handler
      Timeout: 20
      CodeUri: src
      Policies:
        - Statement: [{Effect: Allow, Action: 'lambda:UpdateFunctionConfiguration', Resource: '*'}]
  Victim:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: victim
      Runtime: python3.11
      Handler: index.victim
      CodeUri: src
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Things}}]
  People: {Type: AWS::Cognito::UserPool, Properties: {}}
Outputs:
  Table: {Value: !Ref Things}
  VictimRole: {Value: !GetAtt VictimRole.Arn}
"""
CODE = """
import glob, os, sys
import boto3
def victim(event, context):
    with open("/tmp/of-the-victim", "w") as file:
        file.write(os.environ["AWS_SECRET_ACCESS_KEY"])
    return dict(os.environ)
def handler(event, context):
    if "service" in event:
        client = boto3.client(event["service"], **event.get("as", {}))
        try:
            getattr(client, event["operation"])(**event["input"])
        except client.exceptions.ClientError as error:
            return error.response["Error"]
        return {"Code": "it worked"}
    found = {}
    for path in glob.glob("/proc/[0-9]*/environ") + event["files"] + glob.glob("/tmp/*"):
        try:
            with open(path, "rb") as file:
                found[path] = file.read(100_000).decode("latin-1")
        except OSError:
            pass
    return found
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder: Path = tmp_path_factory.mktemp("apart")
    (folder / "src").mkdir()
    (folder / "src" / "index.py").write_text(CODE)
    (folder / "template.yaml").write_text(TEMPLATE)
    with running(folder, memory=False, state_directory=folder / "state") as started:
        yield started


def ask(stack: RunningStack, function: str, event: Any) -> Any:
    answer = stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("dynamodb", "get_item", {"TableName": "{Table}", "Key": {"pk": {"S": "x"}}}),
        ("dynamodb", "execute_statement", {"Statement": 'SELECT * FROM "{Table}"'}),
        ("lambda", "invoke", {"FunctionName": "victim"}),
        ("lambda", "invoke", {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:victim"}),
        ("lambda", "get_function", {"FunctionName": "victim"}),
        ("lambda", "add_permission", {"FunctionName": "victim", "StatementId": "s", "Action": "lambda:InvokeFunction",
                                      "Principal": "*"}),
        ("lambda", "update_function_configuration", {"FunctionName": "attacker", "Role": "{VictimRole}"}),
        ("sts", "assume_role", {"RoleArn": "{VictimRole}", "RoleSessionName": "me"}),
        ("iam", "create_access_key", {"UserName": "owner"}),
        ("logs", "filter_log_events", {"logGroupName": "/aws/lambda/victim"}),
        ("cognito-idp", "list_user_pools", {"MaxResults": 1}),
    ],
)  # fmt: skip
def test_a_function_can_do_nothing_that_its_role_does_not_allow(
    stack: RunningStack, service: str, operation: str, given: dict[str, Any]
) -> None:
    outputs = {one["name"]: one["value"] for one in stack.description["outputs"]}
    filled = {name: value.format(**outputs) if isinstance(value, str) else value for name, value in given.items()}
    refused = ask(stack, "attacker", {"service": service, "operation": operation, "input": filled})
    assert refused["Code"] in ("AccessDeniedException", "AccessDenied"), refused
    if operation == "update_function_configuration":
        assert "iam:PassRole" in refused["Message"], "no function takes the role of another"


def test_credentials_of_a_neighbour_are_not_to_be_had(stack: RunningStack) -> None:
    victim = ask(stack, "victim", {})
    state = stack.stack.settings.state_directory
    assert state is not None
    files = [str(path) for path in state.rglob("*") if path.is_file()]
    assert any(path.endswith("cognito.key") for path in files)
    own = ask(stack, "attacker", {"files": files})
    secret, token = victim["AWS_SECRET_ACCESS_KEY"], victim["AWS_SESSION_TOKEN"]
    owner = stack.stack.wings.access.owner_credentials().secret_access_key
    layers = stack.stack.wings.functions.machinery.interpreters.own.layers
    assert layers.namespaces or layers.landlock, "nothing keeps functions apart on this machine"
    for path, content in own.items():
        for wanted in (secret, token, owner):
            assert wanted not in content, path
    assert not set(files) & set(own), "no file of the state is readable"


def test_credentials_that_were_taken_all_the_same_end_with_the_role(stack: RunningStack) -> None:
    victim = ask(stack, "victim", {})
    taken = {"aws_access_key_id": victim["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": victim["AWS_SECRET_ACCESS_KEY"],
             "aws_session_token": victim["AWS_SESSION_TOKEN"]}  # fmt: skip
    outputs = {one["name"]: one["value"] for one in stack.description["outputs"]}
    read = {"service": "dynamodb", "operation": "get_item", "as": taken,
            "input": {"TableName": outputs["Table"], "Key": {"pk": {"S": "x"}}}}  # fmt: skip
    assert ask(stack, "attacker", read)["Code"] == "it worked"
    mine = {name: value for name, value in taken.items() if name != "aws_session_token"}
    assert ask(stack, "attacker", {**read, "as": mine})["Code"] == "UnrecognizedClientException"
    stack.call(lambda: stack.stack.wings.access.credentials.revoke(
        next(one for one in stack.stack.wings.access.credentials.sessions()
             if one.access_key_id == taken["aws_access_key_id"])
    ))  # fmt: skip
    assert ask(stack, "attacker", read)["Code"] == "UnrecognizedClientException"
