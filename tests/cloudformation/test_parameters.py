"""Parameters: values over defaults, each constraint with its fault, secrets never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trine.cloudformation.document import Positions
from trine.cloudformation.faults import Fault
from trine.cloudformation.parameters import Parameter, resolve_parameters
from trine.cloudformation.template import load_template


def resolve(declaration: dict[str, Any], *override: str) -> tuple[Parameter, list[Fault]]:
    overrides = {"P": override[0]} if override else {}
    parameters, faults = resolve_parameters({"P": declaration}, overrides, Positions(["t"]))
    return parameters["P"], faults


@pytest.mark.parametrize(
    ("declaration", "override", "value"),
    [
        ({"Type": "String", "Default": "a"}, (), "a"),
        ({"Type": "String", "Default": "a"}, ("b",), "b"),
        ({"Type": "String", "Default": True}, (), "true"),
        ({"Type": "Number", "Default": 5}, (), "5"),
        ({"Type": "CommaDelimitedList", "Default": "a, b ,c"}, (), ["a", "b", "c"]),
        ({"Type": "CommaDelimitedList", "Default": ""}, (), []),
        ({"Type": "List<Number>", "Default": "1,2"}, (), ["1", "2"]),
        ({"Type": "List<AWS::EC2::Subnet::Id>", "Default": "s-1"}, (), ["s-1"]),
        ({"Type": "AWS::EC2::VPC::Id"}, ("vpc-1",), "vpc-1"),
        ({"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/b"}, ("value",), "value"),
        ({"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "a,b"}, (), ["a", "b"]),
        ({"Type": "String", "Default": "abc", "AllowedPattern": "[a-z]+", "MinLength": 3, "MaxLength": "3"}, (), "abc"),
        ({"Type": "String", "Default": "aB-1", "AllowedPattern": r"[\p{Alpha}\-]+\p{Digit}"}, (), "aB-1"),
        ({"Type": "String", "Default": "né", "AllowedPattern": r"\p{L}+"}, (), "né"),
        ({"Type": "Number", "Default": 3, "MinValue": 1, "MaxValue": 3, "AllowedValues": [1, 3]}, (), "3"),
    ],
)
def test_values(declaration: dict[str, Any], override: tuple[str, ...], value: Any) -> None:
    parameter, faults = resolve(declaration, *override)
    assert parameter.value == value
    assert faults == []


@pytest.mark.parametrize(
    ("declaration", "override", "words"),
    [
        ({"Type": "String"}, (), "has no value"),
        ({"Default": "a"}, (), "has no Type"),
        ({"Type": "String", "Default": "a", "AllowedValues": ["b", "c"]}, (), "not an allowed value"),
        ({"Type": "String", "Default": "a1", "AllowedPattern": "[a-z]+"}, (), "does not match the pattern"),
        ({"Type": "String", "Default": "a", "AllowedPattern": "["}, (), "not a regular expression"),
        ({"Type": "String", "Default": "a", "MinLength": 2}, (), "shorter than 2"),
        ({"Type": "String", "Default": "abc", "MaxLength": 2}, (), "longer than 2"),
        ({"Type": "String", "Default": "x" * 5000}, (), "longer than 4,096 bytes"),
        ({"Type": "Number", "Default": "many"}, (), "is a Number"),
        ({"Type": "Number", "Default": 5, "MaxValue": 4}, (), "at most 4"),
        ({"Type": "Number"}, ("0",), None),
        ({"Type": "Number", "MinValue": 1}, ("0",), "at least 1"),
        ({"Type": "String", "Default": {"Ref": "A"}}, (), "a Default is a literal"),
        ({"Type": "CommaDelimitedList", "Default": "a,z", "AllowedValues": ["a"]}, (), "'z' is not an allowed"),
    ],
)
def test_constraints(declaration: dict[str, Any], override: tuple[str, ...], words: str | None) -> None:
    _, faults = resolve(declaration, *override)
    assert [words in fault.message for fault in faults if words] == ([True] if words else [])


def test_secrets_are_not_shown_even_in_faults() -> None:
    parameter, faults = resolve({"Type": "String", "NoEcho": True, "AllowedPattern": "[a-z]+"}, "s3cr3t")
    assert parameter.shown() == "****"
    assert "s3cr3t" not in faults[0].message


def test_undeclared_names_are_faults_with_the_likely_one() -> None:
    _, faults = resolve_parameters({"Stage": {"Type": "String", "Default": "a"}}, {"Stag": "b"}, Positions(["t"]))
    assert faults[0].hint == "did you mean Stage?"


def test_sam_sees_a_list_parameter_as_a_list(tmp_path: Path) -> None:
    """As CloudFormation hands it to the transform: SAM writes the ranges of a resource policy one by one."""
    file = tmp_path / "template.yaml"
    file.write_text(
        """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Ranges: {Type: CommaDelimitedList, Default: "10.20.30.40, 1.0.0.0/16"}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      DefinitionBody: {swagger: "2.0", info: {title: x}, paths: {/x: {get: {}}}}
      Auth: {ResourcePolicy: {IpRangeBlacklist: !Ref Ranges}}
"""
    )
    policy = load_template(file).resources["Api"].properties["Body"]["x-amazon-apigateway-policy"]
    ranges = [s["Condition"]["IpAddress"]["aws:SourceIp"] for s in policy["Statement"] if "Condition" in s]
    assert ranges == [["10.20.30.40", "1.0.0.0/16"]]
