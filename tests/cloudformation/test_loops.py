"""Fn::ForEach: loops over resources, properties and outputs, nested ones as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trine.cloudformation.faults import Fault
from trine.cloudformation.template import Template

HEAD = "Transform: AWS::LanguageExtensions\nParameters: {Names: {Type: CommaDelimitedList, Default: 'Users,Orders'}}\n"
TABLES = """
Resources:
  Fn::ForEach::Tables:
    - Name
    - !Ref Names
    - ${Name}Table:
        Type: AWS::DynamoDB::Table
        Properties:
          TableName: !Sub "${AWS::StackName}-${Name}"
          BillingMode: PAY_PER_REQUEST
          AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
          KeySchema: [{AttributeName: id, KeyType: HASH}]
          Tags: [{Key: name, Value: !Ref Name}]
Outputs:
  Fn::ForEach::Arns:
    - Name
    - [Users, Orders]
    - ${Name}Arn: {Value: !GetAtt [!Sub "${Name}Table", Arn]}
"""


def test_resources_and_outputs(load: Callable[..., Template]) -> None:
    template = load(HEAD + TABLES)
    assert [each.physical_id for each in template.of_type("AWS::DynamoDB::Table")] == ["app-Users", "app-Orders"]
    table = template.resources["OrdersTable"]
    assert table.properties["Tags"] == [{"Key": "name", "Value": "Orders"}]
    assert table.location_of("BillingMode").line == 12
    assert template.outputs["OrdersArn"].value == table.attributes["Arn"]


def test_an_override_of_the_collection(load: Callable[..., Template]) -> None:
    text = HEAD + TABLES.partition("Outputs:")[0]
    assert list(load(text, Names="A,B,C").resources) == ["ATable", "BTable", "CTable"]


def test_loops_in_loops_and_in_properties(load: Callable[..., Template]) -> None:
    template = load(
        HEAD
        + """
Resources:
  Fn::ForEach::Outer:
    - A
    - [x, "y.z"]
    - Fn::ForEach::Inner:
        - B
        - ["1", "2"]
        - Topic&{A}${B}:
            Type: AWS::SNS::Topic
            Properties:
              Fn::ForEach::Names: [P, [DisplayName], {"${P}": "${A}${B}"}]
"""
    )
    assert {name: each.properties["DisplayName"] for name, each in template.resources.items()} == {
        "Topicx1": "x1",
        "Topicx2": "x2",
        "Topicyz1": "y.z1",
        "Topicyz2": "y.z2",
    }


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        ("[A, [x], 5]", "takes an identifier"),
        ("[A, 5, {'T${A}': {Type: AWS::SNS::Topic}}]", "the collection of Fn::ForEach"),
        ("[A, [x, y], {T: {Type: AWS::SNS::Topic}}]", "makes T more than once"),
    ],
)
def test_faults(faults: Callable[..., list[Fault]], loop: str, words: str) -> None:
    found = faults(f"{HEAD}Resources:\n  Fn::ForEach::L: {loop}\n")
    if words.startswith("makes"):
        assert any("makes T more than once" in fault.message or "makes" in fault.message for fault in found)
    assert any(words in fault.message for fault in found), found
