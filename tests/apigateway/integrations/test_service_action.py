"""Straight to a service: the operation's document, the role's signature, statuses mapped."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from trine.apigateway.integrations.service_action import service_target
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.message import Headers, Request, Response
from trine.iam.access import Access
from trine.iam.signing import sign


def role_for(service: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}


class Table:
    """A service's endpoint that verifies signatures and remembers."""

    def __init__(self, access: Access, service: str = "dynamodb") -> None:
        self.access, self.service = access, service
        self.requests: list[Request] = []
        self.callers: list[Any] = []
        self.answer = Response(200, [(b"x-amzn-RequestId", b"ddb-1")], b'{"Item":{"name":{"S":"Ann"}}}')
        self.later = False

    def handle(self, request: Request) -> Any:
        self.requests.append(request)
        self.callers.append(self.access.authenticate(request, self.service))
        if self.later:
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.set_result, self.answer)
            return future
        return self.answer


@pytest.fixture
def api(make_door: Any, rest: Any) -> Any:
    def make(service: str = "apigateway.amazonaws.com", behind: str = "dynamodb", **change: Any) -> tuple[Any, Table]:
        access = Access(ManualClock(1_800_000_000.0), SeededIds(5))
        role = access.put_role(role_for(service), "direct")
        table = Table(access, behind)
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
        return make_door(rest(paths), access=access, services={behind: table.handle}), table

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


def test_no_role_and_no_endpoint(api: Any) -> None:
    door, _ = api(credentials=None)
    assert door.call("GET", "/u/1").status == 500
    door, _ = api(uri="arn:aws:apigateway:us-east-1:sqs:path/queue")
    assert door.gateway.problems == ("GET /u/{id}: Trine does not offer the AWS service 'sqs'",)
    assert door.call("GET", "/u/1").status == 500
    assert door.refusal()["reason"] == "Trine does not offer the AWS service 'sqs'"
    door, _ = api(uri="arn:aws:s3:::bucket")
    assert "names a service, not arn:aws:s3:::bucket" in door.gateway.problems[0]


def test_headers_that_the_endpoint_has_rendered_beforehand(api: Any) -> None:
    parameters = {"method.response.header.crc": "integration.response.header.x-amz-crc32"}
    template = '{"id":"$context.awsEndpointRequestId"}'
    responses = {"default": {"responseParameters": parameters, "responseTemplates": {"application/json": template}}}
    door, table = api(responses=responses)
    table.answer = Response(200, [], b'{"Item":{}}', b"x-amzn-RequestId: ddb-9\r\nx-amz-crc32: 1\r\n")
    response = door.call("GET", "/u/1")
    assert (response.status, response.body) == (200, b'{"id":"ddb-9"}')
    assert (b"crc", b"1") in response.headers


def test_an_action_of_the_query_protocol(api: Any) -> None:
    door, queue = api(
        behind="sns",
        uri="arn:aws:apigateway:us-east-1:sns:action/Publish",
        requestParameters={
            "integration.request.querystring.TopicArn": "'arn:aws:sns:us-east-1:123456789012:t'",
            "integration.request.querystring.Message": "method.request.path.id",
        },
    )
    assert door.call("GET", "/u/a b&c".replace(" ", "%20")).status == 200
    request = queue.requests[0]
    assert request.method == "POST"
    assert request.path == b"/"
    assert dict(parse_qsl(request.query.decode())) == {
        "Action": "Publish",
        "Version": "2010-03-31",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:t",
        "Message": "a%20b&c",
    }
    assert request.headers.get(b"x-amz-target") is None


def test_a_path_with_mapped_headers_and_query(api: Any) -> None:
    door, queue = api(
        behind="sqs",
        uri="arn:aws:apigateway:us-east-1:sqs:path/123456789012/{name}",
        requestParameters={
            "integration.request.path.name": "method.request.path.id",
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
        },
        requestTemplates={"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"},
    )
    assert door.call("GET", "/u/orders", body=b'{"a": 1}').status == 200
    request = queue.requests[0]
    assert request.path == b"/123456789012/orders"
    assert request.headers.get(b"content-type") == b"application/x-www-form-urlencoded"
    assert request.headers.get(b"host") == b"sqs.us-east-1.amazonaws.com"
    assert request.body == b"Action=SendMessage&MessageBody=%7B%22a%22%3A+1%7D"


def test_what_the_template_overrides(api: Any) -> None:
    template = (
        '#set($context.requestOverride.header["X-Amz-Target"] = "DynamoDB_20120810.Query")'
        '#set($context.requestOverride.querystring.q = "a b")'
        '{"x": 1}'
    )
    door, table = api(requestTemplates={"application/json": template})
    assert door.call("GET", "/u/1").status == 200
    request = table.requests[0]
    assert request.headers.get(b"x-amz-target") == b"DynamoDB_20120810.Query"
    assert request.query == b"q=a+b"
    assert request.body == b'{"x": 1}'


def test_a_service_whose_operations_are_unknown(api: Any) -> None:
    door, _ = api(behind="nosuch", uri="arn:aws:apigateway:us-east-1:nosuch:action/Do")
    assert door.call("GET", "/u/1").status == 500
    assert door.refusal()["reason"] == "the operations of nosuch are not known"


@pytest.mark.parametrize(
    ("uri", "service", "action", "path", "host"),
    [
        ("arn:aws:apigateway:eu-west-1:states:action/StartExecution", "states", "StartExecution", "/",
         "states.eu-west-1.amazonaws.com"),
        ("arn:aws:apigateway::s3:path/{bucket}/{key}", "s3", None, "/{bucket}/{key}", "s3.us-east-1.amazonaws.com"),
        ("arn:aws:apigateway:us-east-1:email:action/SendEmail", "ses", "SendEmail", "/",
         "email.us-east-1.amazonaws.com"),
        ("arn:aws:apigateway:us-east-1:streams.dynamodb:action/ListStreams", "dynamodb", "ListStreams", "/",
         "streams.dynamodb.us-east-1.amazonaws.com"),
        ("arn:aws:apigateway:us-east-1:sns:path//", "sns", None, "/", "sns.us-east-1.amazonaws.com"),
    ],
)  # fmt: skip
def test_uris(uri: str, service: str, action: str | None, path: str, host: str) -> None:
    target = service_target(uri, "us-east-1")
    assert target is not None
    assert (target.service, target.action, target.path, target.host) == (service, action, path, host)


@pytest.mark.parametrize("uri", ["", "https://x", "arn:aws:lambda:us-east-1:1:function:f", "arn:aws:apigateway:r:s:"])
def test_no_uris(uri: str) -> None:
    assert service_target(uri, "us-east-1") is None


def test_signatures_hold() -> None:
    access = Access(ManualClock(1_800_000_000.0), SeededIds(5))
    role = access.put_role(role_for("apigateway.amazonaws.com"), "direct")
    session = access.assume_role_for_service(role, "session", "apigateway.amazonaws.com")
    for method, target, body in (
        ("POST", b"/", b""),
        ("POST", b"/", b"{}"),
        ("GET", b"/a%20b/c?x=1&a=%C3%A4+b&a=", "ä".encode()),
    ):
        pairs = [(b"host", b"h.example"), (b"X-Amz-Target", b"a.B  c")]
        signed = sign(session, "dynamodb", "us-east-1", method, target, pairs, body, 1_800_000_000)
        caller = access.authenticate(Request(method, target, Headers(signed), body), "dynamodb")
        assert caller.principal == session.principal
