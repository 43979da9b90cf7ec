"""The AWS port: each request reaches the endpoint of the service it means."""

from __future__ import annotations

import botocore.parsers
import botocore.session
import pytest

from trine.aws.ids import SystemIds
from trine.http.message import Headers, Request, Response
from trine.stack.listeners import AwsPort, service_of

SCOPE = b"AWS4-HMAC-SHA256 Credential=AKIA/20261123/us-east-1/%b/aws4_request, SignedHeaders=host, Signature=0"


def _request(method: str = "POST", target: bytes = b"/", body: bytes = b"", **headers: bytes) -> Request:
    pairs = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    return Request(method, target, Headers(pairs), body)


@pytest.mark.parametrize(
    ("request_", "service"),
    [
        (_request(x_amz_target=b"DynamoDB_20120810.GetItem"), "dynamodb"),
        (_request(x_amz_target=b"DynamoDBStreams_20120810.ListStreams"), "dynamodb"),
        (_request(x_amz_target=b"Logs_20140328.FilterLogEvents"), "logs"),
        (_request(x_amz_target=b"AWSCognitoIdentityService.GetId"), "cognito-identity"),
        (_request(authorization=SCOPE % b"sts"), "sts"),
        (_request(authorization=SCOPE % b"lambda"), "lambda"),
        (_request(authorization=SCOPE % b"s3"), "s3"),
        (_request("GET", b"/?X-Amz-Credential=AKIA%2F20261123%2Fus-east-1%2Fiam%2Faws4_request"), "iam"),
        (_request(target=b"/2015-03-31/functions/f/invocations"), "lambda"),
        (_request(body=b"Action=GetCallerIdentity&Version=2011-06-15"), "sts"),
        (_request("GET", b"/"), None),
        (_request(authorization=b"Bearer x"), None),
    ],
)
def test_a_request_says_which_service_it_means(request_: Request, service: str | None) -> None:
    assert service_of(request_, request_.headers.get(b"x-amz-target")) == service


class _Recorder:
    def __init__(self, name: bytes) -> None:
        self.name = name

    def handle(self, request: Request) -> Response:
        return Response(200, body=self.name)


def test_the_port_hands_over_and_names_what_it_does_not_offer() -> None:
    endpoints = {"dynamodb": _Recorder(b"table"), "lambda": _Recorder(b"function")}
    port = AwsPort(endpoints, lambda request: Response(200, body=b"console"), SystemIds())

    def answer(request: Request) -> Response:
        response = port.handle(request)
        assert isinstance(response, Response)
        return response

    assert answer(_request(x_amz_target=b"DynamoDB_20120810.PutItem")).body == b"table"
    assert answer(_request("GET", b"/2015-03-31/functions")).body == b"function"
    assert answer(_request("GET", b"/_trine/explain/1")).body == b"console"
    assert answer(_request("GET", b"/")).body == b"table"
    refused = answer(_request(authorization=SCOPE % b"s3\x1b[2J"))
    assert refused.status == 501
    assert isinstance(refused.body, bytes)
    assert b"'s32J'" in refused.body


@pytest.mark.parametrize(
    ("service", "scope", "headers"),
    [
        ("ses", b"ses", {"content_type": b"application/x-www-form-urlencoded; charset=utf-8"}),
        ("rds", b"rds", {"content_type": b"application/x-www-form-urlencoded; charset=utf-8"}),
        ("ec2", b"ec2", {"content_type": b"application/x-www-form-urlencoded; charset=utf-8"}),
        ("s3", b"s3", {}),
        ("route53", b"route53", {}),
        ("cloudfront", b"cloudfront", {}),
        ("kinesis", b"kinesis", {"content_type": b"application/x-amz-json-1.1"}),
        ("sesv2", b"ses", {}),
    ],
)
def test_the_sdk_of_a_service_that_is_not_offered_reads_why(
    service: str, scope: bytes, headers: dict[str, bytes]
) -> None:
    port = AwsPort({"dynamodb": _Recorder(b"table")}, lambda request: Response(200), SystemIds())
    body = b"Action=ListThings&Version=2000-01-01" if b"form" in headers.get("content_type", b"") else b""
    answer = port.handle(_request(body=body, authorization=SCOPE % scope, **headers))
    assert isinstance(answer, Response)
    model = botocore.session.get_session().get_service_model(service)
    parser = botocore.parsers.create_parser(model.resolved_protocol)
    fields = {name.decode().lower(): value.decode() for name, value in answer.headers}
    shape = model.operation_model(model.operation_names[0]).output_shape
    told = parser.parse({"status_code": answer.status, "headers": fields, "body": answer.body}, shape)["Error"]
    assert told["Code"] == "UnknownServiceException"
    assert told["Message"].startswith(f"Trine does not offer the AWS service '{scope.decode()}'")
