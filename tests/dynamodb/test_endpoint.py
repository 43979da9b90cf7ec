"""The corridor at the wire: headers, errors, and everything that is no proper request."""

from __future__ import annotations

import json
import socket
from typing import Any
from zlib import crc32

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

VALIDATION = "com.amazon.coral.validate#ValidationException"
SERIALIZATION = "com.amazon.coral.service#SerializationException"


def exchange(server: Any, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send raw bytes, read one response."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(raw)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        while len(body) < int(headers["content-length"]):
            body += connection.recv(65536)
    return int(lines[0].split()[1]), headers, body


def post(server: Any, target: str | None, body: bytes, *, signed: bool = True) -> tuple[int, dict[str, str], bytes]:
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    if target is not None:
        headers["X-Amz-Target"] = target
    request = AWSRequest("POST", f"{server.url}/", headers=headers, data=body)
    if signed:
        key = server.credentials
        SigV4Auth(
            Credentials(key["aws_access_key_id"], key["aws_secret_access_key"]), "dynamodb", "us-east-1"
        ).add_auth(request)
    lines = ["POST / HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "host"]
    return exchange(server, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def test_answers_carry_the_headers_of_aws(table_server: Any) -> None:
    status, headers, body = post(table_server, "DynamoDB_20120810.ListTables", b"{}")
    assert status == 200
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["server"] == "Server"
    assert headers["x-amz-crc32"] == str(crc32(body))
    assert len(headers["x-amzn-requestid"]) == 52
    assert headers["x-amzn-requestid"].isupper()
    assert "TableNames" in json.loads(body)


def test_an_error_has_the_shape_and_checksum_of_aws(table_server: Any) -> None:
    status, headers, body = post(table_server, "DynamoDB_20120810.GetItem", b"{}")
    assert status == 400
    assert headers["x-amz-crc32"] == str(crc32(body))
    assert json.loads(body) == {
        "__type": VALIDATION,
        "message": "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: "
        "Member must not be null; Value null at 'key' failed to satisfy constraint: Member must not be null",
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", SERIALIZATION),
        (b"null", SERIALIZATION),
        (b"[]", SERIALIZATION),
        (b"7", SERIALIZATION),
        (b'"x"', SERIALIZATION),
        (b"{", SERIALIZATION),
        (b"\xff\xfe", SERIALIZATION),
        (b'{"TableName":7}', SERIALIZATION),
        (b'{"TableName":"abc","Key":[]}', SERIALIZATION),
        (b'{"TableName":"abc","Key":{"p":{"S":"\\ud800"}}}', SERIALIZATION),
        (b'{"TableName":"abc","Key":{"p":' + b'{"M":{"a":' * 10_000 + b"1" + b"}}" * 10_000 + b"}}", SERIALIZATION),
        (b"[" * 10_000 + b"]" * 10_000, SERIALIZATION),
        (b'{"TableName":"a b","Key":{}}', VALIDATION),
        (b'{"TableName":"abc","TableName":"a;","Key":{}}', VALIDATION),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else None,
)
def test_what_is_no_proper_request_is_refused_by_name(table_server: Any, body: bytes, kind: str) -> None:
    status, _, answer = post(table_server, "DynamoDB_20120810.GetItem", body)
    assert (status, json.loads(answer)["__type"]) == (400, kind)


@pytest.mark.parametrize(
    "target", [None, "", "DynamoDB_20120810.", "DynamoDB_20120810.Nothing", "Other.GetItem", "x" * 4000]
)
def test_an_unknown_target_is_an_unknown_operation(table_server: Any, target: str | None) -> None:
    status, _, body = post(table_server, target, b"{}")
    assert (status, json.loads(body)) == (400, {"__type": "com.amazon.coral.service#UnknownOperationException"})


def test_what_is_not_built_says_so(table_server: Any) -> None:
    """What AWS would refuse is refused in its words first."""
    client = table_server.client()
    client.create_table(
        TableName="NotMore",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
    )
    group = [{"RegionName": "us-east-1"}]
    for work, code in (
        (lambda: client.update_contributor_insights(), "ValidationException"),
        (
            lambda: client.update_contributor_insights(TableName="None", ContributorInsightsAction="ENABLE"),
            "ResourceNotFoundException",
        ),
        (
            lambda: client.update_contributor_insights(TableName="NotMore", ContributorInsightsAction="ENABLE"),
            "UnsupportedOperationException",
        ),
        (lambda: client.describe_global_table(GlobalTableName="NotMore"), "GlobalTableNotFoundException"),
        (
            lambda: client.create_global_table(GlobalTableName="NotMore", ReplicationGroup=group),
            "ValidationException",
        ),
    ):
        with pytest.raises(ClientError) as refused:
            work()
        assert refused.value.response["Error"]["Code"] == code


def test_what_is_off_or_empty_is_told(client: Any, new_table: Any) -> None:
    name = new_table("p", "s")
    described = client.describe_contributor_insights(TableName=name)
    assert (described["TableName"], described["ContributorInsightsStatus"]) == (name, "DISABLED")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.describe_contributor_insights(TableName=name, IndexName="none")
    assert client.list_contributor_insights()["ContributorInsightsSummaries"] == []
    described = client.describe_kinesis_streaming_destination(TableName=name)
    assert (described["TableName"], described["KinesisDataStreamDestinations"]) == (name, [])
    assert client.list_global_tables()["GlobalTables"] == []
    for work in (client.describe_kinesis_streaming_destination, client.list_contributor_insights):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            work(TableName="NoneOfThem")


def test_a_failed_condition_with_and_without_its_item(client: Any, new_table: Any) -> None:
    """As moto recorded it on AWS in August 2026; until 2025 `Message` had a capital where the item was shown."""
    name = new_table("p")
    client.put_item(TableName=name, Item={"p": {"S": "a"}})
    for shown in ("NONE", "ALL_OLD"):
        with pytest.raises(ClientError) as refused:
            client.delete_item(
                TableName=name, Key={"p": {"S": "a"}}, ConditionExpression="attribute_not_exists(p)",
                ReturnValuesOnConditionCheckFailure=shown,
            )  # fmt: skip
        assert refused.value.response["Error"]["Message"] == "The conditional request failed"
        assert ("Item" in refused.value.response) == (shown == "ALL_OLD")
        assert refused.value.response["message"] == "The conditional request failed"


def test_a_request_without_signature_is_refused(table_server: Any) -> None:
    status, _, body = post(table_server, "DynamoDB_20120810.ListTables", b"{}", signed=False)
    assert (status, json.loads(body)["__type"]) == (
        400,
        "com.amazon.coral.service#MissingAuthenticationTokenException",
    )


def test_a_get_tells_the_service_is_healthy(table_server: Any) -> None:
    status, _, body = exchange(table_server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, body) == (200, b"healthy: dynamodb.us-east-1.amazonaws.com ")
    assert exchange(table_server, b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 404


def test_pipelined_requests_are_answered_in_order(table_server: Any) -> None:
    one = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", table_server.port), timeout=60) as connection:
        connection.sendall(one * 3)
        received = b""
        while received.count(b"healthy") < 3:
            received += connection.recv(65536)
    assert received.count(b"HTTP/1.1 200") == 3


def test_a_refusal_can_be_explained(table_server: Any) -> None:
    _, headers, _ = post(table_server, "DynamoDB_20120810.GetItem", b'{"TableName":"Absent","Key":{"p":{"S":"x"}}}')
    trace = table_server.traces.find(headers["x-amzn-requestid"])
    assert trace.title == "dynamodb:GetItem Absent"
    assert trace.refusal["code"] == "ResourceNotFoundException"
    assert [step.room for step in trace.steps] == [
        "iam.signature",
        "dynamodb.shape",
        "iam.policy",
        "dynamodb.expressions",
        "dynamodb.table",
    ]


@pytest.mark.parametrize(
    ("target", "body", "room"),
    [
        ("Nothing", b"{}", "dynamodb.dispatch"),
        ("GetItem", b"{", "dynamodb.shape"),
        ("Query", b'{"TableName":"Absent"}', "dynamodb.expressions"),
    ],
)
def test_a_refusal_names_its_room(table_server: Any, target: str, body: bytes, room: str) -> None:
    _, headers, _ = post(table_server, f"DynamoDB_20120810.{target}", body)
    assert table_server.traces.find(headers["x-amzn-requestid"]).refusal["room"] == room


def test_a_role_may_only_what_its_policy_says(table_server: Any, client: Any, new_table: Any) -> None:
    name = new_table("p")
    arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}"
    role = "reader"
    table_server.call(
        lambda: table_server.access.put_role(
            {
                "RoleName": role,
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
                "Policies": [
                    {
                        "PolicyName": "own-rows",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": ["dynamodb:GetItem", "dynamodb:Query"],
                                    "Resource": arn,
                                    "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["mine"]}},
                                }
                            ],
                        },
                    }
                ],
            }
        )
    )
    session = table_server.call(
        lambda: table_server.access.assume_role_for_service(
            f"arn:aws:iam::123456789012:role/{role}", "session", "lambda.amazonaws.com"
        )
    )
    reader = boto3.client(
        "dynamodb",
        endpoint_url=table_server.url,
        region_name="us-east-1",
        aws_access_key_id=session.access_key_id,
        aws_secret_access_key=session.secret_access_key,
        aws_session_token=session.session_token,
    )
    client.put_item(TableName=name, Item={"p": {"S": "mine"}})
    assert reader.get_item(TableName=name, Key={"p": {"S": "mine"}})["Item"] == {"p": {"S": "mine"}}
    for refused in (
        lambda: reader.get_item(TableName=name, Key={"p": {"S": "theirs"}}),
        lambda: reader.put_item(TableName=name, Item={"p": {"S": "mine"}}),
        lambda: reader.query(
            TableName=name, KeyConditionExpression="p = :p", ExpressionAttributeValues={":p": {"S": "theirs"}}
        ),
    ):
        with pytest.raises(reader.exceptions.ClientError) as caught:
            refused()
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
        assert "is not authorized to perform: dynamodb:" in caught.value.response["Error"]["Message"]


def test_browsers_of_any_origin_may_call(table_server: Any) -> None:
    preflight = (
        b"OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: http://app\r\nAccess-Control-Request-Method: POST\r\n"
        b"Access-Control-Request-Headers: x-amz-target\r\n\r\n"
    )
    status, headers, _ = exchange(table_server, preflight)
    assert status == 200
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-methods"] == "POST"
    assert headers["access-control-allow-headers"] == "x-amz-target"
    status, headers, _ = exchange(
        table_server, b"POST / HTTP/1.1\r\nHost: x\r\nOrigin: http://app\r\nContent-Length: 0\r\n\r\n"
    )
    assert (status, headers["access-control-allow-origin"]) == (400, "*")
    assert "access-control-max-age" not in headers
    _, headers, _ = exchange(table_server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert not [name for name in headers if name.startswith("access-control")]
