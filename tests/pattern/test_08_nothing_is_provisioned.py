"""Claim 8: no function process before the first request, none after the idle time."""

from __future__ import annotations

import time

from tests.pattern.conftest import EXAMPLE, http
from trine.clock import ManualClock
from trine.testing import RunningStack, running


def _environments(stack: RunningStack) -> int:
    functions = stack.stack.wings.functions
    return stack.call(
        lambda: sum(
            len(functions.registry.describe_environments(function.name))
            for function in functions.deployment.functions()
        )
    )


def _wait_for_environments(stack: RunningStack, count: int) -> None:
    """Processes start and die in their own time, not by the stack's clock."""
    deadline = time.monotonic() + 20
    while _environments(stack) != count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _environments(stack) == count


def test_environments_come_with_requests_and_go_with_idleness() -> None:
    clock = ManualClock()
    with running(EXAMPLE, clock=clock, enforcement="soft") as stack:
        assert _environments(stack) == 0
        assert http("GET", f"{stack.url}/users/nobody").status in (404, 500)
        assert _environments(stack) == 1
        stack.advance(3600)
        _wait_for_environments(stack, 0)
