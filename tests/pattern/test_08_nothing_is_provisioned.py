"""Claim 8: no function process before the first request, none after the idle time."""

from __future__ import annotations

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


def test_environments_come_with_requests_and_go_with_idleness(monkeypatch: object) -> None:
    clock = ManualClock()
    with running(EXAMPLE, clock=clock, enforcement="soft") as stack:
        assert _environments(stack) == 0
        assert http("GET", f"{stack.url}/users/nobody").status in (404, 500)
        assert _environments(stack) == 1
        stack.advance(3600)
        assert _environments(stack) == 0
