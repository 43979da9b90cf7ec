"""A function's resource policy, as AWS writes it."""

from __future__ import annotations

import json

import pytest

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.awslambda.permission import resource_policies

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


def test_the_document_is_awss() -> None:
    made = resource_policies(
        [
            {
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:a/*",
                "SourceAccount": "123456789012",
            },
            {"Action": "lambda:InvokeFunction", "Principal": "210987654321", "StatementId": "other"},
        ],
        ARN,
        Place(),
    )
    assert list(made) == [ARN]
    document = json.loads(made[ARN][0])
    assert document["Statement"][0] == {
        "Sid": "permission-1",
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {
            "ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:123456789012:a/*"},
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
        },
    }
    assert document["Statement"][1]["Principal"] == {"AWS": "arn:aws:iam::210987654321:root"}
    assert document["Statement"][1]["Sid"] == "other"


def test_no_permissions_no_policy() -> None:
    assert resource_policies([], ARN, Place()) == {}


@pytest.mark.parametrize(
    "permission",
    [
        {"Principal": "x.amazonaws.com"},
        {"Action": "s3:GetObject", "Principal": "x.amazonaws.com"},
        {"Action": "lambda:InvokeFunction"},
        {"Action": "lambda:InvokeFunction", "Principal": "x.amazonaws.com", "SourceArn": "a" * 21_000},
    ],
)
def test_what_is_refused(permission: dict[str, str]) -> None:
    with pytest.raises(AwsError):
        resource_policies([permission], ARN, Place())


def test_a_permission_that_names_an_alias_is_the_aliass() -> None:
    permission = {"Action": "lambda:InvokeFunction", "Principal": "x.amazonaws.com"}
    made = resource_policies(
        [permission, {**permission, "FunctionName": f"{ARN}:live"}, {**permission, "Qualifier": "1"}], ARN, Place()
    )
    assert list(made) == [ARN, f"{ARN}:live", f"{ARN}:1"]
