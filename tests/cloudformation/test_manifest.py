"""The manifest: every written property has a row, with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trine.aws.fidelity import Fidelity
from trine.cloudformation.manifest import UNSUPPORTED_TYPE, manifest
from trine.cloudformation.template import Template

TEXT = (Path(__file__).parent / "templates" / "rest.yaml").read_text().splitlines()
TABLE = {
    "AWS::DynamoDB::Table": {
        "KeySchema": Fidelity.ENFORCED,
        "AttributeDefinitions": Fidelity.ENFORCED,
        "GlobalSecondaryIndexes": Fidelity.ENFORCED,
        "GlobalSecondaryIndexes.Projection.ProjectionType": Fidelity.STORED,
        "BillingMode": Fidelity.STORED,
    },
    "AWS::Lambda::Function": {"Timeout": Fidelity.ENFORCED},
}


def test_rows_are_as_deep_as_the_table_distinguishes(template: Callable[[str], Template]) -> None:
    rows = [row for row in manifest(template("rest.yaml"), TABLE) if row.logical_id == "Orders"]
    assert [(row.path, row.fidelity.value) for row in rows] == [
        ("BillingMode", "stored"),
        ("AttributeDefinitions", "enforced"),
        ("KeySchema", "enforced"),
        ("GlobalSecondaryIndexes.IndexName", "enforced"),
        ("GlobalSecondaryIndexes.KeySchema", "enforced"),
        ("GlobalSecondaryIndexes.Projection.ProjectionType", "stored"),
        ("StreamSpecification", "ignored"),
    ]
    assert TEXT[rows[0].line - 1].strip() == "BillingMode: PAY_PER_REQUEST"


def test_lines_lead_to_globals(template: Callable[[str], Template]) -> None:
    rows = [row for row in manifest(template("rest.yaml"), TABLE) if row.logical_id == "GetOrder"]
    (timeout,) = [row for row in rows if row.path == "Timeout"]
    assert TEXT[timeout.line - 1].strip() == "Timeout: !Ref Seconds"
    assert {row.path: row.fidelity.value for row in rows}["Handler"] == "ignored"


def test_remarks_say_why(template: Callable[[str], Template]) -> None:
    remarks = {"AWS::DynamoDB::Table": {"BillingMode": "because", "KeySchema.Other": "never seen"}}
    rows = [row for row in manifest(template("rest.yaml"), TABLE, remarks) if row.logical_id == "Orders"]
    assert [(row.path, row.remark) for row in rows if row.remark] == [("BillingMode", "because")]


def test_types_without_a_table_are_unsupported(template: Callable[[str], Template]) -> None:
    rows = manifest(template("plain.json"), TABLE)
    odd = [row for row in rows if row.logical_id == "Odd"]
    assert [(row.path, row.remark) for row in odd] == [("", UNSUPPORTED_TYPE)]


def test_placeholders_are_marked(load: Callable[..., Template]) -> None:
    text = """
Resources:
  Odd: {Type: AWS::Lightsail::Bucket}
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt Odd.Url}}
"""
    rows = manifest(load(text), {"AWS::SNS::Topic": {}})
    assert "Odd.Url is a placeholder" in [row.remark for row in rows if row.logical_id == "Topic"][-1]
