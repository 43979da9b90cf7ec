"""The smallest policies in the template's own words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import samtranslator

from trine.cloudformation.least_privilege import _POLICY_TEMPLATES, entries, expression
from trine.cloudformation.template import Template, load_template

TEXT = """
Transform: AWS::Serverless-2016-10-31
Resources:
  T: {Type: AWS::Serverless::SimpleTable}
  Q: {Type: AWS::SQS::Queue}
  P: {Type: AWS::SNS::Topic}
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.12, InlineCode: "x = 1"}
"""


@pytest.fixture
def template(tmp_path: Path) -> Template:
    file = tmp_path / "template.yaml"
    file.write_text(TEXT)
    return load_template(file)


def test_arns_are_written_as_the_template_would(template: Template) -> None:
    table = str(template.resources["T"].attributes["Arn"])
    assert expression(template, table) == "!GetAtt T.Arn"
    assert expression(template, f"{table}/index/by-email") == "!Sub ${T.Arn}/index/by-email"
    assert expression(template, str(template.resources["F"].attributes["Arn"]) + ":live") == "!Sub ${F.Arn}:live"
    assert expression(template, template.resources["P"].physical_id) == "!Ref P"
    assert expression(template, "arn:aws:dynamodb:us-east-1:123456789012:table/Other") == (
        "!Sub arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/Other"
    )
    assert expression(template, "*") == '"*"'


def allow(actions: Any, resource: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def test_policy_templates_only_where_every_right_of_theirs_was_used(template: Template) -> None:
    table = str(template.resources["T"].attributes["Arn"])
    write = ["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    assert entries(template, [allow(write, table)]) == [["- DynamoDBWritePolicy:", "    TableName: !Ref T"]]
    assert entries(template, [allow(write[:2], table)]) == [
        ["- Statement:", "    - Effect: Allow", "      Action:", "        - dynamodb:BatchWriteItem",
         "        - dynamodb:PutItem", "      Resource: !GetAtt T.Arn"]
    ]  # fmt: skip
    assert entries(template, [allow("sqs:SendMessage", str(template.resources["Q"].attributes["Arn"]))]) == [
        ["- SQSSendMessagePolicy:", "    QueueName: !GetAtt Q.QueueName"]
    ]
    assert entries(template, [allow("sns:Publish", template.resources["P"].physical_id)]) == [
        ["- SNSPublishMessagePolicy:", "    TopicName: !GetAtt P.TopicName"]
    ]
    assert entries(template, [allow("lambda:InvokeFunction", str(template.resources["F"].attributes["Arn"]))]) == [
        ["- LambdaInvokePolicy:", "    FunctionName: !Ref F"]
    ]
    conditioned = {**allow(write, table), "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["U#*"]}}}
    (entry,) = entries(template, [conditioned])
    assert entry[-3:] == ["        ForAllValues:StringLike:", "          dynamodb:LeadingKeys:", '            - "U#*"']


@pytest.mark.parametrize("name", sorted(_POLICY_TEMPLATES))
def test_policy_templates_are_those_of_the_translator(name: str) -> None:
    """One is proposed for exactly what it allows, so it has to allow what AWS's translator says."""
    data = Path(samtranslator.__file__).parent / "policy_templates_data" / "policy_templates.json"
    theirs = json.loads(data.read_text())["Templates"][name]
    parameter, _, actions, endings = _POLICY_TEMPLATES[name]
    assert list(theirs["Parameters"]) == [parameter]
    (statement,) = theirs["Definition"]["Statement"]
    assert {action.removesuffix("*") for action in statement["Action"]} == actions
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    variable = "${" + parameter[0].lower() + parameter[1:] + "}"
    found = {resource["Fn::Sub"][0].partition(variable)[2] for resource in resources}
    assert found <= set(endings), "what it covers is looked for"
