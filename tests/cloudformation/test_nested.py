"""Nested stacks in local files: joined to their parent, with its parameters and outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trine.cloudformation.faults import Fault
from trine.cloudformation.manifest import UNSUPPORTED_TYPE, manifest
from trine.cloudformation.template import Template

PARENT = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Storage:
    Type: AWS::Serverless::Application
    Properties: {Location: storage.yaml, Parameters: {Mode: PAY_PER_REQUEST}}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !GetAtt Storage.Outputs.TableName}
"""
CHILD = """
Parameters: {Mode: {Type: String}}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: !Ref Mode
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
Outputs:
  TableName: {Value: !Ref Table}
"""


def test_resources_and_outputs_are_joined(load: Callable[..., Template], tmp_path: Path) -> None:
    (tmp_path / "storage.yaml").write_text(CHILD)
    template = load(PARENT)
    table = template.resources["Storage.Table"]
    assert list(template.resources) == ["Storage", "Storage.Table", "Topic"]
    assert table.properties["BillingMode"] == "PAY_PER_REQUEST"
    assert table.physical_id.startswith("app-Storage-")
    assert template.resources["Topic"].properties["DisplayName"] == table.physical_id
    place = table.location_of("BillingMode")
    assert (Path(place.file).name, place.line) == ("storage.yaml", 7)
    assert [file.name for file in template.files] == ["template.yaml", "storage.yaml"]
    assert template.nested["Storage"].outputs["TableName"].value == table.physical_id


def test_the_manifest_tells_read_stacks_from_remote_ones(load: Callable[..., Template], tmp_path: Path) -> None:
    (tmp_path / "storage.yaml").write_text(CHILD)
    text = (
        PARENT
        + """
  Remote: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: "https://example.org/t.yaml"}}
  Repository:
    Type: AWS::Serverless::Application
    Properties:
      Location: {ApplicationId: "arn:aws:serverlessrepo:us-east-1:1:applications/x", SemanticVersion: 1.0.0}
"""
    )
    rows = {(row.logical_id, row.path): row.remark or row.fidelity.value for row in manifest(load(text), {})}
    assert rows["Storage", "TemplateURL"] == "enforced"
    assert rows["Remote", ""] == rows["Repository", ""] == UNSUPPORTED_TYPE


def test_faults_of_both_come_at_once(faults: Callable[..., list[Fault]], tmp_path: Path) -> None:
    (tmp_path / "storage.yaml").write_text(CHILD.replace("!Ref Mode", "!Ref Mood"))
    found = faults(PARENT.replace("Outputs.TableName", "Outputs.Nothing"))
    assert [(Path(fault.file).name, "'Mood'" in fault.message) for fault in found] == [("storage.yaml", True)]


def test_an_output_that_is_not_there(faults: Callable[..., list[Fault]], tmp_path: Path) -> None:
    (tmp_path / "storage.yaml").write_text(CHILD)
    (fault,) = faults(PARENT.replace("Outputs.TableName", "Outputs.Nothing"))
    assert "no attribute 'Outputs.Nothing'" in fault.message
    assert "Outputs.TableName" in fault.hint


def test_a_template_that_nests_itself_ends(faults: Callable[..., list[Fault]]) -> None:
    text = "Resources: {A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: template.yaml}}}"
    assert "nested deeper than 5" in faults(text)[0].message
