"""Stages made ready: canaries, stage variables, source ARNs."""

from __future__ import annotations

from typing import Any

from trine.apigateway.deployment import fill_stage_variables


def test_a_canary_gets_its_share(make_door: Any, rest: Any, lambda_proxy: Any) -> None:
    canary = {"PercentTraffic": 25, "StageVariableOverrides": {"v": "new"}}
    stage = {"StageName": "Prod", "Variables": {"v": "old", "w": "1"}, "CanarySetting": canary}
    door = make_door(rest({"/x": {"get": lambda_proxy()}}, stages=[stage]))
    events = [door.event("GET", "/x") for _ in range(40)]
    assert sum(e["requestContext"]["isCanaryRequest"] for e in events) == 10
    for event in events:
        expected = "new" if event["requestContext"]["isCanaryRequest"] else "old"
        assert event["stageVariables"] == {"v": expected, "w": "1"}
        assert event["requestContext"]["stage"] == "Prod"


def test_without_canary_nothing_is_said(rest_door: Any) -> None:
    assert "isCanaryRequest" not in rest_door.event("GET", "/users")["requestContext"]


def test_stage_variables() -> None:
    assert fill_stage_variables("a${stageVariables.x}b${stageVariables.none}", {"x": "1"}) == "a1b"
    assert fill_stage_variables("${other.x}", {"x": "1"}) == "${other.x}"


def test_callers_do_not_pile_up(http_door: Any, rest_door: Any) -> None:
    route = rest_door.gateway._directory.default.routes[0]
    for number in range(1_000):
        route.caller(f"M{number}")
    assert len(route._callers) <= 17


def test_a_canary_has_no_bucket_of_its_own(make_door: Any, rest: Any, lambda_proxy: Any) -> None:
    limits = {"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingRateLimit": 0.001, "ThrottlingBurstLimit": 2}
    stage = {"StageName": "Prod", "CanarySetting": {"PercentTraffic": 50}, "MethodSettings": [limits]}
    door = make_door(rest({"/x": {"get": lambda_proxy()}}, stages=[stage]))
    assert [door.call("GET", "/x").status for _ in range(4)] == [200, 200, 429, 429]
