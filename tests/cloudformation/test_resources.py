"""Names, ids and attributes: AWS's shapes, the same at every start."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.arn import Arn, Place
from trine.cloudformation.kinds import KINDS
from trine.cloudformation.names import generated_name, lower_id
from trine.cloudformation.resources import identify

PLACE = Place()
FUNCTIONS = "arn:aws:lambda:us-east-1:123456789012:function"
QUEUES = "https://sqs.us-east-1.amazonaws.com/123456789012"


def test_generated_names_look_like_cloudformation_s() -> None:
    assert re.fullmatch(r"app-Users-[A-Z0-9]{12}", generated_name("app", "Users"))
    assert generated_name("app", "Users") == generated_name("app", "Users")
    assert generated_name("app", "Users") != generated_name("app2", "Users")
    assert re.fullmatch(r"[a-z][a-z0-9]{9}", lower_id("app", "Api", 10))


@given(
    st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,127}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9]{1,255}", fullmatch=True),
    st.sampled_from([63, 64, 80, 140, 255]),
)
def test_names_keep_their_limit_and_stay_apart(stack: str, logical_id: str, limit: int) -> None:
    name = generated_name(stack, logical_id, limit)
    assert len(name) <= limit
    assert name[-12:] == generated_name(stack, logical_id)[-12:]
    assert name != generated_name(stack, logical_id + "2", limit)


@pytest.mark.parametrize(
    ("kind", "properties", "ref", "attributes"),
    [
        ("AWS::DynamoDB::Table", {"TableName": "t"}, "t", {"Arn": "arn:aws:dynamodb:us-east-1:123456789012:table/t"}),
        ("AWS::Lambda::Function", {"FunctionName": "f"}, "f", {"Arn": f"{FUNCTIONS}:f"}),
        (
            "AWS::Lambda::Alias",
            {"FunctionName": "f", "Name": "live"},
            f"{FUNCTIONS}:f:live",
            {"AliasArn": f"{FUNCTIONS}:f:live"},
        ),
        (
            "AWS::Lambda::LayerVersion",
            {"LayerName": "l"},
            "arn:aws:lambda:us-east-1:123456789012:layer:l:1",
            {"LayerVersionArn": "arn:aws:lambda:us-east-1:123456789012:layer:l:1"},
        ),
        ("AWS::IAM::Role", {"RoleName": "r", "Path": "/a/"}, "r", {"Arn": "arn:aws:iam::123456789012:role/a/r"}),
        ("AWS::S3::Bucket", {"BucketName": "b"}, "b", {"Arn": "arn:aws:s3:::b"}),
        ("AWS::ApiGateway::Stage", {"StageName": "v1"}, "v1", {}),
        ("AWS::ApiGateway::UsagePlanKey", {"KeyId": "k", "UsagePlanId": "u"}, "k:u", {"Id": "k:u"}),
        ("AWS::SNS::Topic", {"TopicName": "t"}, "arn:aws:sns:us-east-1:123456789012:t", {"TopicName": "t"}),
        ("AWS::SQS::Queue", {"QueueName": "q"}, f"{QUEUES}/q", {"QueueName": "q"}),
    ],
)  # fmt: skip
def test_ref_and_attributes(kind: str, properties: dict[str, str], ref: str, attributes: dict[str, str]) -> None:
    identity = identify("X", kind, properties, "app", PLACE)
    assert identity.ref == ref
    assert attributes.items() <= identity.attributes.items()


def test_a_clients_secret_comes_of_the_states_key() -> None:
    def secret(key: bytes, logical_id: str = "C") -> str:
        made: str = identify(logical_id, "AWS::Cognito::UserPoolClient", {}, "app", PLACE, lambda: key).attributes[
            "ClientSecret"
        ]
        return made

    assert re.fullmatch("[a-z0-9]{52}", secret(b"one"))
    assert secret(b"one") == secret(b"one")
    assert len({secret(b"one"), secret(b"two"), secret(b"one", "D")}) == 3


def test_a_stream_has_an_arn_only_when_there_is_one() -> None:
    without = identify("T", "AWS::DynamoDB::Table", {}, "app", PLACE)
    assert "StreamArn" not in without.attributes
    streaming = {"StreamSpecification": {"StreamViewType": "KEYS_ONLY"}}
    stream = identify("T", "AWS::DynamoDB::Table", streaming, "app", PLACE).attributes["StreamArn"]
    assert re.fullmatch(r"arn:aws:dynamodb:us-east-1:\d{12}:table/app-T-\w{12}/stream/[\dT:.-]+", stream)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_whole_names_even_without_properties(kind: str) -> None:
    identity = identify("Thing", kind, {}, "app", PLACE)
    assert "{" not in identity.ref
    for name, value in identity.attributes.items():
        assert "{" not in value or value == "{}", (name, value)
        if value.startswith("arn:"):
            Arn.parse(value)


def test_the_shortest_limits_are_kept() -> None:
    long = "L" * 200
    assert len(identify(long, "AWS::Lambda::Function", {}, "s" * 100, PLACE).ref) == 64
    assert len(identify(long, "AWS::IAM::Role", {}, "s" * 100, PLACE).ref) == 64
    bucket = identify(long, "AWS::S3::Bucket", {}, "Stack", PLACE).ref
    assert bucket == bucket.lower()
    assert len(bucket) <= 63
