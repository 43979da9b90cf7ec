"""Addressing: default API, execute-api hosts, `/_apis/…`, stages of both kinds."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def door(make_door: Any, rest: Any, http: Any, lambda_proxy: Any) -> Any:
    """A REST API with two stages first, then an HTTP API with `$default` and `beta`."""
    get = {"/x": {"get": lambda_proxy()}, "/beta/y": {"get": lambda_proxy()}}
    return make_door(
        rest(get, stages=[{"StageName": "Prod"}, {"StageName": "v 2"}])
        + http(get, stages=[{"StageName": "$default"}, {"StageName": "beta"}])
    )


@pytest.mark.parametrize(
    ("host", "target", "stage", "api"),
    [
        ("127.0.0.1:3000", "/x", "Prod", "rest01"),
        ("localhost", "/x", "Prod", "rest01"),
        ("example.com", "/x", "Prod", "rest01"),
        ("rest01.execute-api.localhost:3000", "/Prod/x", "Prod", "rest01"),
        ("REST01.execute-api.LOCALHOST", "/Prod/x", "Prod", "rest01"),
        ("rest01.execute-api.eu-west-1.amazonaws.com", "/Prod/x/", "Prod", "rest01"),
        ("rest01.execute-api.localhost", "//Prod//x", "Prod", "rest01"),
        ("rest01.execute-api.localhost", "/v%202/x", "v 2", "rest01"),
        ("http01.execute-api.localhost", "/x", "$default", "http01"),
        ("http01.execute-api.localhost", "/beta/x", "beta", "http01"),
        ("http01.execute-api.localhost", "/beta/beta/y", "beta", "http01"),
        ("127.0.0.1:3000", "/_apis/rest01/Prod/x", "Prod", "rest01"),
        ("127.0.0.1:3000", "/_apis/http01/x", "$default", "http01"),
        ("127.0.0.1:3000", "/_apis/http01/$default/x", "$default", "http01"),
        ("127.0.0.1:3000", "/_apis/http01/%24default/x", "$default", "http01"),
        ("127.0.0.1:3000", "/_apis/http01/beta/x", "beta", "http01"),
        ("127.0.0.1:3000", "http://127.0.0.1:3000/x", "Prod", "rest01"),
    ],
)
def test_addresses(door: Any, host: str, target: str, stage: str, api: str) -> None:
    context = door.event("GET", target, {"Host": host})["requestContext"]
    assert (context["apiId"], context["stage"]) == (api, stage)


@pytest.mark.parametrize(
    ("host", "target", "status", "body"),
    [
        ("rest01.execute-api.localhost", "/Nope/x", 403, b'{"message":"Forbidden"}'),
        ("rest01.execute-api.localhost", "/", 403, b'{"message":"Forbidden"}'),
        ("nobody.execute-api.localhost", "/x", 404, b'{"message":"Not Found"}'),
        ("127.0.0.1", "/_apis/nobody/x", 404, b'{"message":"Not Found"}'),
        ("127.0.0.1", "/_apis/", 404, b'{"message":"Not Found"}'),
        ("127.0.0.1", "/_apis/rest01", 403, b'{"message":"Forbidden"}'),
        ("http01.execute-api.localhost", "/Nope/x", 404, b'{"message":"Not Found"}'),
    ],
)
def test_unknown_addresses(door: Any, host: str, target: str, status: int, body: bytes) -> None:
    response = door.call("GET", target, {"Host": host})
    assert (response.status, response.body) == (status, body)
    assert not door.invoker.requests


def test_full_paths_of_http_apis(door: Any) -> None:
    assert door.event("GET", "/_apis/http01/beta/x")["requestContext"]["path"] == "/beta/x"
    assert door.event("GET", "/_apis/http01/$default/x")["requestContext"]["path"] == "/x"


def test_the_default_stage_of_an_http_api_is_dollar_default(make_door: Any, http: Any, lambda_proxy: Any) -> None:
    stages = [{"StageName": "beta"}, {"StageName": "$default"}]
    door = make_door(http({"/x": {"get": lambda_proxy()}}, stages=stages))
    assert door.event("GET", "/x")["requestContext"]["stage"] == "$default"


def test_no_api_at_all(make_door: Any) -> None:
    response = make_door([]).call("GET", "/x")
    assert (response.status, response.body) == (404, b'{"message":"Not Found"}')


def test_hosts_remembered_are_bounded(door: Any) -> None:
    for number in range(3_000):
        door.gateway._directory.locate(f"host{number}.example", "/x")
    assert len(door.gateway._directory._hosts) <= 1_024


def test_places_remembered_are_bounded_and_right(door: Any) -> None:
    for number in range(5_000):
        door.call("GET", f"/nope/{number}")
    assert 0 < len(door.gateway._directory._placed) <= 4_096
    assert door.event("GET", "/x")["requestContext"]["stage"] == "Prod"
    assert door.event("GET", "/x", {"Host": "http01.execute-api.localhost"})["requestContext"]["stage"] == "$default"
    assert door.call("POST", "/x").status == 403
