"""Checks that AWS makes at deployment, with the place of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trine.cloudformation.faults import Fault
from trine.cloudformation.template import Template

HEAD = """
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Role: arn:aws:iam::123456789012:role/r
      Runtime: python3.12
"""


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("Code: {ZipFile: x}\n      Handler: index.h\n      Timeout: 0", "Timeout of F is 0"),
        ("Code: {ZipFile: x}\n      Handler: index.h\n      Timeout: soon", "not a whole number"),
        ("Code: {ZipFile: x}\n      Handler: index.h\n      MemorySize: 20000", "MemorySize of F is 20000"),
        ("Code: .\n      Handler: app", "must be file.function"),
        ("Code: nowhere\n      Handler: app.handler", "does not exist"),
        ("Code: {ZipFile: x}\n      Handler: index.h\n      Layers: [a, b, c, d, e, f]", "6 layers"),
        (
            "InlineCode: x\n      Handler: index.h\n      Environment: {Variables: {A: " + "x" * 5000 + "}}",
            "5,001 bytes",
        ),
        ("Code: {ZipFile: x}\n      Handler: index.h\n      Environment: {Variables: {A: [1]}}", "must be text"),
    ],
)
def test_functions(faults: Callable[..., list[Fault]], lines: str, words: str) -> None:
    found = faults(f"{HEAD}      {lines}\n")
    assert [fault for fault in found if words in fault.message], found
    assert all(fault.line > 3 for fault in found)


def test_a_handler_without_its_file_is_a_warning_as_aws_deploys_it(load: Callable[..., Template]) -> None:
    template = load(f"{HEAD}      Code: .\n      Handler: missing.handler\n")
    (note,) = [note for note in template.notes if "there is no missing.py" in note.message]
    assert (note.level, note.line > 3) == ("warning", True)


def test_handlers_in_packages_and_other_languages(load: Callable[..., Template], tmp_path: Path) -> None:
    (tmp_path / "pkg" / "sub").mkdir(parents=True)
    (tmp_path / "pkg" / "sub" / "mod.py").touch()
    (tmp_path / "index.mjs").touch()
    text = """
Transform: AWS::Serverless-2016-10-31
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, CodeUri: ., Handler: pkg.sub.mod.f}}
  B: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, CodeUri: ., Handler: pkg/sub/mod.f}}
  C: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, CodeUri: ., Handler: index.handler}}
  D: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, CodeUri: ., Handler: bootstrap}}
"""
    assert len(load(text).of_type("AWS::Lambda::Function")) == 4


def test_code_that_a_build_makes_is_told_to_be_built(faults: Callable[..., list[Fault]]) -> None:
    text = """
Transform: AWS::Serverless-2016-10-31
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {Runtime: java21, CodeUri: target/a.jar, Handler: a.B::c}}
  B: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, CodeUri: target/b, Handler: bootstrap}}
  C: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, CodeUri: gone, Handler: app.handler}}
"""
    found = [(fault.level, fault.line, fault.hint) for fault in faults(text) if fault.rule == "template/file"]
    build = "build it first (sam build)"
    assert found == [("error", 4, build), ("error", 5, build), ("error", 6, "paths start at the template's folder")]


def test_what_would_be_looked_up_is_told(load: Callable[..., Template]) -> None:
    text = """
Resources:
  A:
    Type: AWS::SQS::Queue
    Properties:
      Tags:
        - {Key: namespace, Value: !Sub "{{resolve:ssm:/uni-prop/${AWS::StackName}:1}}"}
        - {Key: another, Value: "{{resolve:secretsmanager:x}}"}
  B: {Type: AWS::SQS::Queue, Properties: {QueueName: plain}}
"""
    notes = load(text).notes
    assert [(note.level, note.rule, note.line) for note in notes] == [("warning", "template/dynamic-reference", 7)]
    assert "{{resolve:ssm:/uni-prop/app:1}}" in notes[0].message


def test_tables(faults: Callable[..., list[Fault]]) -> None:
    text = """
Resources:
  A: {Type: AWS::DynamoDB::Table, Properties: {BillingMode: PAY_PER_REQUEST}}
  B:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: extra, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - {IndexName: i, KeySchema: [{AttributeName: other, KeyType: HASH}], Projection: {ProjectionType: ALL}}
"""
    found = {(fault.line, fault.rule) for fault in faults(text)}
    assert found == {
        (3, "dynamodb/key-schema"),
        (4, "dynamodb/billing"),
        (7, "dynamodb/attribute-definitions"),
        (10, "dynamodb/attribute-definitions"),
    }


def test_the_stream_of_a_table_that_has_none(faults: Callable[..., list[Fault]]) -> None:
    text = """
Resources:
  A:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
Outputs:
  Stream: {Value: !GetAtt A.StreamArn}
"""
    assert [(fault.line, fault.message) for fault in faults(text)] == [
        (10, "A has no stream, so it has no StreamArn"),
    ]


def test_quotas(faults: Callable[..., list[Fault]]) -> None:
    text = "Resources:\n" + "".join(f"  R{number}: {{Type: AWS::SNS::Topic}}\n" for number in range(501))
    assert "501 resources" in faults(text)[0].message
