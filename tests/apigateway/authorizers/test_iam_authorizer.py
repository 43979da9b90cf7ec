"""AWS_IAM and resource policies, with real signatures made by botocore."""

from __future__ import annotations

import datetime as dt
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.iam.access import Access

ARN = "arn:aws:execute-api:us-east-1:123456789012:rest01"


def role(*statements: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statements = statements or (statement(resource="arn:aws:execute-api:*:*:nothing"),)
    return {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}],
    }


class Signer:
    """Signs requests as a role with the given statements."""

    def __init__(self, clock: ManualClock, *statements: dict[str, Any]) -> None:
        self.clock = clock
        self.access = Access(clock, SeededIds(3))
        arn = self.access.put_role(role(*statements), "caller")
        self.session = self.access.assume_role_for_service(arn, "session", "lambda.amazonaws.com")

    def headers(self, method: str, path: str) -> dict[str, str]:
        request = AWSRequest(method, "http://127.0.0.1:3000" + path, headers={"Host": "127.0.0.1:3000"})
        credentials = Credentials(
            self.session.access_key_id, self.session.secret_access_key, self.session.session_token
        )
        now = dt.datetime.fromtimestamp(self.clock.now(), dt.UTC)
        signer = botocore.auth.SigV4Auth(credentials, "execute-api", "us-east-1")
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        request.headers["X-Amz-Date"] = request.context["timestamp"]
        if credentials.token:
            request.headers["X-Amz-Security-Token"] = credentials.token
        canonical = signer.canonical_request(request)
        to_sign = signer.string_to_sign(request, canonical)
        signer._inject_signature_to_request(request, signer.signature(to_sign, request))
        return dict(request.headers.items())


def statement(effect: str = "Allow", resource: str = "*") -> dict[str, Any]:
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}


@pytest.fixture
def api(make_door: Any, rest: Any, lambda_proxy: Any) -> Any:
    def make(*statements: dict[str, Any], policy: Any = None) -> tuple[Any, Signer]:
        clock = ManualClock(1_800_000_000.0)
        signer = Signer(clock, *statements)
        scheme = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
        body: dict[str, Any] = {"securityDefinitions": {"I": scheme}}
        if policy is not None:
            body["x-amazon-apigateway-policy"] = {"Version": "2012-10-17", "Statement": policy}
        paths = {"/x": {"get": lambda_proxy(security=[{"I": []}])}, "/open": {"get": lambda_proxy()}}
        return make_door(rest(paths, body=body), access=signer.access), signer

    return make


def test_a_signed_request(api: Any) -> None:
    door, signer = api(statement(resource=f"{ARN}/Prod/GET/x"))
    response = door.call("GET", "/x", signer.headers("GET", "/x"))
    assert response.status == 200, response.body
    identity = door.invoker.event["requestContext"]["identity"]
    assert identity["userArn"] == "arn:aws:sts::123456789012:assumed-role/caller/session"
    assert identity["accountId"] == "123456789012"
    assert identity["accessKey"] == signer.session.access_key_id
    assert identity["caller"] == identity["user"]


def test_refusals(api: Any, get_header: Any) -> None:
    door, signer = api(statement(resource=f"{ARN}/Prod/POST/*"))
    response = door.call("GET", "/x")
    assert (response.status, response.body) == (403, b'{"message":"Missing Authentication Token"}')
    response = door.call("GET", "/x", signer.headers("GET", "/x"))
    assert response.status == 403
    assert response.body == (
        b'{"Message":"User: arn:aws:sts::123456789012:assumed-role/caller/session is not authorized to perform: '
        b"execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********9012:rest01/Prod/GET/x because no "
        b'identity-based policy allows the execute-api:Invoke action"}'
    )
    assert get_header(response, "x-amzn-ErrorType") == "AccessDeniedException"
    headers = signer.headers("GET", "/x")
    headers["Authorization"] = headers["Authorization"][:-4] + "0000"
    response = door.call("GET", "/x", headers)
    assert (response.status, get_header(response, "x-amzn-ErrorType")) == (403, "InvalidSignatureException")
    headers = signer.headers("GET", "/x")
    signer.clock.advance(4_000)
    assert door.call("GET", "/x", headers).status == 403
    assert not door.invoker.requests


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/open", 200),
        ("/admin/a", 403),
        ("/%61dmin/a", 403),
        ("/adm%69n", 403),
        ("/%61%64%6D%69%6e/a", 403),
        ("/x/../admin/a", 403),
        ("/%2561dmin", 200),
        ("/ADMIN/a", 200),
        ("/a%20b", 200),
    ],
)
def test_a_denied_path_is_denied_however_it_is_written(
    make_door: Any, rest: Any, lambda_proxy: Any, path: str, status: int
) -> None:
    signer = Signer(ManualClock(1_800_000_000.0), statement(), statement("Deny", f"{ARN}/Prod/GET/admin*"),
                    statement("Deny", f"{ARN}/Prod/GET/x/../admin*"))  # fmt: skip
    scheme = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
    paths = {"/{proxy+}": {"get": lambda_proxy(security=[{"I": []}])}}
    door = make_door(rest(paths, body={"securityDefinitions": {"I": scheme}}), access=signer.access)
    response = door.call("GET", path, signer.headers("GET", path))
    assert response.status == status, response.body
    assert bool(door.invoker.requests) == (status == 200)


def test_http_apis_say_forbidden(make_door: Any, http: Any, lambda_proxy: Any) -> None:
    signer = Signer(ManualClock(1_800_000_000.0), statement(resource="arn:aws:execute-api:*:*:http01/*/GET/x"))
    scheme = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
    operation = lambda_proxy(security=[{"I": []}], integration={"payloadFormatVersion": "2.0"})
    template = http(
        {"/x": {"get": operation, "put": operation}}, body={"components": {"securitySchemes": {"I": scheme}}}
    )
    door = make_door(template, access=signer.access)
    assert door.call("GET", "/x", signer.headers("GET", "/x")).status == 200
    iam = door.invoker.event["requestContext"]["authorizer"]["iam"]
    assert iam["userArn"] == "arn:aws:sts::123456789012:assumed-role/caller/session"
    assert iam["cognitoIdentity"] is None
    for headers in ({}, signer.headers("PUT", "/x")):
        response = door.call("PUT", "/x", headers)
        assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')


def test_a_resource_policy_alone(api: Any) -> None:
    everyone = {"Principal": "*", "Action": "execute-api:Invoke"}
    allow = {"Effect": "Allow", "Resource": "execute-api:/*", **everyone}
    block = {
        "Effect": "Deny", "Resource": "execute-api:/Prod/GET/open", **everyone,
        "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}},
    }  # fmt: skip
    door, _ = api(policy=[allow])
    assert door.call("GET", "/open").status == 200
    door, _ = api(policy=[allow, block])
    response = door.call("GET", "/open")
    assert response.status == 403
    assert response.body == (
        b'{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: '
        b'arn:aws:execute-api:us-east-1:********9012:rest01/Prod/GET/open with an explicit deny"}'
    )
    assert door.refusal()["room"] == "apigateway.resource-policy"
    door, _ = api(policy=[{**allow, "Resource": "execute-api:/Prod/POST/*"}])
    assert door.call("GET", "/open").status == 403


def test_a_resource_policy_can_admit_a_signed_caller(api: Any) -> None:
    allow = {"Effect": "Allow", "Resource": "execute-api:/*", "Action": "execute-api:Invoke",
             "Principal": {"AWS": "arn:aws:iam::123456789012:role/caller"}}  # fmt: skip
    door, signer = api(policy=[allow])
    response = door.call("GET", "/x", signer.headers("GET", "/x"))
    assert response.status == 200, response.body
    assert door.call("GET", "/open").status == 403


def test_a_malformed_resource_policy_is_told(api: Any) -> None:
    door, _ = api(policy=[{"Effect": "Maybe"}])
    assert "resource policy is malformed" in door.gateway.problems[0]
    assert door.call("GET", "/open").status == 500
