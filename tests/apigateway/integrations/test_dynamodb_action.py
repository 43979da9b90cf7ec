"""Straight to DynamoDB: the operation's document, the role's signature, statuses mapped."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from trine.apigateway.integrations.signing import sign_post
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.message import Headers, Request, Response
from trine.iam.access import Access


def role_for(service: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}


class Table:
    """A table endpoint that verifies signatures and remembers."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.requests: list[Request] = []
        self.callers: list[Any] = []
        self.answer = Response(200, [(b"x-amzn-RequestId", b"ddb-1")], b'{"Item":{"name":{"S":"Ann"}}}')
        self.later = False

    def handle(self, request: Request) -> Any:
        self.requests.append(request)
        self.callers.append(self.access.authenticate(request, "dynamodb"))
        if self.later:
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.set_result, self.answer)
            return future
        return self.answer


@pytest.fixture
def api(make_door: Any, rest: Any) -> Any:
    def make(service: str = "apigateway.amazonaws.com", **change: Any) -> tuple[Any, Table]:
        access = Access(ManualClock(1_800_000_000.0), SeededIds(5))
        role = access.put_role(role_for(service), "direct")
        table = Table(access)
        template = '{"TableName":"Users","Key":{"id":{"S":"$util.escapeJavaScript($input.params(\'id\'))"}}}'
        integration = {
            "type": "aws",
            "httpMethod": "POST",
            "uri": "arn:aws:apigateway:us-east-1:dynamodb:action/GetItem",
            "credentials": role,
            "requestTemplates": {"application/json": template},
            "responses": {
                "default": {
                    "statusCode": "200",
                    "responseTemplates": {"application/json": '{"name":"$input.path(\'$.Item.name.S\')"}'},
                },
                "4\\d{2}": {"statusCode": "400", "responseTemplates": {"application/json": '{"bad":true}'}},
            },
            **change,
        }
        paths = {"/u/{id}": {"get": {"x-amazon-apigateway-integration": integration}}}
        return make_door(rest(paths), access=access, services={"dynamodb": table.handle}), table

    return make


@pytest.mark.parametrize("later", [False, True])
def test_get_item(api: Any, later: bool) -> None:
    door, table = api()
    table.later = later
    response = door.call("GET", '/u/a"b')
    assert (response.status, response.body) == (200, b'{"name":"Ann"}')
    request = table.requests[0]
    assert request.headers.get(b"x-amz-target") == b"DynamoDB_20120810.GetItem"
    assert orjson.loads(request.body) == {"TableName": "Users", "Key": {"id": {"S": 'a"b'}}}
    caller = table.callers[0]
    assert caller.principal.arn == "arn:aws:sts::123456789012:assumed-role/direct/BackplaneAssumeRoleSession"
    assert caller.session.trace is next(door.traces.latest("apigateway"))
    door.call("GET", "/u/2")
    assert table.callers[1].session is caller.session


def test_errors_of_the_table_are_mapped(api: Any) -> None:
    door, table = api()
    table.answer = Response(400, [], b'{"__type":"x#ResourceNotFoundException"}')
    response = door.call("GET", "/u/1")
    assert (response.status, response.body) == (400, b'{"bad":true}')


def test_a_role_that_does_not_trust_the_gateway(api: Any) -> None:
    door, table = api("lambda.amazonaws.com")
    response = door.call("GET", "/u/1")
    assert (response.status, response.body) == (500, b'{"message": "Internal server error"}')
    assert "cannot assume" in door.refusal()["reason"]
    assert not table.requests


def test_no_role_and_no_endpoint(api: Any, make_door: Any) -> None:
    door, _ = api(credentials=None)
    assert door.call("GET", "/u/1").status == 500
    door, _ = api(uri="arn:aws:apigateway:us-east-1:sqs:path/queue")
    assert "AWS integrations are built for Lambda and DynamoDB actions" in door.apis[0].problems[0]


def test_signatures_hold() -> None:
    access = Access(ManualClock(1_800_000_000.0), SeededIds(5))
    role = access.put_role(role_for("apigateway.amazonaws.com"), "direct")
    session = access.assume_role_for_service(role, "session", "apigateway.amazonaws.com")
    for body in (b"", b"{}", "ä".encode()):
        pairs = sign_post(
            session, "dynamodb", "us-east-1", "h.example", [(b"X-Amz-Target", b"a.B")], body, 1_800_000_000
        )
        caller = access.authenticate(Request("POST", b"/", Headers(pairs), body), "dynamodb")
        assert caller.principal == session.principal
