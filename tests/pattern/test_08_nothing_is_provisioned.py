"""Claim 8: no function process before the first request, none after the idle time."""

from __future__ import annotations

from tests.pattern.conftest import EXAMPLE, environments, http, wait_for_environments
from trine.clock import ManualClock
from trine.testing import running


def test_environments_come_with_requests_and_go_with_idleness() -> None:
    clock = ManualClock()
    with running(EXAMPLE, clock=clock, enforcement="soft") as stack:
        assert environments(stack) == 0
        assert http("GET", f"{stack.url}/users/nobody").status in (404, 500)
        assert environments(stack) == 1
        stack.advance(3600)
        wait_for_environments(stack, 0)
