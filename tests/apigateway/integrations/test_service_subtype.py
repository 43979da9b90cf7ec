"""Service integrations of HTTP APIs: parameters become the operation's document, the answer is the route's."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.message import Request, Response
from trine.iam.access import Access

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"


@pytest.fixture
def api(make_door: Any, http: Any) -> Any:
    def make(subtype: str, service: str, parameters: dict[str, str], **change: Any) -> tuple[Any, list[Request]]:
        access = Access(ManualClock(1_800_000_000.0), SeededIds(5))
        trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = access.put_role({"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}, "direct")
        requests: list[Request] = []

        def endpoint(request: Request) -> Response:
            access.authenticate(request, service)
            requests.append(request)
            return Response(200, [(b"Content-Type", b"application/x-amz-json-1.0")], b'{"MessageId":"m1"}')

        integration = {
            "type": "AWS_PROXY",
            "integrationSubtype": subtype,
            "credentials": role,
            "requestParameters": parameters,
            "payloadFormatVersion": "1.0",
            **change,
        }
        paths = {"/orders/{id}": {"post": {"x-amazon-apigateway-integration": integration}}}
        return make_door(http(paths), access=access, services={service: endpoint}), requests

    return make


def test_a_message_is_sent(api: Any) -> None:
    attributes = '{"trace":{"DataType":"String","StringValue":"${request.header.x-trace}"}}'
    door, requests = api(
        "SQS-SendMessage",
        "sqs",
        {
            "QueueUrl": QUEUE,
            "MessageBody": "$request.body.order",
            "MessageGroupId": "$request.path.id",
            "DelaySeconds": "$request.querystring.delay",
            "MessageAttributes": attributes,
        },
    )
    response = door.call("POST", "/orders/7?delay=3", {"X-Trace": "t-1"}, b'{"order": {"n": 1}}')
    assert (response.status, response.body) == (200, b'{"MessageId":"m1"}')
    request = requests[0]
    assert request.headers.get(b"x-amz-target") == b"AmazonSQS.SendMessage"
    assert orjson.loads(request.body) == {
        "QueueUrl": QUEUE,
        "MessageBody": '{"n":1}',
        "MessageGroupId": "7",
        "DelaySeconds": 3,
        "MessageAttributes": {"trace": {"DataType": "String", "StringValue": "t-1"}},
    }


def test_the_whole_body(api: Any) -> None:
    door, requests = api("SQS-SendMessage", "sqs", {"QueueUrl": QUEUE, "MessageBody": "$request.body"})
    assert door.call("POST", "/orders/7", body=b"plain text").status == 200
    assert orjson.loads(requests[0].body)["MessageBody"] == "plain text"


@pytest.mark.parametrize(
    ("subtype", "service", "parameters", "target", "document"),
    [
        ("EventBridge-PutEvents", "events", {"Detail": "$request.body", "DetailType": "new", "Source": "shop"},
         b"AWSEvents.PutEvents", {"Entries": [{"Detail": '{"a":1}', "DetailType": "new", "Source": "shop"}]}),
        ("StepFunctions-StartExecution", "states", {"StateMachineArn": "arn:s", "Input": "$request.body"},
         b"AWSStepFunctions.StartExecution", {"stateMachineArn": "arn:s", "input": '{"a":1}'}),
        ("Kinesis-PutRecord", "kinesis", {"StreamName": "s", "Data": "ZGF0YQ==", "PartitionKey": "$request.path.id"},
         b"Kinesis_20131202.PutRecord", {"StreamName": "s", "Data": "ZGF0YQ==", "PartitionKey": "7"}),
    ],
)  # fmt: skip
def test_operations(
    api: Any, subtype: str, service: str, parameters: dict[str, str], target: bytes, document: dict[str, Any]
) -> None:
    door, requests = api(subtype, service, parameters)
    assert door.call("POST", "/orders/7", body=b'{"a":1}').status == 200
    assert requests[0].headers.get(b"x-amz-target") == target
    assert orjson.loads(requests[0].body) == document


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"QueueUrl": QUEUE, "MessageBody": "$request.body.gone"}, "needs MessageBody"),
        ({"QueueUrl": QUEUE, "MessageBody": "x", "DelaySeconds": "$request.header.x-delay"}, "is no number"),
        ({"QueueUrl": QUEUE, "MessageBody": "x", "MessageAttributes": "$request.header.x-delay"}, "is not JSON"),
    ],
)
def test_what_the_request_does_not_give(api: Any, parameters: dict[str, str], reason: str) -> None:
    door, requests = api("SQS-SendMessage", "sqs", parameters)
    response = door.call("POST", "/orders/7", {"x-delay": "soon"}, b"{}")
    assert (response.status, response.body) == (400, b'{"message":"Bad Request"}')
    assert reason in door.refusal()["reason"]
    assert not requests


def test_what_cannot_be_had(api: Any) -> None:
    door, _ = api("AppConfig-GetConfiguration", "sqs", {})
    assert door.gateway.problems == ("POST /orders/{id}: there is no service integration AppConfig-GetConfiguration",)
    door, _ = api("EventBridge-PutEvents", "sqs", {})
    assert door.gateway.problems == ("POST /orders/{id}: Trine does not offer the AWS service 'events'",)
    assert door.call("POST", "/orders/7").status == 500
    door, _ = api("SQS-SendMessage", "sqs", {"QueueUrl": QUEUE, "MessageBody": "x"}, credentials=None)
    assert door.call("POST", "/orders/7").status == 500
    assert door.refusal()["reason"] == "the service integration names no CredentialsArn"
