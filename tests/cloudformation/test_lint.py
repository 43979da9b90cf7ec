"""`validate`: cfn-lint's faults beside our own, each with file, line, column and hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from trine.cloudformation.lint import validate

TEMPLATES = Path(__file__).parent / "templates"


@pytest.mark.parametrize("name", ["rest.yaml", "http.yaml"])
def test_sound_templates_have_no_errors(name: str) -> None:
    assert [str(fault) for fault in validate(TEMPLATES / name) if fault.level == "error"] == []


def test_every_fault_has_its_place(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text("""
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_SOMETIMES
      Tabelname: x
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Ref Nobody}
""")
    faults = validate(file)
    found = {(fault.line, fault.rule) for fault in faults}
    assert {(6, "E3030"), (7, "E3002"), (12, "template/reference")} <= found
    assert all(fault.file == str(file) and fault.line and fault.column for fault in faults)
    assert all(fault.hint for fault in faults if fault.rule.startswith("E"))


def test_what_cannot_be_parsed_is_said_once(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text("Resources:\n  A: [1\n  B: 2\n")
    assert [fault.rule for fault in validate(file)] == ["template/yaml"]


def test_duplicates_stop_validation_though_not_the_start(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text("Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Type: AWS::SNS::Topic\n")
    assert {(fault.level, fault.rule) for fault in validate(file)} >= {
        ("warning", "template/duplicate-key"),
        ("error", "E0000"),
    }


def test_parameters_need_no_values_to_be_sound(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(
        "Parameters: {Name: {Type: String}}\n"
        "Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Name}}}\n"
    )
    assert validate(file) == []


def test_a_missing_file(tmp_path: Path) -> None:
    assert [fault.rule for fault in validate(tmp_path / "no.yaml")] == ["template/file"]
