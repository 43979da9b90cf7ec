"""Policies that AWS publishes as examples, asked what their pages say they allow and refuse.

Sources: IAM User Guide, "Example IAM identity-based policies"; DynamoDB Developer Guide, "Identity-based policies" and
"Using IAM policy conditions for fine-grained access control"; API Gateway Developer Guide, access to invoke an API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from trine.iam.evaluator import PolicySet, Question, evaluate
from trine.iam.policy import parse_policy
from trine.iam.principal import Principal
from trine.iam.principals import Requester

ACCOUNT = "111122223333"
ANN = Principal(f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT, "user", None, "AIDAEXAMPLEEXAMPLE12", "ann")
BOOKS = f"arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/Books"
Context = Mapping[str, Sequence[str]]


def allowed(statements: Any, action: str, resource: str, context: Context | None = None) -> bool:
    policy = parse_policy({"Version": "2012-10-17", "Statement": statements}, "identity")
    keys = {"aws:username": ("ann",), **{key.lower(): values for key, values in (context or {}).items()}}
    return evaluate(Question(Requester(ANN), action.lower(), resource, keys.get, PolicySet((policy,)))).allowed


def test_access_within_dates() -> None:
    statement = {
        "Effect": "Allow",
        "Action": "service-prefix:action-name",
        "Resource": "*",
        "Condition": {
            "DateGreaterThan": {"aws:CurrentTime": "2020-04-01T00:00:00Z"},
            "DateLessThan": {"aws:CurrentTime": "2020-06-30T23:59:59Z"},
        },
    }
    for moment, expected in (
        ("2020-05-01T12:00:00Z", True),
        ("2020-07-01T00:00:00Z", False),
        ("2020-04-01T00:00:00Z", False),
    ):
        assert allowed(statement, "service-prefix:action-name", "*", {"aws:CurrentTime": (moment,)}) is expected


def test_denied_outside_regions_but_for_global_services() -> None:
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Sid": "DenyAllOutsideRequestedRegions",
            "Effect": "Deny",
            "NotAction": ["cloudfront:*", "iam:*", "organizations:*", "route53:*", "support:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
        },
    ]
    for action, region, expected in (
        ("dynamodb:GetItem", "eu-west-1", True),
        ("dynamodb:GetItem", "us-east-1", False),
        ("iam:GetRole", "us-east-1", True),
    ):
        assert allowed(statements, action, "*", {"aws:RequestedRegion": (region,)}) is expected


def test_denied_by_source_address() -> None:
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {
                "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]},
                "Bool": {"aws:ViaAWSService": "false"},
            },
        },
    ]
    for address, via, expected in (
        ("192.0.2.7", "false", True),
        ("198.51.100.1", "false", False),
        ("198.51.100.1", "true", True),
    ):
        context = {"aws:SourceIp": (address,), "aws:ViaAWSService": (via,)}
        assert allowed(statements, "dynamodb:GetItem", BOOKS, context) is expected


def test_access_to_a_specific_table() -> None:
    statements = [
        {
            "Sid": "ListAndDescribe",
            "Effect": "Allow",
            "Action": [
                "dynamodb:List*",
                "dynamodb:DescribeReservedCapacity*",
                "dynamodb:DescribeLimits",
                "dynamodb:DescribeTimeToLive",
            ],
            "Resource": "*",
        },
        {
            "Sid": "SpecificTable",
            "Effect": "Allow",
            "Action": [
                "dynamodb:BatchGet*",
                "dynamodb:DescribeStream",
                "dynamodb:Get*",
                "dynamodb:Query",
                "dynamodb:PutItem",
            ],
            "Resource": "arn:aws:dynamodb:*:*:table/MyTable",
        },
    ]
    mine = f"arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/MyTable"
    for action, resource, expected in (
        ("dynamodb:ListTables", "*", True),
        ("dynamodb:BatchGetItem", mine, True),
        ("dynamodb:GetItem", mine, True),
        ("dynamodb:DeleteItem", mine, False),
        ("dynamodb:GetItem", BOOKS, False),
        ("dynamodb:Query", f"{mine}/index/x", False),
        ("DYNAMODB:getitem", mine, True),
        ("dynamodb:GetItem", mine.lower(), False),
    ):
        assert allowed(statements, action, resource) is expected, (action, resource)


def test_users_manage_their_own_keys() -> None:
    statement = {
        "Effect": "Allow",
        "Action": ["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys", "iam:UpdateAccessKey"],
        "Resource": "arn:aws:iam::*:user/${aws:username}",
    }
    assert allowed(statement, "iam:CreateAccessKey", ANN.arn)
    assert not allowed(statement, "iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/bob")
    assert not allowed(statement, "iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/ann/x")


def test_all_but_some_actions_without_mfa() -> None:
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Sid": "DenyAllExceptListedIfNoMFA",
            "Effect": "Deny",
            "NotAction": ["iam:GetUser", "sts:GetSessionToken"],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
    ]
    for context, expected in (
        ({"aws:MultiFactorAuthPresent": ("true",)}, True),
        ({"aws:MultiFactorAuthPresent": ("false",)}, False),
        ({}, False),
    ):
        assert allowed(statements, "dynamodb:GetItem", BOOKS, context) is expected
    assert allowed(statements, "iam:GetUser", ANN.arn)


def test_prevent_reads_of_whole_items_and_returned_values() -> None:
    """Only some attributes may be read: `Select` and `ReturnValues` close the ways around."""
    statement = {
        "Effect": "Allow",
        "Action": [
            "dynamodb:UpdateItem",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:Scan",
        ],
        "Resource": BOOKS,
        "Condition": {
            "ForAllValues:StringEquals": {"dynamodb:Attributes": ["ID", "Message", "Title"]},
            "StringEqualsIfExists": {
                "dynamodb:Select": "SPECIFIC_ATTRIBUTES",
                "dynamodb:ReturnValues": ["NONE", "UPDATED_OLD", "UPDATED_NEW"],
            },
        },
    }
    some = ("ID", "Title")
    for action, context, expected in (
        ("dynamodb:GetItem", {"dynamodb:Attributes": some}, True),
        ("dynamodb:GetItem", {"dynamodb:Attributes": (*some, "Salary")}, False),
        ("dynamodb:Query", {"dynamodb:Attributes": some, "dynamodb:Select": ("SPECIFIC_ATTRIBUTES",)}, True),
        ("dynamodb:Scan", {"dynamodb:Attributes": some, "dynamodb:Select": ("ALL_ATTRIBUTES",)}, False),
        ("dynamodb:UpdateItem", {"dynamodb:Attributes": some, "dynamodb:ReturnValues": ("UPDATED_NEW",)}, True),
        ("dynamodb:UpdateItem", {"dynamodb:Attributes": some, "dynamodb:ReturnValues": ("ALL_OLD",)}, False),
    ):
        assert allowed(statement, action, BOOKS, context) is expected, (action, context)


def test_no_index_may_be_queried() -> None:
    statements = [
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": [BOOKS, f"{BOOKS}/index/*"]},
        {"Effect": "Deny", "Action": "dynamodb:*", "Resource": f"{BOOKS}/index/*"},
    ]
    assert allowed(statements, "dynamodb:Query", BOOKS)
    assert not allowed(statements, "dynamodb:Query", f"{BOOKS}/index/by-title")


@pytest.mark.parametrize(
    ("stage", "method", "expected"),
    [("prod", "GET", True), ("prod", "POST", False), ("dev", "GET", False)],
)
def test_invoking_one_method_of_an_api(stage: str, method: str, expected: bool) -> None:
    """API Gateway Developer Guide, "Control access for invoking an API"."""
    statement = {
        "Effect": "Allow",
        "Action": ["execute-api:Invoke"],
        "Resource": [f"arn:aws:execute-api:us-east-1:{ACCOUNT}:api-id/prod/GET/*"],
    }
    resource = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:api-id/{stage}/{method}/pets/7"
    assert allowed(statement, "execute-api:Invoke", resource) is expected


def test_a_role_with_attribute_based_access() -> None:
    """IAM tutorial on attribute-based access control: principal and resource carry the same project tag."""
    statement = {
        "Effect": "Allow",
        "Action": "dynamodb:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/access-project": "${aws:PrincipalTag/access-project}"}},
    }
    tagged = {"aws:ResourceTag/access-project": ("peg",)}
    assert allowed(statement, "dynamodb:GetItem", BOOKS, {**tagged, "aws:PrincipalTag/access-project": ("peg",)})
    assert not allowed(statement, "dynamodb:GetItem", BOOKS, {**tagged, "aws:PrincipalTag/access-project": ("uni",)})
    assert not allowed(statement, "dynamodb:GetItem", BOOKS, tagged), "a variable without value equals nothing"


CARLOS = Principal(f"arn:aws:iam::{ACCOUNT}:user/carlossalazar", ACCOUNT, "user", None, "AIDAEXAMPLEEXAMPLE13", "c")
CARLOS_OWN = [
    {"Effect": "Allow", "Action": ["s3:GetAccountPublicAccessBlock", "s3:ListAccessPoints", "s3:ListAllMyBuckets"],
     "Resource": "*"},
    {"Effect": "Allow", "Action": "s3:*",
     "Resource": ["arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"]},
    {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::*log*"},
]  # fmt: skip
CARLOS_BUCKET = [
    {"Effect": "Allow", "Principal": {"AWS": CARLOS.arn}, "Action": "s3:*", "Resource": [
        "arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"]},
]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "bucket", "action", "resource", "verdict"),
    [
        (CARLOS_OWN, CARLOS_BUCKET, "s3:PutObject", "arn:aws:s3:::carlossalazar/a", "allowed"),
        (CARLOS_OWN, None, "s3:PutObject", "arn:aws:s3:::carlossalazar/a", "allowed"),
        ([], CARLOS_BUCKET, "s3:PutObject", "arn:aws:s3:::carlossalazar/a", "allowed"),
        (CARLOS_OWN, None, "s3:GetObject", "arn:aws:s3:::carlossalazar-logs/a", "explicit"),
        (CARLOS_OWN, None, "s3:GetObject", "arn:aws:s3:::other/a", "implicit"),
        (CARLOS_OWN, CARLOS_BUCKET, "s3:GetObject", "arn:aws:s3:::carlossalazar/my-log", "explicit"),
    ],
)
def test_identity_and_resource_policy_of_one_account(
    own: Any, bucket: Any, action: str, resource: str, verdict: str
) -> None:
    """IAM User Guide, "Policy evaluation for requests within a single account": Carlos and his bucket."""
    version = {"Version": "2012-10-17"}
    identity = (parse_policy({**version, "Statement": own}, "identity"),) if own else ()
    resource_policy = parse_policy({**version, "Statement": bucket}, "resource") if bucket else None
    found = evaluate(
        Question(
            Requester(CARLOS), action.lower(), resource, {}.get, PolicySet(identity), resource_policy=resource_policy
        )
    )
    assert ("allowed" if found.allowed else "explicit" if found.explicit else "implicit") == verdict


def test_a_deny_for_all_but_some_denies_whoever_has_a_boundary() -> None:
    """IAM User Guide, "Permissions boundaries for IAM entities": not to be used together."""
    version = {"Version": "2012-10-17"}
    everything = {**version, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    but_ann = [{"Effect": "Deny", "NotPrincipal": {"AWS": ANN.arn}, "Action": "*", "Resource": "*"}]
    resource_policy = parse_policy({**version, "Statement": but_ann}, "resource")
    for boundary, expected in ((None, True), (parse_policy(everything, "boundary"), False)):
        policies = PolicySet((parse_policy(everything, "identity"),), boundary)
        asked = Question(
            Requester(ANN), "dynamodb:getitem", BOOKS, {}.get, policies, resource_policy=resource_policy
        )  # fmt: skip
        assert evaluate(asked).allowed is expected
