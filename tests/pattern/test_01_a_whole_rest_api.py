"""Claim 1: gateway, function and table are a whole REST API, with no server to manage."""

from __future__ import annotations

from tests.pattern.conftest import http
from trine.testing import RunningStack


def test_profiles_are_created_read_found_changed_and_deleted(profiles: RunningStack) -> None:
    users = f"{profiles.url}/users"
    created = http("POST", users, {"id": "ada", "name": "Ada Lovelace", "email": "ada@example.com"})
    assert created.status == 201
    assert created.json()["id"] == "ada"

    assert http("GET", f"{users}/ada").json()["name"] == "Ada Lovelace"
    found = http("GET", f"{users}?email=ada%40example.com").json()
    assert [user["id"] for user in found["users"]] == ["ada"]

    changed = http("PUT", f"{users}/ada", {"name": "Countess Lovelace"})
    assert (changed.status, changed.json()["name"]) == (200, "Countess Lovelace")

    assert http("DELETE", f"{users}/ada").status == 204
    assert http("GET", f"{users}/ada").status == 404


def test_an_id_is_made_when_none_is_given(profiles: RunningStack) -> None:
    created = http("POST", f"{profiles.url}/users", {"name": "Grace", "email": "grace@example.com"})
    assert created.status == 201
    assert http("GET", f"{profiles.url}/users/{created.json()['id']}").json()["name"] == "Grace"


def test_what_is_wrong_is_answered_as_such(profiles: RunningStack) -> None:
    users = f"{profiles.url}/users"
    assert http("POST", users, {"name": "no address"}).status == 400
    assert http("POST", users, b"{not json").status == 400
    http("POST", users, {"id": "twice", "name": "First", "email": "first@example.com"})
    assert http("POST", users, {"id": "twice", "name": "Second", "email": "second@example.com"}).status == 409
    assert http("PUT", f"{users}/nobody", {"name": "x"}).status == 404
