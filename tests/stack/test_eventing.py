"""Wings that a stack does without are not even loaded: queues, topics, rules, schedules, pollers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from trine.testing import running
with running(sys.argv[1]):
    loaded = [name for name in sys.modules if name.startswith(
        ("trine.messaging.m", "trine.messaging.q", "trine.events.r", "trine.events.s", "trine.awslambda.sources"))]
print(sorted(set(loaded) - {"trine.messaging.resource_types", "trine.events.resource_types"}))
"""
TEMPLATE = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"""


def test_a_stack_without_queues_loads_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
