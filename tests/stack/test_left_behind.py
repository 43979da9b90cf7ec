"""A table that the template no longer names keeps its items, and the next start says what AWS would do with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from trine.stack.left_behind import MADE_FILE
from trine.stack.state import StateFault
from trine.testing import running

HEAD = "Resources:\n"
TABLE = """
  {logical_id}:
    Type: AWS::DynamoDB::Table
    {policy}
    Properties:
      TableName: {name}
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
      KeySchema: [{{AttributeName: id, KeyType: HASH}}]
      DeletionProtectionEnabled: {protected}
"""
KEPT = TABLE.format(logical_id="Users", policy="", name="users", protected="false")


def problems(template: str, directory: Path) -> list[str]:
    """What a start with `template` tells people, on the state that lies in `directory`."""
    (directory / "template.yaml").write_text(HEAD + template)
    with running(directory, state_directory=directory / "state", memory=False) as stack:
        return [str(line) for line in stack.description["problems"] if "no longer in the template" in str(line)]


@pytest.mark.parametrize(
    ("policy", "protected", "fate"),
    [
        ("", "false", "AWS would delete it with its items"),
        ("DeletionPolicy: Retain", "false", "AWS would keep it too (DeletionPolicy: Retain)"),
        ("", "true", "on AWS it would stay too, protected from deletion"),
    ],
)
def test_a_table_left_behind_is_told_at_every_start(tmp_path: Path, policy: str, protected: str, fate: str) -> None:
    dropped = TABLE.format(logical_id="Other", policy=policy, name="other", protected=protected)
    assert problems(KEPT + dropped, tmp_path) == []
    for _ in range(2):
        (told,) = problems(KEPT, tmp_path)
        assert "table other (Other)" in told
        assert fate in told
    assert problems(KEPT + dropped, tmp_path) == []


def test_once_it_is_deleted_nothing_is_told(tmp_path: Path) -> None:
    problems(KEPT + TABLE.format(logical_id="Other", policy="", name="other", protected="false"), tmp_path)
    (tmp_path / "template.yaml").write_text(HEAD + KEPT)
    with running(tmp_path, state_directory=tmp_path / "state", memory=False) as stack:
        stack.client("dynamodb").delete_table(TableName="other")
    assert problems(KEPT, tmp_path) == []


def test_tables_made_by_calls_are_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(HEAD + KEPT)
    with running(tmp_path, state_directory=tmp_path / "state", memory=False) as stack:
        stack.client("dynamodb").create_table(
            TableName="by-hand",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
    assert problems(KEPT, tmp_path) == []


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    problems(KEPT, tmp_path)
    (tmp_path / "state" / MADE_FILE).write_text("{")
    with pytest.raises(StateFault, match=MADE_FILE):
        problems(KEPT, tmp_path)
