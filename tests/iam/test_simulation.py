"""The simulator: the evaluator's word with what explains it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.iam.evaluator import PolicySet
from trine.iam.policy import parse_policy
from trine.iam.principal import Principal
from trine.iam.principals import Requester
from trine.iam.simulation import context_keys, simulate, statement_places

USER = Principal("arn:aws:iam::123456789012:user/u", "123456789012", "user", None, "AIDA", "u")
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/T"


def run(action: str, *statements: dict[str, Any], boundary: Any = None, **context: tuple[str, ...]) -> Any:
    identity = parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, "identity", "p")
    limit = parse_policy({"Statement": boundary}, "boundary", "b") if boundary is not None else None
    given_keys = {f"dynamodb:{key.lower()}": values for key, values in context.items()}
    return simulate(Requester(USER), PolicySet((identity,), limit), action, TABLE, given_keys)


GET = {"Effect": "Allow", "Action": "dynamodb:Get*", "Resource": "*"}
KEYED = {**GET, "Condition": {"StringEquals": {"dynamodb:LeadingKeys": "${aws:username}"}}}


def test_verdicts_and_their_statements() -> None:
    outcome = run("dynamodb:GetItem", GET, {**GET, "Action": "*"})
    assert (outcome.verdict, [one.index for one in outcome.matched]) == ("allowed", [0, 1])
    outcome = run("dynamodb:GetItem", GET, {**GET, "Effect": "Deny"})
    assert (outcome.verdict, [one.index for one in outcome.matched]) == ("explicitDeny", [1])
    outcome = run("dynamodb:PutItem", GET)
    assert (outcome.verdict, outcome.matched, outcome.within_boundary) == ("implicitDeny", (), None)


def test_missing_values_are_named_as_the_policy_spells_them() -> None:
    outcome = run("dynamodb:GetItem", KEYED)
    assert (outcome.verdict, outcome.missing) == ("implicitDeny", ("aws:username", "dynamodb:LeadingKeys"))
    assert run("dynamodb:GetItem", KEYED, LeadingKeys=("u",)).missing == ("aws:username",)
    assert run("dynamodb:PutItem", KEYED).missing == ()


def test_boundaries() -> None:
    assert run("dynamodb:GetItem", GET, boundary=GET).within_boundary is True
    outcome = run("dynamodb:GetItem", GET, boundary={**GET, "Action": "s3:*"})
    assert (outcome.verdict, outcome.within_boundary) == ("implicitDeny", False)


def test_context_keys() -> None:
    policy = parse_policy({"Version": "2012-10-17", "Statement": [KEYED]}, "identity")
    assert context_keys([policy]) == ["aws:username", "dynamodb:LeadingKeys"]


def test_places_of_statements() -> None:
    text = (
        '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {"Effect": "Allow"},\n    {\n      "a": 1\n    }\n  ]\n}'
    )
    assert statement_places(text) == [((4, 5), (4, 24)), ((5, 5), (7, 6))]
    assert statement_places('{"Statement":{"a":1}}') == [((1, 14), (1, 21))]


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5)), max_size=4), st.sampled_from([None, 1, 4]))
def test_places_hold_the_statements(statements: list[dict[str, str]], indent: int | None) -> None:
    text = json.dumps({"Id": "{[", "Statement": statements, "Version": "x"}, indent=indent)
    lines = text.split("\n")
    for (start, end), statement in zip(statement_places(text), statements, strict=True):
        begin, stop = (sum(len(line) + 1 for line in lines[: line - 1]) + column - 1 for line, column in (start, end))
        assert json.loads(text[begin:stop]) == statement


@pytest.mark.parametrize("document", ["{}", '{"Version":"2012-10-17"}'])
def test_no_statement_no_place(document: str) -> None:
    assert statement_places(document) == []
