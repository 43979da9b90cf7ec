"""API keys, usage plans, quotas: who is admitted, how fast, how often; counts that survive."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from trine.apigateway.quota import Quota, QuotaLedger, period_start
from trine.apigateway.throttle import Buckets
from trine.apigateway.usage_plans import UsagePlans
from trine.apigateway.usage_resources import build_api_keys, build_usage_plans
from trine.aws.ids import SeededIds
from trine.clock import ManualClock

START = 1_800_000_000.0  # Friday, 2027-01-15 08:00 UTC


@pytest.fixture
def make(make_door: Any, rest: Any, lambda_proxy: Any, resource: Any) -> Any:
    def start(plan: dict[str, Any], *, catalogue: Any = None, **api: Any) -> Any:
        stage = {"ApiId": "rest01", "Stage": "Prod", **plan.pop("stage", {})}
        resources = [
            resource(
                "Plan", "AWS::ApiGateway::UsagePlan", "plan1", {"UsagePlanName": "gold", "ApiStages": [stage], **plan}
            ),
            resource(
                "K1",
                "AWS::ApiGateway::ApiKey",
                "key1",
                {"Value": "value-of-key-number-1", "Enabled": True, "Name": "one"},
            ),
            resource("K2", "AWS::ApiGateway::ApiKey", "key2", {"Value": "value-of-key-number-2", "Enabled": "true"}),
            resource("K3", "AWS::ApiGateway::ApiKey", "key3", {"Value": "value-of-key-number-3", "Enabled": False}),
            resource("K4", "AWS::ApiGateway::ApiKey", "key4", {"Value": "value-of-key-number-4", "Enabled": True}),
            *(
                resource(f"P{k}", "AWS::ApiGateway::UsagePlanKey", f"pk{k}", {"KeyId": k, "UsagePlanId": "plan1"})
                for k in ("key1", "key2", "key3")
            ),
        ]
        secured = lambda_proxy(security=[{"api_key": []}])
        body = {"securityDefinitions": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}
        paths = {"/x": {"get": secured}, "/y": {"get": secured}, "/open": {"get": lambda_proxy()}}
        clock = ManualClock(START)
        keys, _ = build_api_keys(resources, catalogue, SeededIds(1))
        usage = UsagePlans(build_usage_plans(resources), keys, QuotaLedger(clock), Buckets(clock))
        door = make_door(rest(paths, body=body, **api), usage=usage)
        door.usage_clock = clock
        return door

    return start


def call(door: Any, path: str = "/x", key: int | None = 1) -> Any:
    return door.call("GET", path, {"X-Api-Key": f"value-of-key-number-{key}"} if key else {})


def test_who_is_admitted(make: Any, get_header: Any) -> None:
    door = make({})
    assert call(door).status == 200
    identity = door.invoker.event["requestContext"]["identity"]
    assert (identity["apiKey"], identity["apiKeyId"]) == ("value-of-key-number-1", "key1")
    reasons = []
    for key in (None, 9, 3, 4):  # none, unknown, disabled, in no plan
        response = call(door, key=key)
        assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
        assert get_header(response, "x-amzn-ErrorType") == "ForbiddenException"
        reasons.append(door.refusal()["reason"])
    assert len(set(reasons)) == 4
    both = [("X-Api-Key", "value-of-key-number-1"), ("x-api-key", "value-of-key-number-2")]
    assert door.call("GET", "/x", both).status == 403
    assert call(door, "/open", None).status == 200
    assert "apiKey" not in door.invoker.event["requestContext"]["identity"]


def test_each_key_has_a_bucket_of_its_own(make: Any) -> None:
    door = make({"Throttle": {"BurstLimit": 2, "RateLimit": 1}})
    assert [call(door).status for _ in range(3)] == [200, 200, 429]
    assert call(door, "/y").status == 429  # the plan's bucket is one for all methods
    assert call(door).body == b'{"message":"Too Many Requests"}'
    assert call(door, key=2).status == 200
    door.usage_clock.advance(1)
    assert call(door).status == 200


def test_method_limits_of_a_plan(make: Any) -> None:
    door = make(
        {
            "stage": {"Throttle": {"/x/GET": {"BurstLimit": 1, "RateLimit": 1}}},
            "Throttle": {"BurstLimit": 2, "RateLimit": 1},
        }
    )
    assert [call(door).status for _ in range(2)] == [200, 429]
    assert [call(door, "/y").status for _ in range(3)] == [200, 200, 429]


def test_quota(make: Any, get_header: Any) -> None:
    door = make({"Quota": {"Limit": 2, "Period": "DAY"}})
    assert [call(door).status for _ in range(3)] == [200, 200, 429]
    response = call(door)
    assert response.body == b'{"message":"Limit Exceeded"}'
    assert get_header(response, "x-amzn-ErrorType") == "LimitExceededException"
    assert call(door, key=2).status == 200
    assert door.gateway.usage.ledger.used("plan1", "key1", Quota(2, "DAY")) == (2, 0)
    door.usage_clock.advance(16 * 3600)
    assert call(door).status == 200


def test_the_key_may_come_from_the_authorizer(make: Any) -> None:
    door = make({}, ApiKeySourceType="AUTHORIZER")
    assert call(door).status == 403  # the header does not count, and no authorizer gave a key


def test_counts_survive_a_restart_and_a_kill(tmp_path: Path) -> None:
    clock = ManualClock(START)
    quota = Quota(3, "DAY")
    ledger = QuotaLedger(clock, tmp_path / "quotas")
    assert [ledger.use("p", "k", quota) for _ in range(2)] == [True, True]
    again = QuotaLedger(clock, tmp_path / "quotas")  # the first one was never closed
    assert [again.use("p", "k", quota) for _ in range(2)] == [True, False]
    assert ledger.used("p", "k", quota) == (3, 0)
    assert not ledger.use("p", "k", quota)
    assert ledger.daily("p", "k", quota, [date(2027, 1, 15)]) == [[3, 0]]


def test_a_plan_without_quota_is_counted_too() -> None:
    ledger = QuotaLedger(ManualClock(START))
    assert all(ledger.use("p", "k", None) for _ in range(3))
    assert ledger.daily("p", "k", None, [date(2027, 1, 15)]) == [[3]]


def test_the_offset_counts_in_the_first_period_only() -> None:
    clock = ManualClock(START)
    ledger = QuotaLedger(clock)
    quota = Quota(5, "DAY", offset=3)
    assert [ledger.use("p", "k", quota) for _ in range(3)] == [True, True, False]
    clock.advance(86_400)
    assert [ledger.use("p", "k", quota) for _ in range(6)] == [True] * 5 + [False]


def test_daily_usage() -> None:
    clock = ManualClock(START)  # a Friday
    ledger = QuotaLedger(clock)
    quota = Quota(5, "WEEK")
    for count in (2, 1, 1):  # Friday, Saturday, Sunday
        assert all(ledger.use("p", "k", quota) for _ in range(count))
        clock.advance(86_400)
    days = [date(2027, 1, day) for day in (14, 15, 16, 17)]
    assert ledger.daily("p", "k", quota, days) == [[0, 5], [2, 3], [1, 2], [1, 4]]
    assert ledger.daily("p", "k", None, days[1:2]) == [[2]]
    assert ledger.daily("p", "other", quota, days[:1]) == [[0, 5]]


def test_days_are_kept_for_ninety_days() -> None:
    clock = ManualClock(START)
    ledger = QuotaLedger(clock)
    for _ in range(100):
        assert ledger.use("p", "k", Quota(5, "DAY"))
        clock.advance(86_400)
    days = [date(2027, 1, 15) + timedelta(days=n) for n in range(100)]
    assert [used for [used] in ledger.daily("p", "k", None, days)] == [0] * 10 + [1] * 90


@pytest.mark.parametrize(("period", "start"), [("DAY", "2027-01-15"), ("WEEK", "2027-01-10"), ("MONTH", "2027-01-01")])
def test_periods(period: str, start: str) -> None:
    assert period_start(period, START).isoformat() == start


def test_values_are_made_once_and_kept(resource: Any, catalogue: Any) -> None:
    async def scenario() -> None:
        resources = [resource("K", "AWS::ApiGateway::ApiKey", "key1", {"Enabled": True})]
        keys, written = build_api_keys(resources, catalogue, SeededIds(1))
        for future in written:
            await future
        again, nothing = build_api_keys(resources, catalogue, SeededIds(2))
        assert again == keys
        assert nothing == []
        assert len(keys[0].value) == 40
        assert keys[0].value.isalnum()

    asyncio.run(scenario())
