"""What the doors of EventBridge and Scheduler ask for before they run an operation."""

from __future__ import annotations

from typing import Any

import pytest

from trine.events import events_operations, scheduler_operations

ROLE = "arn:aws:iam::123456789012:role/runs"


@pytest.mark.parametrize(
    ("api", "operation", "given", "roles"),
    [
        (events_operations, "PutRule", {"Name": "r", "RoleArn": ROLE}, [ROLE]),
        (events_operations, "PutRule", {"Name": "r"}, []),
        (events_operations, "PutTargets", {"Targets": [{"Id": "a", "RoleArn": ROLE}, {"Id": "b"}]}, [ROLE]),
        (events_operations, "DescribeRule", {"Name": "r", "RoleArn": ROLE}, []),
        (scheduler_operations, "CreateSchedule", {"Target": {"RoleArn": ROLE}}, [ROLE]),
        (scheduler_operations, "UpdateSchedule", {"Target": {"RoleArn": ROLE}}, [ROLE]),
        (scheduler_operations, "GetSchedule", {"Name": "s"}, []),
    ],
)
def test_the_roles_that_a_call_hands_over(api: Any, operation: str, given: dict[str, Any], roles: list[str]) -> None:
    assert api.passed_roles(operation, given) == roles
