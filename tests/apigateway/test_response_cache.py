"""The response cache: time to live, keys, invalidation, bounds."""

from __future__ import annotations

from typing import Any

import pytest

from trine.apigateway import response_cache


@pytest.fixture
def door(make_door: Any, rest: Any, lambda_proxy: Any) -> Any:
    def make(*settings: dict[str, Any], cluster: bool = True, **integration: Any) -> Any:
        operation = lambda_proxy(integration=integration)
        stage = {"StageName": "Prod", "CacheClusterEnabled": cluster, "MethodSettings": list(settings)}
        paths = {"/u/{id}": {"get": operation, "post": operation}, "/plain": {"get": lambda_proxy()}}
        door = make_door(rest(paths, stages=[stage]))
        door.count = 0

        def answer(_: Any) -> dict[str, Any]:
            door.count += 1
            return {"statusCode": door.status, "body": str(door.count), "headers": {"X-N": str(door.count)}}

        door.status = 200
        door.invoker.answer = answer
        return door

    return make


ALL = {"HttpMethod": "*", "ResourcePath": "/*", "CachingEnabled": True, "CacheTtlInSeconds": 60}


def test_answers_are_kept_for_their_time(door: Any, get_header: Any) -> None:
    api = door(ALL)
    first = api.call("GET", "/plain")
    again = api.call("GET", "/plain")
    assert first.body == again.body == b"1"
    assert get_header(again, "X-N") == "1"
    assert get_header(first, "x-amzn-requestid") != get_header(again, "x-amzn-requestid")
    assert len([name for name, _ in api.call("GET", "/plain").headers if name == b"x-amzn-RequestId"]) == 1
    api.clock.advance(61)
    assert api.call("GET", "/plain").body == b"2"


def test_only_key_parameters_tell_requests_apart(door: Any) -> None:
    api = door(ALL)
    assert api.call("GET", "/u/1").body == api.call("GET", "/u/2?q=1").body == b"1"
    keys = ["method.request.path.id", "method.request.querystring.q"]
    api = door(ALL, cacheKeyParameters=keys)
    targets = ["/u/1", "/u/2", "/u/2?q=1", "/u/2?q=2", "/u/1", "/u/2?q=1&other=1"]
    assert [api.call("GET", target).body for target in targets] == [b"1", b"2", b"3", b"4", b"1", b"3"]


def test_what_is_not_kept(door: Any) -> None:
    api = door(ALL)
    assert [api.call("POST", "/u/1").body for _ in range(2)] == [b"1", b"2"]
    api.status = 500
    assert [api.call("GET", "/u/1").body for _ in range(2)] == [b"3", b"4"]
    api = door(ALL, cluster=False)
    assert [api.call("GET", "/u/1").body for _ in range(2)] == [b"1", b"2"]
    api = door({**ALL, "CachingEnabled": False})
    assert [api.call("GET", "/u/1").body for _ in range(2)] == [b"1", b"2"]
    api = door({**ALL, "CacheTtlInSeconds": 0})
    assert [api.call("GET", "/u/1").body for _ in range(2)] == [b"1", b"2"]


def test_a_method_may_be_named_by_itself(door: Any) -> None:
    own = {"HttpMethod": "POST", "ResourcePath": "/~1u~1{id}", "CachingEnabled": True}
    api = door({**ALL, "CachingEnabled": False}, own)
    assert [api.call("POST", "/u/1").body for _ in range(2)] == [b"1", b"1"]


def test_asking_anew_needs_a_right(door: Any, get_header: Any) -> None:
    api = door(ALL)
    api.call("GET", "/plain")
    response = api.call("GET", "/plain", {"Cache-Control": "max-age=0"})
    assert response.body == b"1"
    assert "unauthorized" in get_header(response, "Warning")
    assert get_header(api.call("GET", "/plain"), "Warning") is None


def test_the_cache_is_bounded_in_bytes(door: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(response_cache, "CACHED_RESPONSES_BYTES", 3)
    api = door(ALL, cacheKeyParameters=["method.request.path.id"])
    for number in range(5):
        api.call("GET", f"/u/{number}")
    assert api.call("GET", "/u/4").body == b"5"
    assert api.call("GET", "/u/0").body == b"6"


def test_a_stage_s_cache_can_be_flushed(door: Any) -> None:
    api = door(ALL)
    assert [api.call("GET", "/plain").body, api.call("GET", "/plain").body] == [b"1", b"1"]
    api.gateway.flush_cache("rest01", "Other")
    assert api.call("GET", "/plain").body == b"1"
    api.gateway.flush_cache("rest01", "Prod")
    assert api.call("GET", "/plain").body == b"2"
