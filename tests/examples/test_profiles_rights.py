"""The profiles example with its roles one action short, one after another: what needs it is refused, and nothing else.

Every action of every role is taken away once, by the IAM API, while the application runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.pattern.conftest import Answer, http
from trine.testing import RunningStack, running

EXAMPLE = Path(__file__).parents[2] / "examples" / "profiles"
PROFILE = {"name": "Ada Lovelace", "email": "ada@example.com"}
CALLS: Mapping[str, tuple[str, str, Any, int, str]] = {
    "CreateProfile": ("POST", "users", PROFILE, 201, "dynamodb:PutItem"),
    "GetProfile": ("GET", "users/ada", None, 200, "dynamodb:GetItem"),
    "FindProfiles": ("GET", "users?email=ada%40example.com", None, 200, "dynamodb:Query"),
    "UpdateProfile": ("PUT", "users/ada", {"name": "Ada"}, 200, "dynamodb:UpdateItem"),
    "DeleteProfile": ("DELETE", "users/nobody", None, 404, "dynamodb:DeleteItem"),
    "PublicProfile": ("GET", "profiles/ada", None, 200, "dynamodb:GetItem"),
}
"""Function → a call of it: method, path, body, the status when all is well, and the one action that it needs."""


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running(EXAMPLE) as started:
        assert http("POST", _url(started, "users"), {**PROFILE, "id": "ada"}).status == 201
        yield started


def _url(stack: RunningStack, path: str) -> str:
    wanted = "HTTP" if path.startswith("profiles") else "REST"
    api = next(one for one in stack.description["apis"] if one["kind"] == wanted)
    return f"{api['stages'][0]['pathUrl']}{path}"


def _ask(stack: RunningStack, function: str) -> Answer:
    method, path, body, _, _ = CALLS[function]
    return http(method, _url(stack, path), body)


def _refusals(trace: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if trace["refusal"] is not None:
        yield trace["refusal"]
    for child in trace["children"]:
        yield from _refusals(child)


@pytest.mark.parametrize("function", CALLS)
def test_each_action_that_is_missing_is_missed_where_it_is_needed(stack: RunningStack, function: str) -> None:
    iam = stack.client("iam")
    described = next(one for one in stack.description["functions"] if one["logicalId"] == function)
    role = described["role"].rpartition("/")[2]
    _, _, _, usual, needed = CALLS[function]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    (statement,) = whole["Statement"]
    actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
    assert needed in actions
    for missing in actions:
        left = [action for action in actions if action != missing] or ["dynamodb:DescribeTable"]
        short = {**whole, "Statement": [{**statement, "Action": left}]}
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(short))
        answered = _ask(stack, function)
        if missing != needed:
            assert answered.status == usual, f"{function} has no use for {missing}"
            continue
        assert answered.status >= 500, f"{function} did {needed} without the right to"
        document = stack.explain(answered.headers.get("x-amzn-requestid") or answered.headers["apigw-requestid"])
        assert document is not None
        refused = next(one for one in _refusals(document) if one["room"] == "iam.policy")
        assert (refused["action"], refused["missing"]["layer"]) == (needed, "identity")
        for other in set(CALLS) - {function}:
            assert _ask(stack, other).status == CALLS[other][3], f"{other} has its own role"
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))
    assert _ask(stack, function).status == usual
