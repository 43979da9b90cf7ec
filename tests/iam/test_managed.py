"""AWS managed policies that Trine ships, against the copy of all of them that moto draws from AWS's API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

import trine.iam
from trine.iam.policy import parse_policy

FILES = sorted((Path(trine.iam.__file__).parent / "managed").glob("*.json"))
AWS: dict[str, Any] = json.loads(aws_managed_policies_data)
IN_PART = {"ReadOnlyAccess"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_is_awss_own(file: Path) -> None:
    ours, theirs = json.loads(file.read_text()), AWS[file.stem]
    assert ours["Arn"] == f"arn:aws:iam::aws:policy{theirs['Path']}{file.stem}"
    assert int(ours["VersionId"][1:]) >= int(theirs["DefaultVersionId"][1:])
    parse_policy(ours["Document"], "identity", file.stem)
    if file.stem not in IN_PART:
        assert ours["VersionId"] != theirs["DefaultVersionId"] or ours["Document"] == theirs["Document"]
        return
    assert "here:" in ours["Description"], "what is in part says so"
    actions = {action for statement in theirs["Document"]["Statement"] for action in statement["Action"]}
    for statement in ours["Document"]["Statement"]:
        assert set(statement["Action"]) <= actions


def test_those_that_templates_of_the_pattern_name_are_there() -> None:
    named = {"AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AmazonDynamoDBFullAccess",
             "CloudWatchLogsFullAccess", "AmazonS3FullAccess", "AWSLambda_FullAccess", "IAMFullAccess"}  # fmt: skip
    assert named <= {file.stem for file in FILES}
