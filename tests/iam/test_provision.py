"""Identities from a template: roles and the policies that name each other, users, groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trine.aws.errors import AwsError
from trine.iam import fidelity
from trine.iam.access import Access
from trine.iam.provision import put_group, put_managed_policy, put_policy, put_user

DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}
GiveRole = Callable[..., Any]


def test_a_policy_and_a_role_may_name_each_other(access: Access, give_role: GiveRole) -> None:
    properties = {"ManagedPolicyName": "m", "PolicyDocument": DOCUMENT, "Roles": ["fn"], "Path": "/app/"}
    arn = put_managed_policy(access.directory, properties, None, attach=False).arn
    assert arn == "arn:aws:iam::123456789012:policy/app/m"
    caller = give_role(ManagedPolicyArns=[arn])
    put_managed_policy(access.directory, properties, None)
    assert access.directory.get("role", "fn").attached == [arn]
    access.authorize(caller, "dynamodb:GetItem", "*")


def test_a_changed_managed_policy_counts(access: Access, give_role: GiveRole) -> None:
    arn = put_managed_policy(access.directory, {"PolicyDocument": DOCUMENT}, "m").arn
    give_role(ManagedPolicyArns=[arn])
    narrow = {"Statement": {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": "*"}}
    put_managed_policy(access.directory, {"PolicyDocument": narrow}, "m")
    caller = give_role(ManagedPolicyArns=[arn])
    access.authorize(caller, "dynamodb:Query", "*")
    with pytest.raises(AwsError):
        access.authorize(caller, "dynamodb:GetItem", "*")


@pytest.mark.parametrize("member", [{"Roles": ["fn"]}, {"RoleName": "fn"}])
def test_an_inline_policy_for_a_role(access: Access, give_role: GiveRole, member: dict[str, Any]) -> None:
    give_role()
    put_policy(access.directory, {"PolicyName": "p", "PolicyDocument": DOCUMENT, **member})
    assert list(access.directory.get("role", "fn").inline) == ["p"]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"PolicyName": "p", "PolicyDocument": DOCUMENT}, "ValidationError"),
        ({"PolicyName": "p", "PolicyDocument": DOCUMENT, "Roles": ["nobody"]}, "NoSuchEntity"),
        ({"PolicyName": "p", "PolicyDocument": {}, "Roles": ["fn"]}, "MalformedPolicyDocument"),
        ({"PolicyDocument": DOCUMENT, "Roles": ["fn"]}, "ValidationError"),
    ],
)
def test_an_inline_policy_that_is_wrong(access: Access, give_role: GiveRole, properties: Any, code: str) -> None:
    give_role()
    with pytest.raises(AwsError) as refused:
        put_policy(access.directory, properties)
    assert refused.value.code == code
    assert not access.directory.get("role", "fn").inline


def test_users_and_groups(access: Access, sign: Any) -> None:
    put_group(access.directory, {"Policies": [{"PolicyName": "p", "PolicyDocument": DOCUMENT}]}, "g")
    assert put_user(access.directory, {"UserName": "u", "Groups": ["g"]}, None) == "arn:aws:iam::123456789012:user/u"
    key = access.keys.make("u")
    caller = access.authenticate(sign(key.access_key_id, key.secret_access_key), "dynamodb")
    access.authorize(caller, "dynamodb:GetItem", "*")
    with pytest.raises(AwsError):
        put_user(access.directory, {"Groups": ["none"]}, "v")
    assert access.directory.find("user", "v") is None


def test_long_policies_are_refused(access: Access, give_role: GiveRole) -> None:
    statements = [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": f"arn:aws:s3:::{'b' * 60}"}] * 100
    with pytest.raises(AwsError) as refused:
        give_role(*statements)
    assert refused.value.code == "LimitExceeded"


def test_the_manifest_names_identity_types() -> None:
    assert set(fidelity.FIDELITY) >= {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"}
