"""Claim 22: what was acknowledged is there again after a restart (after `kill -9`: tests/cli, tests/kv)."""

from __future__ import annotations

from pathlib import Path

from tests.pattern.conftest import EXAMPLE, http
from trine.testing import running


def test_a_profile_survives_a_restart_and_so_does_the_owner_s_key(tmp_path: Path) -> None:
    with running(EXAMPLE, memory=False, state_directory=tmp_path) as stack:
        key = stack.stack.wings.access.owner_credentials()
        assert http("POST", f"{stack.url}/users", {"id": "ada", "name": "A", "email": "a@example.com"}).status == 201
    with running(EXAMPLE, memory=False, state_directory=tmp_path) as stack:
        assert http("GET", f"{stack.url}/users/ada").json()["name"] == "A"
        assert http("GET", f"{stack.url}/users?email=a%40example.com").json()["users"][0]["id"] == "ada"
        again = stack.stack.wings.access.owner_credentials()
        assert (again.access_key_id, again.secret_access_key) == (key.access_key_id, key.secret_access_key)
