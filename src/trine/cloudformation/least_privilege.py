"""The smallest policies in the template's own words: policy templates of SAM where they match, else statements.

Enters statements with exact actions and ARNs (`iam.advice`) and the template they belong to; leaves entries for a
function's `Policies`, as lines of YAML. ARNs of the template's resources become `!GetAtt`, those of indexes `!Sub`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trine.cloudformation.template import Template

Statement = Mapping[str, Any]

_POLICY_TEMPLATES: Mapping[str, tuple[str, str, frozenset[str], tuple[str, ...]]] = {
    "DynamoDBReadPolicy": (
        "TableName",
        "AWS::DynamoDB::Table",
        frozenset({"dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:BatchGetItem",
                   "dynamodb:DescribeTable"}),
        ("", "/index/*"),
    ),
    "DynamoDBWritePolicy": (
        "TableName",
        "AWS::DynamoDB::Table",
        frozenset({"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"}),
        ("", "/index/*"),
    ),
    "DynamoDBCrudPolicy": (
        "TableName",
        "AWS::DynamoDB::Table",
        frozenset({"dynamodb:GetItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:Query",
                   "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:BatchGetItem", "dynamodb:DescribeTable",
                   "dynamodb:ConditionCheckItem"}),
        ("", "/index/*"),
    ),
    "DynamoDBReconfigurePolicy": (
        "TableName", "AWS::DynamoDB::Table", frozenset({"dynamodb:UpdateTable"}), ("",)
    ),
    "LambdaInvokePolicy": (
        "FunctionName", "AWS::Lambda::Function", frozenset({"lambda:InvokeFunction"}), ("", "*")
    ),
    "SNSPublishMessagePolicy": ("TopicName", "AWS::SNS::Topic", frozenset({"sns:Publish"}), ("",)),
    "SQSSendMessagePolicy": ("QueueName", "AWS::SQS::Queue", frozenset({"sqs:SendMessage"}), ("",)),
}  # fmt: skip
"""SAM policy template → parameter, resource type, the actions it allows, the endings of ARNs it covers.

Source: "AWS SAM policy template list". One is proposed only when every action it allows was seen.
"""
_BY_NAME = {"TopicName": "TopicName", "QueueName": "QueueName"}
"""Parameters that take a name, which `Ref` does not give for these types: `!GetAtt X.TopicName`."""


def entries(template: Template, statements: Sequence[Statement]) -> list[list[str]]:
    """Entries for `Policies`: each a list of YAML lines, the first of which begins with `- `."""
    made: list[list[str]] = []
    rest: list[Statement] = []
    for statement in statements:
        matched = _policy_template(template, statement)
        if matched is None:
            rest.append(statement)
        else:
            made.append(matched)
    if rest:
        made.append(["- Statement:", *(f"    {line}" for one in rest for line in statement_lines(template, one))])
    return made


def _policy_template(template: Template, statement: Statement) -> list[str] | None:
    if "Condition" in statement:
        return None
    actions, resources = frozenset(_listed(statement["Action"])), _listed(statement["Resource"])
    for name, (parameter, kind, allowed, endings) in _POLICY_TEMPLATES.items():
        if actions != allowed:
            continue
        for resource in template.of_type(kind):
            arn = resource.physical_id if kind == "AWS::SNS::Topic" else str(resource.attributes.get("Arn"))
            if all(_covered(one, arn, endings) for one in resources):
                own = resource.logical_id
                value = f"!GetAtt {own}.{_BY_NAME[parameter]}" if parameter in _BY_NAME else f"!Ref {own}"
                return [f"- {name}:", f"    {parameter}: {value}"]
    return None


def _covered(arn: str, base: str, endings: Iterable[str]) -> bool:
    return any(
        arn == base + ending if not ending.endswith("*") else arn.startswith(base + ending[:-1]) for ending in endings
    )


def statement_lines(template: Template, statement: Statement) -> list[str]:
    """One statement as an item of a YAML list."""
    lines = [f"- Effect: {statement['Effect']}"]
    for name in ("Action", "Resource"):
        values = _listed(statement[name])
        shown = [expression(template, value) if name == "Resource" else value for value in values]
        if len(shown) == 1:
            lines.append(f"  {name}: {shown[0]}")
        else:
            lines += [f"  {name}:", *(f"    - {one}" for one in shown)]
    if "Condition" in statement:
        lines.append("  Condition:")
        for operator, keys in statement["Condition"].items():
            lines.append(f"    {operator}:")
            for key, values in keys.items():
                lines += [f"      {key}:", *(f"        - {json.dumps(value)}" for value in _listed(values))]
    return lines


def expression(template: Template, arn: str) -> str:
    """An ARN as the template would write it."""
    known = _arns(template)
    if arn in known:
        logical_id, attribute = known[arn]
        return f"!Ref {logical_id}" if attribute == "" else f"!GetAtt {logical_id}.{attribute}"
    for base, (logical_id, attribute) in known.items():
        if attribute == "Arn" and arn.startswith((f"{base}/", f"{base}:")):
            return f"!Sub ${{{logical_id}.Arn}}{arn[len(base) :]}"
    place = template.place
    general = arn.replace(f":{place.account_id}:", ":${AWS::AccountId}:").replace(
        f":{place.region}:", ":${AWS::Region}:"
    )
    general = general.replace(f"arn:{place.partition}:", "arn:${AWS::Partition}:", 1)
    return f"!Sub {general}" if "${" in general else json.dumps(arn)


def _arns(template: Template) -> dict[str, tuple[str, str]]:
    """ARN → logical id and attribute (empty: Ref) of every resource of the template itself."""
    known: dict[str, tuple[str, str]] = {}
    for logical_id, resource in template.resources.items():
        if "." in logical_id or resource.source_id != logical_id:
            # Of nested stacks the parent sees outputs only; what SAM made of something else has no name in the text,
            # but for functions and the like, which keep their own.
            continue
        if resource.physical_id.startswith("arn:"):
            known[resource.physical_id] = (logical_id, "")
        for attribute, value in resource.attributes.items():
            if attribute.endswith("Arn") and isinstance(value, str):
                known.setdefault(value, (logical_id, attribute))
    return known


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value]
