"""Least privilege: the smallest policy for what was done, and what nobody used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.iam.access import Access
from trine.iam.advice import advise, leading_keys, smallest
from trine.iam.errors import AccessDenied
from trine.iam.evaluator import PolicySet, Question, evaluate
from trine.iam.ledger import Ledger, Use
from trine.iam.policy import parse_policy
from trine.iam.principal import Principal
from trine.iam.principals import Requester

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/Profiles"
INDEX = f"{TABLE}/index/email"
ROLE = "arn:aws:iam::123456789012:role/fn"
PRINCIPAL = Principal("arn:aws:sts::123456789012:assumed-role/fn/s", "123456789012", "assumed-role", ROLE, "A:s", "fn")


def use(action: str, resource: str = TABLE, allowed: bool = True, keys: set[str] | None = None) -> Use:
    values: dict[str, set[str] | None] = {} if keys is None else {"dynamodb:leadingkeys": keys}
    return Use(ROLE, f"dynamodb:{action}", resource, allowed, values, set(values))


def test_equal_needs_share_a_statement() -> None:
    assert smallest([use("Query"), use("GetItem"), use("Query", INDEX), use("GetItem")]) == (
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE},
        {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": [TABLE, INDEX]},
    )
    assert smallest([use("Query"), use("GetItem")]) == (
        {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": TABLE},
    )


@pytest.mark.parametrize(
    ("keys", "patterns"),
    [
        ({"a"}, ("a",)),
        ({"c", "a", "b"}, ("a", "b", "c")),
        ({"USER#1", "USER#2", "USER#33", "USER#4"}, ("USER#*",)),
        ({"USER#1", "USER#12", "USER#123", "USER#1234"}, ("USER#*",)),
        ({"a1", "a2", "a3", "a4"}, None),
        ({"x", "y", "z", "w"}, None),
        ({"a*"}, None),
        (set(), None),
        (None, None),
    ],
)
def test_leading_keys_only_where_they_fit(keys: set[str] | None, patterns: tuple[str, ...] | None) -> None:
    assert leading_keys(use("GetItem", keys=keys)) == patterns


def test_not_where_one_call_had_none() -> None:
    ledger = Ledger()
    for context in ({"dynamodb:LeadingKeys": ["a"]}, None):
        ledger.note(PRINCIPAL, "dynamodb:Scan", TABLE, True, context)
    assert leading_keys(next(ledger.uses())) is None


ACTIONS = ["GetItem", "PutItem", "Query"]
uses = st.lists(
    st.builds(
        use,
        st.sampled_from(ACTIONS),
        st.sampled_from([TABLE, INDEX]),
        st.just(True),
        st.none() | st.sets(st.sampled_from("abcd"), min_size=1),
    ),
    max_size=8,
)


@given(uses)
def test_the_smallest_policy_allows_what_was_done_and_nothing_else(done: list[Use]) -> None:
    unique = {(one.action, one.resource): one for one in done}
    statements = smallest(list(unique.values()))
    if not statements:
        return
    policy = parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, "identity")
    for action in [f"dynamodb:{name}" for name in [*ACTIONS, "DeleteItem"]]:
        for resource in (TABLE, INDEX, TABLE + "x"):
            made = unique.get((action, resource))
            keys = (made.values.get("dynamodb:leadingkeys") if made else None) or {"q"}
            context = {"dynamodb:leadingkeys": tuple(keys)}
            question = Question(Requester(PRINCIPAL), action.lower(), resource, context.get, PolicySet((policy,)))
            assert evaluate(question).allowed is (made is not None)


def test_what_nobody_used() -> None:
    policies = {
        "p": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Crud",
                    "Effect": "Allow",
                    "Action": ["dynamodb:GetItem", "dynamodb:DeleteItem"],
                    "Resource": [TABLE, INDEX],
                },
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
                {"Effect": "Deny", "Action": "*", "Resource": "*"},
                {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE},
                {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::x"},
            ],
        }
    }
    advice = advise(ROLE, [use("GetItem"), use("PutItem", allowed=False)], policies)
    first, second = advice.unused
    assert (first.statement, first.sid, first.actions, first.resources, first.whole) == (
        0,
        "Crud",
        ("dynamodb:DeleteItem",),
        (INDEX,),
        False,
    )
    assert (second.statement, second.whole) == (1, True)
    assert advice.missing == (("dynamodb:PutItem", TABLE),)
    assert advice.document()["Statement"] == [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE}]


def test_what_is_too_wide() -> None:
    policies = {"p": '{"Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}}'}
    advice = advise(ROLE, [use("GetItem"), use("Query", INDEX)], policies)
    actions, resources = advice.too_wide
    assert (actions.pattern, actions.needed) == ("dynamodb:*", ("dynamodb:GetItem", "dynamodb:Query"))
    assert (resources.pattern, resources.needed) == ("*", (TABLE, INDEX))
    assert not advice.unused


def test_the_ledger_is_filled_by_access(access: Access, give_role: Callable[..., Any]) -> None:
    caller = give_role({"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE})
    for _ in range(3):
        access.authorize(caller, "dynamodb:GetItem", TABLE)
    with pytest.raises(AccessDenied):
        access.authorize(caller, "dynamodb:PutItem", TABLE)
    assert [(one.action, one.allowed) for one in access.ledger.uses(ROLE)] == [
        ("dynamodb:GetItem", True),
        ("dynamodb:PutItem", False),
    ]
    assert caller.needs("dynamodb:GetItem", TABLE) == frozenset()
    access.observe()
    caller = access.caller_of(caller.session)
    assert caller.needs("dynamodb:GetItem", TABLE) == {"dynamodb:leadingkeys"}
    assert caller.needs("s3:GetObject", TABLE) == frozenset()
    for number in range(4):
        access.authorize(caller, "dynamodb:GetItem", TABLE, {"dynamodb:LeadingKeys": [f"USER#{number}"]})
    (statement,) = advise(ROLE, access.ledger.uses(), {}).statements[:1]
    assert "Condition" not in statement, "the calls made before had no keys"
    access.ledger.clear()
    for number in range(4):
        access.authorize(caller, "dynamodb:GetItem", TABLE, {"dynamodb:LeadingKeys": [f"USER#{number}"]})
    (statement,) = advise(ROLE, access.ledger.uses(), {}).statements
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["USER#*"]}}


def test_the_ledger_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trine.iam.ledger.USES_MAX", 3)
    monkeypatch.setattr("trine.iam.ledger.VALUES_MAX", 2)
    ledger = Ledger()
    for number in range(9):
        ledger.note(PRINCIPAL, "dynamodb:GetItem", f"{TABLE}{number}", True, None)
        ledger.note(PRINCIPAL, "dynamodb:GetItem", f"{TABLE}0", True, {"dynamodb:LeadingKeys": [str(number)]})
    assert len(list(ledger.uses())) == 3
    assert ledger.dropped == 6
    assert next(ledger.uses()).values == {"dynamodb:leadingkeys": None}
