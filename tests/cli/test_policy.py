"""`trine policy`: from recorded calls to a template whose roles may do just that."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any

from tests.cli.conftest import StartUp, trine
from trine.cli.policy import load_of_stack
from trine.stack.run_file import RunFile


def post_user(url: str, name: str) -> None:
    body = f'{{"id": "{name}", "name": "{name}", "email": "{name}@example.com"}}'.encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/users", body, method="POST"), timeout=20) as answer:
        assert answer.status == 201


def read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        found: bytes = answer.read()
        return found


def test_the_template_is_read_with_the_parameters_of_its_stack(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\nParameters: {Who: {Type: String}}\n"
        "Resources: {T: {Type: AWS::Serverless::SimpleTable, Properties: {TableName: !Ref Who}}}\n"
    )
    address = "http://127.0.0.1:1"
    given = RunFile(
        1, str(tmp_path / "template.yaml"), *[address] * 3, "us-east-1", "123456789012", "AKIA", "secret",
        parameters={"Who": "ada"},
    )  # fmt: skip
    assert load_of_stack(tmp_path / "template.yaml", given).resources["T"].name == "ada"


def test_recorded_calls_become_a_change_of_the_template(up: StartUp, project: Path) -> None:
    running: Any = up()
    unknown = trine("policy", "Nope", cwd=project)
    assert (unknown.returncode, "it has: CreateProfile, " in unknown.stderr) == (1, True)
    post_user(running.url, "ada")
    assert b"ada" in read(f"{running.url}/users/ada")
    shown = trine("policy", "--state", running.state)
    assert shown.returncode == 0, shown.stderr
    assert "  unused   dynamodb:Scan, dynamodb:Query, dynamodb:BatchGetItem, dynamodb:DescribeTable" in shown.stdout
    assert "-        - DynamoDBReadPolicy:\n-            TableName: !Ref ProfilesTable\n" in shown.stdout
    assert "+              Action: dynamodb:GetItem\n+              Resource: !GetAtt ProfilesTable.Arn" in shown.stdout
    assert shown.stdout.count("no call was recorded") == 4
    assert trine("policy", "CreateProfile", "--check", "--state", running.state).returncode == 0
    assert trine("policy", "GetProfile", "--check", "--state", running.state).returncode == 1
    assert trine("policy", "Nobody", "--state", running.state).returncode == 1
    assert running.stop() == 0

    again: Any = up()
    written = trine("policy", "--write", "--state", again.state)
    assert "template.yaml was changed" in written.stdout, "calls are remembered over a restart"
    assert again.stop() == 0
    assert "DynamoDBReadPolicy" in (project / "template.yaml").read_text(), "PublicProfile was not called: it stays"

    last: Any = up()
    assert b"ada" in read(f"{last.url}/users/ada"), "what was written is enough"
    checked = trine("policy", "--check", "--state", last.state)
    assert checked.returncode == 0, checked.stdout
    assert "as small as the recorded calls allow" in checked.stdout
