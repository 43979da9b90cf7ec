"""Resource-based policies: put, got, deleted, and asked at every request."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError


def policy(arn: str, effect: str, action: str) -> str:
    statement = {"Effect": effect, "Principal": {"AWS": "*"}, "Action": action, "Resource": [arn, f"{arn}/index/*"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def code_of(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def nobody(table_server: Any) -> Any:
    """A client whose role has no policy at all."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    arn = table_server.call(
        lambda: table_server.access.put_role({"RoleName": "nobody", "AssumeRolePolicyDocument": document})
    )
    session = table_server.call(
        lambda: table_server.access.assume_role_for_service(arn, "session", "lambda.amazonaws.com")
    )
    return boto3.client(
        "dynamodb",
        endpoint_url=table_server.url,
        region_name="us-east-1",
        aws_access_key_id=session.access_key_id,
        aws_secret_access_key=session.secret_access_key,
        aws_session_token=session.session_token,
    )


def test_a_policy_is_kept_and_forgotten(client: Any, new_table: Any) -> None:
    arn = client.describe_table(TableName=new_table("p"))["Table"]["TableArn"]
    assert code_of(lambda: client.get_resource_policy(ResourceArn=arn)) == "PolicyNotFoundException"
    text = policy(arn, "Allow", "dynamodb:GetItem")
    revision = client.put_resource_policy(ResourceArn=arn, Policy=text)["RevisionId"]
    kept = client.get_resource_policy(ResourceArn=arn)
    assert (kept["Policy"], kept["RevisionId"]) == (text, revision)
    stale = {"ResourceArn": arn, "Policy": text, "ExpectedRevisionId": "NO_POLICY"}
    assert code_of(lambda: client.put_resource_policy(**stale)) == "PolicyNotFoundException"
    other = policy(arn, "Allow", "dynamodb:PutItem")
    revisions = [client.put_resource_policy(ResourceArn=arn, Policy=one)["RevisionId"] for one in (other, text, other)]
    assert len({revision, *revisions}) == 4, "each policy is a revision of its own, however quickly they follow"
    assert client.delete_resource_policy(ResourceArn=arn)["RevisionId"] == revisions[-1]
    assert "RevisionId" not in client.delete_resource_policy(ResourceArn=arn)


def test_what_is_no_policy_is_refused(client: Any, new_table: Any) -> None:
    arn = client.describe_table(TableName=new_table("p"))["Table"]["TableArn"]
    for text in ("nonsense", "{}", json.dumps({"Statement": "x" * 21_000})):
        assert code_of(lambda text=text: client.put_resource_policy(ResourceArn=arn, Policy=text)) == (
            "ValidationException"
        )


def test_a_policy_of_the_table_allows_who_has_none(client: Any, nobody: Any, new_table: Any) -> None:
    name = new_table("p")
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    client.put_item(TableName=name, Item={"p": {"S": "x"}})
    read = {"TableName": name, "Key": {"p": {"S": "x"}}}
    assert code_of(lambda: nobody.get_item(**read)) == "AccessDeniedException"
    client.put_resource_policy(ResourceArn=arn, Policy=policy(arn, "Allow", "dynamodb:GetItem"))
    assert nobody.get_item(**read)["Item"] == {"p": {"S": "x"}}
    assert code_of(lambda: nobody.put_item(TableName=name, Item={"p": {"S": "y"}})) == "AccessDeniedException"


def test_a_policy_of_the_table_denies_whoever_it_is(client: Any, new_table: Any) -> None:
    name = new_table("p", ResourcePolicy=policy("*", "Deny", "dynamodb:DeleteItem"))
    client.put_item(TableName=name, Item={"p": {"S": "x"}})
    assert code_of(lambda: client.delete_item(TableName=name, Key={"p": {"S": "x"}})) == "AccessDeniedException"
