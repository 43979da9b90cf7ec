"""Claim 13: a Lambda authorizer and IAM decide before the function is invoked."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.pattern.conftest import Application, http
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {CodeUri: src/, Runtime: python3.12}
Resources:
  Front:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      Auth:
        Authorizers:
          Token: {FunctionArn: !GetAtt Check.Arn, Identity: {ReauthorizeEvery: 0}}
  Check:
    Type: AWS::Serverless::Function
    Properties: {Handler: check.handler}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Handler: hello.handler
      Events:
        Guarded:
          {Type: Api, Properties: {RestApiId: !Ref Front, Path: /guarded, Method: get, Auth: {Authorizer: Token}}}
        Signed:
          {Type: Api, Properties: {RestApiId: !Ref Front, Path: /signed, Method: get, Auth: {Authorizer: AWS_IAM}}}
"""
CHECK = """
def handler(event, context):
    token = event["authorizationToken"]
    if token == "broken":
        raise ValueError("no")
    if token == "unauthorized":
        raise Exception("Unauthorized")
    effect = "Allow" if token == "let me in" else "Deny"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    return {"principalId": "ada", "context": {"level": 7},
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""
HELLO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"].get("authorizer"))}
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    template = Application(tmp_path_factory.mktemp("guarded")).write(TEMPLATE, check=CHECK, hello=HELLO)
    with running(template) as stack:
        yield stack


@pytest.mark.parametrize(
    ("token", "status", "message"),
    [
        (None, 401, "Unauthorized"),
        ("unauthorized", 401, "Unauthorized"),
        (
            "nobody",
            403,
            "User is not authorized to access this resource with an explicit deny in an identity-based policy",
        ),
        ("broken", 500, None),
    ],
)
def test_who_is_refused_reaches_no_function(
    guarded: RunningStack, token: str | None, status: int, message: str | None
) -> None:
    headers = {"Authorization": token} if token else {}
    answer = http("GET", f"{guarded.url}/guarded", headers=headers)
    assert answer.status == status
    body = answer.json()
    shown = body.get("message", body.get("Message"))
    assert message is None or shown.startswith(message.partition(" with")[0])
    hello = next(f["name"] for f in guarded.description["functions"] if f["logicalId"] == "Hello")
    explained = guarded.explain(answer.headers["x-amzn-requestid"])
    assert explained is not None
    assert hello not in [child["title"] for child in explained["children"]]


def test_who_is_let_in_brings_the_authorizer_s_context(guarded: RunningStack) -> None:
    answer = http("GET", f"{guarded.url}/guarded", headers={"Authorization": "let me in"})
    assert answer.status == 200
    assert answer.json()["principalId"] == "ada"
    assert answer.json()["level"] == "7"


def test_a_signed_request_passes_and_an_unsigned_one_does_not(guarded: RunningStack) -> None:
    url = f"{guarded.url}/signed"
    assert http("GET", url).status == 403
    key = guarded.stack.wings.access.owner_credentials()
    wish = AWSRequest(method="GET", url=url)
    SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "execute-api", "us-east-1").add_auth(wish)
    headers = {**dict(wish.headers.items()), "Host": urlsplit(url).netloc}
    assert http("GET", url, headers=headers).status == 200
