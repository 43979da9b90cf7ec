"""After an hour of misuse, secrets stand where they are kept and nowhere else: no log, trace, error or file has one.

Requests of every service are signed and then spoiled at random (seeded); what the server answers, logs, remembers and
writes is searched for each secret that took part.
"""

from __future__ import annotations

import json
import logging
import random
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Things: {Type: AWS::Serverless::SimpleTable}
  People: {Type: AWS::Cognito::UserPool, Properties: {}}
  Web:
    Type: AWS::Cognito::UserPoolClient
    Properties: {UserPoolId: !Ref People, GenerateSecret: true, ExplicitAuthFlows: [ALLOW_USER_PASSWORD_AUTH]}
  Tell:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: tell
      Runtime: python3.11
      Handler: index.handler
      InlineCode: |
        import os
        def handler(event, context):
            return {name: os.environ[name] for name in os.environ if name.startswith("AWS_")}
Outputs:
  Pool: {Value: !Ref People}
  Web: {Value: !Ref Web}
  Secret: {Value: !GetAtt Web.ClientSecret}
"""
KEPT = {"server.json", "secrets.key", "cognito.key"}
"""Files that are there to keep secrets, for their owner alone; the store is another."""
PASSWORD = "Cl0ud-Cuckoo-Land!"
ROUNDS = 100


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    with running(tmp_path / "template.yaml", memory=False, state_directory=tmp_path / "state") as started:
        yield started


def _spoiled(request: AWSRequest, dice: random.Random) -> tuple[str, dict[str, str], bytes]:
    """A signed request with one thing changed, or none."""
    headers: dict[str, str] = {name: str(value) for name, value in request.headers.items()}
    body, url = request.data or b"", request.url
    name = dice.choice([*headers, "X-Amz-Extra"])
    value = headers.get(name, "")
    kind = dice.randrange(7)
    if kind == 0:
        headers[name] = value[: len(value) // 2]
    elif kind == 1:
        headers[name] = value.swapcase()
    elif kind == 2:
        headers.pop(name, None)
    elif kind == 3:
        body = body[:-1] + b"\x00"
    elif kind == 4:
        url += ("&" if "?" in url else "?") + "X-Amz-Security-Token=" + "A" * 40
    elif kind == 5:
        headers["Authorization"] = headers.get("Authorization", "AWS4-HMAC-SHA256 x") + ", Signature=0"
    return url, headers, body


def _answer(url: str, headers: Mapping[str, str], body: bytes) -> str:
    """Status, headers and body of an answer."""
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as told:
            return f"{told.status}\n{told.headers}{told.read().decode('utf-8', 'replace')}"
    except urllib.error.HTTPError as refused:
        with refused:
            return f"{refused.code}\n{refused.headers}{refused.read().decode('utf-8', 'replace')}"


def test_no_secret_is_told(stack: RunningStack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "trine")
    outputs = {one["name"]: one["value"] for one in stack.description["outputs"]}
    owner = stack.stack.wings.access.owner_credentials()
    role = json.loads(stack.client("lambda").invoke(FunctionName="tell")["Payload"].read())
    lent = stack.client("sts").get_session_token()["Credentials"]
    idp = stack.client("cognito-idp")
    idp.admin_create_user(UserPoolId=outputs["Pool"], Username="ada", MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=outputs["Pool"], Username="ada", Password=PASSWORD, Permanent=True)
    with pytest.raises(idp.exceptions.NotAuthorizedException):
        idp.initiate_auth(ClientId=outputs["Web"], AuthFlow="USER_PASSWORD_AUTH",
                          AuthParameters={"USERNAME": "ada", "PASSWORD": PASSWORD, "SECRET_HASH": "x"})  # fmt: skip
    secrets = {
        "owner": owner.secret_access_key,
        "role": role["AWS_SECRET_ACCESS_KEY"],
        "token of the role": role["AWS_SESSION_TOKEN"],
        "session": lent["SecretAccessKey"],
        "token of the session": lent["SessionToken"],
        "client": outputs["Secret"],
        "password": PASSWORD,
    }
    signers = [
        Credentials(owner.access_key_id, owner.secret_access_key),
        Credentials(role["AWS_ACCESS_KEY_ID"], role["AWS_SECRET_ACCESS_KEY"], role["AWS_SESSION_TOKEN"]),
        Credentials(lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"]),
    ]
    answers = list(_fuzz(stack, signers, random.Random(6)))
    assert not [answer for answer in answers if answer.startswith("500")]
    boto3.client("sts", endpoint_url=stack.aws_url, region_name="us-east-1", aws_access_key_id=owner.access_key_id,
                 aws_secret_access_key=owner.secret_access_key).get_caller_identity()  # fmt: skip
    log = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("trine"))
    heard = {"answers": "\n".join(answers), "log": log, "traces": json.dumps(_traces(stack), default=str)}
    for name, secret in secrets.items():
        for place, text in heard.items():
            assert secret not in text, f"{name} in {place}"
    state = stack.stack.settings.state_directory
    for path in state.rglob("*"):
        if path.is_file() and path.name not in KEPT and "store" not in path.relative_to(state).parts[:1]:
            content = path.read_bytes()
            for name, secret in secrets.items():
                assert secret.encode() not in content, f"{name} in {path}"


def _fuzz(stack: RunningStack, signers: list[Credentials], dice: random.Random) -> Iterator[str]:
    calls: list[tuple[str, dict[str, str], bytes]] = [
        (
            "dynamodb",
            {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"},
            b"{}",
        ),
        ("sts", {"Content-Type": "application/x-www-form-urlencoded"}, b"Action=GetCallerIdentity&Version=2011-06-15"),
        ("iam", {"Content-Type": "application/x-www-form-urlencoded"}, b"Action=ListUsers&Version=2010-05-08"),
        ("logs", {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, b"{}"),
        ("cognito-idp", {"X-Amz-Target": "AWSCognitoIdentityProviderService.ListUserPools"}, b'{"MaxResults": 1}'),
    ]
    for _ in range(ROUNDS):
        service, headers, body = dice.choice(calls)
        presigned = dice.random() < 0.3
        request = AWSRequest("POST", f"{stack.aws_url}/", headers=dict(headers), data=b"" if presigned else body)
        (SigV4QueryAuth if presigned else SigV4Auth)(dice.choice(signers), service, "us-east-1").add_auth(request)
        yield _answer(*_spoiled(request, dice))


def _traces(stack: RunningStack) -> list[Any]:
    book = stack.stack.wings.traces
    kinds = ("dynamodb", "sts", "iam", "logs", "lambda", "cognito-idp")
    return stack.call(lambda: [trace.as_document() for kind in kinds for trace in book.latest(kind, 2_000)])
