"""Token buckets: per route and stage, per account; refilled by the clock."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trine.apigateway.settings import GatewaySettings
from trine.apigateway.throttle import TokenBucket
from trine.clock import ManualClock


def test_burst_then_rate() -> None:
    clock = ManualClock()
    bucket = TokenBucket("b", 2, 3, clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.advance(0.5)
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.advance(60)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


@given(st.floats(0.1, 50), st.integers(1, 20), st.lists(st.floats(0, 2), max_size=40))
def test_never_more_than_burst_plus_rate_times_time(rate: float, burst: int, waits: list[float]) -> None:
    clock = ManualClock()
    bucket = TokenBucket("b", rate, burst, clock)
    taken = 0
    for wait in waits:
        clock.advance(wait)
        while bucket.take():
            taken += 1
    assert taken <= burst + rate * sum(waits) + 1e-3


def test_rest_method_settings(make_door: Any, rest: Any, lambda_proxy: Any, get_header: Any) -> None:
    settings = [
        {"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 1},
        {"HttpMethod": "GET", "ResourcePath": "/~1fast~1{id}", "ThrottlingBurstLimit": 3, "ThrottlingRateLimit": 1},
    ]
    paths = {"/x": {"get": lambda_proxy()}, "/y": {"get": lambda_proxy()}, "/fast/{id}": {"get": lambda_proxy()}}
    door = make_door(rest(paths, stages=[{"StageName": "Prod", "MethodSettings": settings}]))
    assert [door.call("GET", "/x").status for _ in range(3)] == [200, 200, 429]
    assert [door.call("GET", "/y").status for _ in range(3)] == [200, 200, 429]
    assert [door.call("GET", f"/fast/{n}").status for n in range(4)] == [200, 200, 200, 429]
    response = door.call("GET", "/x")
    assert response.body == b'{"message":"Too Many Requests"}'
    assert get_header(response, "x-amzn-ErrorType") == "TooManyRequestsException"
    refusal = door.refusal()
    assert (refusal["room"], refusal["bucket"]) == ("apigateway.throttle", "users/Prod GET /x")
    calls = len(door.invoker.requests)
    door.call("GET", "/x")
    assert len(door.invoker.requests) == calls  # a refused request starts no function
    door.clock.advance(1)
    assert door.call("GET", "/x").status == 200


def test_http_route_settings(make_door: Any, http: Any, lambda_proxy: Any) -> None:
    stage = {
        "StageName": "$default",
        "DefaultRouteSettings": {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 1},
        "RouteSettings": {"GET /x": {"ThrottlingBurstLimit": 2}},
    }
    door = make_door(http({"/x": {"get": lambda_proxy()}, "/y": {"get": lambda_proxy()}}, stages=[stage]))
    assert [door.call("GET", "/x").status for _ in range(3)] == [200, 200, 429]
    assert [door.call("GET", "/y").status for _ in range(2)] == [200, 429]
    assert door.call("GET", "/y").body == b'{"message":"Too Many Requests"}'


def test_the_account_stands_above_all(make_door: Any, rest: Any, http: Any, lambda_proxy: Any) -> None:
    settings = GatewaySettings(account_rate_per_second=1, account_burst=2)
    door = make_door(rest({"/x": {"get": lambda_proxy()}}) + http({"/x": {"get": lambda_proxy()}}), settings=settings)
    targets = ["/x", "/_apis/http01/x", "/x", "/_apis/http01/x"]
    assert [door.call("GET", target).status for target in targets] == [200, 200, 429, 429]
    assert door.refusal()["bucket"] == "the account"
    assert door.call("GET", "/nope").status == 403  # what finds no route takes no token
