"""Claim 7: what the gateway refuses starts no function and costs no function time."""

from __future__ import annotations

import pytest

from tests.pattern.conftest import http
from trine.testing import RunningStack


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 403), ("PATCH", "/users", 403), ("GET", "/users/a/b", 403), ("GET", "/_apis/unknown/x", 404)],
)
def test_an_unknown_route_is_refused_before_any_function_runs(
    profiles: RunningStack, method: str, path: str, status: int
) -> None:
    def invocations() -> int:
        return profiles.call(lambda: len(list(profiles.stack.wings.traces.latest("lambda", 1000))))

    before = invocations()
    refused = http(method, profiles.url + path)
    assert refused.status == status
    assert invocations() == before


def test_a_request_without_permission_of_the_function_is_refused(profiles: RunningStack) -> None:
    answer = http("GET", f"{profiles.url}/nothing")
    assert answer.json() == {"message": "Missing Authentication Token"}
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
