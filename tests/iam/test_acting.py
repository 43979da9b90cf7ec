"""Services that act: by a role's rights, by a resource policy, over a connection that counts as secure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trine.aws.actor import Actor
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.iam.access import Access
from trine.iam.acting import MARGIN_SECONDS, Acting
from trine.iam.errors import AccessDenied
from trine.iam.policy import parse_policy

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
F = "arn:aws:lambda:us-east-1:123456789012:function:f"


def scene(**statement: Any) -> tuple[ManualClock, Access, Acting, str]:
    clock = ManualClock()
    access = Access(clock, SeededIds(3))
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": QUEUE, **statement}]}
    role = access.put_role(
        {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "p", "PolicyDocument": policy}],
        },
        "r",
    )
    return clock, access, Acting(access), role


def test_a_role_gives_its_rights_and_no_others() -> None:
    clock, access, acting, role = scene(Action="sqs:SendMessage")
    actor = Actor("lambda.amazonaws.com", F, role, "f")
    acting.authorize(actor, "sqs:SendMessage", QUEUE)
    with pytest.raises(AccessDenied, match=r"assumed-role/r/f- is not authorized to perform: sqs:ReceiveMessage"):
        acting.authorize(actor, "sqs:ReceiveMessage", QUEUE)
    assert len(list(access.credentials.sessions())) == 1
    clock.advance(3_600 - MARGIN_SECONDS)
    acting.authorize(actor, "sqs:SendMessage", QUEUE)
    with pytest.raises(AccessDenied, match="cannot assume the role"):
        acting.authorize(Actor("events.amazonaws.com", F, role, "f"), "sqs:SendMessage", QUEUE)


def test_a_service_without_role_is_let_in_by_the_resource_alone() -> None:
    _, _, acting, _ = scene(Action="sqs:SendMessage")
    rule = "arn:aws:events:us-east-1:123456789012:rule/r"
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
             "Resource": QUEUE, "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}  # fmt: skip
    secure = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": QUEUE,
              "Condition": {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip
    policy = parse_policy(json.dumps({"Version": "2012-10-17", "Statement": [allow, secure]}), "resource", QUEUE)
    acting.authorize(Actor("events.amazonaws.com", rule), "sqs:SendMessage", QUEUE, policy)
    with pytest.raises(AccessDenied):
        acting.authorize(Actor("events.amazonaws.com", rule + "x"), "sqs:SendMessage", QUEUE, policy)
    with pytest.raises(AccessDenied):
        acting.authorize(Actor("events.amazonaws.com", rule), "sqs:SendMessage", QUEUE)
