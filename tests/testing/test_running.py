"""`trine.testing.running`: what the stack offers a test, and that everything ends with the block."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.pattern.conftest import EXAMPLE, http
from trine.clock import ManualClock
from trine.cloudformation.faults import TemplateFaults
from trine.testing import running


def test_clients_of_the_owner_see_the_tables_and_everything_ends() -> None:
    before = set(threading.enumerate())  # stacks of other modules' fixtures may still run in this process
    with running(EXAMPLE) as stack:
        tables = stack.client("dynamodb").list_tables()["TableNames"]
        assert tables == [table["name"] for table in stack.description["tables"]]
        assert stack.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/owner"
        assert stack.explain("unknown") is None
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "trine-stack"]
    with pytest.raises(OSError, match="refused"):
        http("GET", stack.url)


def test_only_a_manual_clock_can_be_moved() -> None:
    with running(EXAMPLE, clock=ManualClock()) as stack:
        before = stack.call(stack.stack.wings.clock.now)
        stack.advance(86_400)
        assert stack.call(stack.stack.wings.clock.now) == before + 86_400
    with running(EXAMPLE) as stack, pytest.raises(AssertionError, match="ManualClock"):
        stack.advance(1)


def test_a_template_with_faults_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: {A: {Type: AWS::DynamoDB::Table, Properties: {}}}")
    with pytest.raises(TemplateFaults), running(tmp_path):
        raise AssertionError("must not start")
