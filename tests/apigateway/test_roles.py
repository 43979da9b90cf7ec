"""Integrations with `credentials`: the role is assumed and its policies decide, not the function's."""

from __future__ import annotations

from typing import Any

import pytest

from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.iam.access import Access


@pytest.fixture
def api(make_door: Any, rest: Any, lambda_proxy: Any, function_arn: str) -> Any:
    def make(resource: str | None = None, service: str = "apigateway.amazonaws.com", **change: Any) -> Any:
        access = Access(ManualClock(1_800_000_000.0), SeededIds(5))
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource or function_arn}
        role = access.put_role(
            {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow]}}],
            },
            "caller",
        )
        stage = {"StageName": "Prod", "Variables": {"role": "caller"}}
        operation = lambda_proxy(integration={"credentials": change.pop("credentials", role), **change})
        return make_door(rest({"/x": {"get": operation}}, stages=[stage]), access=access)

    return make


def test_a_role_that_may(api: Any) -> None:
    door = api()
    assert door.call("GET", "/x").status == 200
    assert door.invoker.requests[-1].caller is None  # authorized by identity already


def test_stage_variables_in_the_role(api: Any) -> None:
    door = api(credentials="arn:aws:iam::123456789012:role/${stageVariables.role}")
    assert door.call("GET", "/x").status == 200


@pytest.mark.parametrize("kind", [{}, {"type": "aws", "responses": {"default": {"statusCode": "200"}}}])
def test_a_role_that_may_not(api: Any, kind: dict[str, Any]) -> None:
    door = api(resource="arn:aws:lambda:us-east-1:123456789012:function:other", **kind)
    response = door.call("GET", "/x")
    assert (response.status, response.body) == (500, b'{"message": "Internal server error"}')
    assert "lambda:InvokeFunction" in door.refusal()["reason"]
    assert not door.invoker.requests


def test_a_role_that_does_not_trust_the_gateway(api: Any) -> None:
    door = api(service="ec2.amazonaws.com")
    assert door.call("GET", "/x").status == 500
    assert "cannot assume" in door.refusal()["reason"]


def test_the_callers_own_credentials_need_a_signed_request(api: Any) -> None:
    door = api(credentials="arn:aws:iam::*:user/*")
    assert door.call("GET", "/x").status == 500
    assert "AWS_IAM" in door.refusal()["reason"]
