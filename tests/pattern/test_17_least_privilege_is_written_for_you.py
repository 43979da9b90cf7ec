"""Claim 17: exactly the actions, on exactly the table: what is too wide is pointed out, the least is written down."""

from __future__ import annotations

from typing import Any

from tests.pattern.conftest import Application, http
from trine.cloudformation.advice import advise
from trine.cloudformation.least_privilege import entries
from trine.cloudformation.policy_edit import with_policies
from trine.cloudformation.template import load_template
from trine.cloudformation.written_policies import needed_statements, stays
from trine.iam.rights import rights_of
from trine.testing import RunningStack, running

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
            - Effect: Allow
              Action: dynamodb:*
              Resource: "*"
      Events: {Any: {Type: Api, Properties: {Path: /, Method: any}}}
"""
READER = """
import json, os, boto3
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
def handler(event, context):
    if event["httpMethod"] == "DELETE":
        table.delete_item(Key={"id": "1"})
    return {"statusCode": 200, "body": json.dumps(table.get_item(Key={"id": "1"}).get("Item"))}
"""


def _rights(stack: RunningStack) -> Any:
    role = stack.description["functions"][0]["role"]
    every = stack.call(lambda: rights_of(stack.stack.wings.access, {"dynamodb"}))
    return next(one for one in every if one.arn == role).as_document()


def test_from_everything_on_everything_to_one_action_on_one_table(application: Application) -> None:
    path = application.write(TEMPLATE, reader=READER)
    pointed_out = {finding.rule for finding in advise(load_template(path))}
    assert {"policy/any-action", "policy/any-resource"} <= pointed_out

    with running(path) as stack:
        assert http("GET", stack.url).status == 200
        rights = _rights(stack)
        table = stack.description["tables"][0]["arn"]
        assert [(use["action"], use["resource"]) for use in rights["uses"]] == [("dynamodb:GetItem", table)]
        assert {wide["pattern"] for wide in rights["tooWide"]} == {"dynamodb:*", "*"}
        template = stack.stack.template

    # What `trine policy --write` does: the function's policies, and nothing else, are replaced in the text.
    (function,) = template.of_type("AWS::Lambda::Function")
    least = entries(template, needed_statements(template, function, rights, {"dynamodb"}))
    written = with_policies(
        path.read_text().splitlines(), function.location.line - 1, least,
        lambda number: stays(template, function, number, {"dynamodb"}),
    )  # fmt: skip
    assert written is not None
    path.write_text("\n".join(written))
    assert "Action: dynamodb:GetItem\n              Resource: !GetAtt Profiles.Arn" in path.read_text()
    assert not {"policy/any-action", "policy/any-resource"} & {finding.rule for finding in advise(load_template(path))}

    with running(path) as stack:
        assert http("GET", stack.url).status == 200, "what was used still works"
        assert http("DELETE", stack.url).status == 502, "and what was not used is refused"
        assert [one["action"] for one in _rights(stack)["missing"]] == ["dynamodb:DeleteItem"]
