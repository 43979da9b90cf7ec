"""Function against function: what an attacker's code can do to its neighbour with everything that it has."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.own_runtime import OWN_RUNTIME
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Attacker:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: attacker
      Runtime: OWN_RUNTIME
      Handler: index.handler
      Timeout: 20
      CodeUri: src
      Policies:
        - Statement: [{Effect: Allow, Action: 'lambda:UpdateFunctionConfiguration', Resource: '*'}]
  Victim:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: victim
      Runtime: OWN_RUNTIME
      Handler: index.victim
      CodeUri: src
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Things}}]
  People: {Type: AWS::Cognito::UserPool, Properties: {}}
Outputs:
  Table: {Value: !Ref Things}
  VictimRole: {Value: !GetAtt VictimRole.Arn}
""".replace("OWN_RUNTIME", OWN_RUNTIME)
CODE = """
import ctypes, errno, glob, os, socket, sys, urllib.error, urllib.request
import boto3
libc = ctypes.CDLL(None, use_errno=True)
def answer(url, headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as told:
            return [told.status, told.read(2000).decode("latin-1")]
    except urllib.error.HTTPError as refused:
        return [refused.code, refused.read(2000).decode("latin-1")]
def tried(deed):
    try:
        deed()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "done"
def call(number, *arguments):
    def deed():
        if libc.syscall(*[ctypes.c_long(one) for one in (number, *arguments)]) < 0:
            raise OSError(ctypes.get_errno(), "")
    return deed
def look(path):
    def deed():
        with open(path, "rb", buffering=0) as file:
            file.seek(4096)
            file.read(1)
    return deed
def reach(server):
    met = {}
    for pid in (1, server):
        buffer = ctypes.create_string_buffer(16)
        vector = (ctypes.c_long * 2)(ctypes.addressof(buffer), 16)
        met[str(pid)] = {
            "memory": tried(look(f"/proc/{pid}/mem")), "maps": tried(lambda: open(f"/proc/{pid}/maps").read(1)),
            "environ": tried(lambda: open(f"/proc/{pid}/environ").read()),
            "control": tried(lambda: os.readlink(f"/proc/{pid}/fd/4")),
            "attach": tried(call(101, 16, pid, 0, 0)),
            "read": tried(call(310, pid, ctypes.addressof(vector), 1, ctypes.addressof(vector), 1, 0)),
            "take": tried(call(438, os.pidfd_open(pid) if pid == 1 else -1, 1, 0)),
        }
    met["links"] = 0
    for one in range(64):
        try:
            with socket.socket(fileno=os.dup(one)) as found:
                met["links"] += found.family == socket.AF_UNIX
        except OSError:
            pass
    return met
def victim(event, context):
    with open("/tmp/of-the-victim", "w") as file:
        file.write(os.environ["AWS_SECRET_ACCESS_KEY"])
    return dict(os.environ)
def handler(event, context):
    if "service" in event:
        client = boto3.client(event["service"], **event.get("as", {}))
        try:
            getattr(client, event["operation"])(**event["input"])
        except client.exceptions.ClientError as error:
            return error.response["Error"]
        return {"Code": "it worked"}
    if "doors" in event:
        return {url: answer(url, event["doors"][url]) for url in event["doors"]}
    if "processes" in event:
        return reach(event["server"])
    found = {}
    for path in glob.glob("/proc/[0-9]*/environ") + event["files"] + glob.glob("/tmp/*"):
        try:
            with open(path, "rb") as file:
                found[path] = file.read(100_000).decode("latin-1")
        except OSError:
            pass
    return found
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder: Path = tmp_path_factory.mktemp("apart")
    (folder / "src").mkdir()
    (folder / "src" / "index.py").write_text(CODE)
    (folder / "template.yaml").write_text(TEMPLATE)
    with running(folder, memory=False, state_directory=folder / "state") as started:
        yield started


def ask(stack: RunningStack, function: str, event: Any) -> Any:
    answer = stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("dynamodb", "get_item", {"TableName": "{Table}", "Key": {"pk": {"S": "x"}}}),
        ("dynamodb", "execute_statement", {"Statement": 'SELECT * FROM "{Table}"'}),
        ("lambda", "invoke", {"FunctionName": "victim"}),
        ("lambda", "invoke", {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:victim"}),
        ("lambda", "get_function", {"FunctionName": "victim"}),
        ("lambda", "add_permission", {"FunctionName": "victim", "StatementId": "s", "Action": "lambda:InvokeFunction",
                                      "Principal": "*"}),
        ("lambda", "update_function_configuration", {"FunctionName": "attacker", "Role": "{VictimRole}"}),
        ("sts", "assume_role", {"RoleArn": "{VictimRole}", "RoleSessionName": "me"}),
        ("iam", "create_access_key", {"UserName": "owner"}),
        ("logs", "filter_log_events", {"logGroupName": "/aws/lambda/victim"}),
        ("cognito-idp", "list_user_pools", {"MaxResults": 1}),
    ],
)  # fmt: skip
def test_a_function_can_do_nothing_that_its_role_does_not_allow(
    stack: RunningStack, service: str, operation: str, given: dict[str, Any]
) -> None:
    outputs = {one["name"]: one["value"] for one in stack.description["outputs"]}
    filled = {name: value.format(**outputs) if isinstance(value, str) else value for name, value in given.items()}
    refused = ask(stack, "attacker", {"service": service, "operation": operation, "input": filled})
    assert refused["Code"] in ("AccessDeniedException", "AccessDenied"), refused
    if operation == "update_function_configuration":
        assert "iam:PassRole" in refused["Message"], "no function takes the role of another"


def test_credentials_of_a_neighbour_are_not_to_be_had(stack: RunningStack) -> None:
    victim = ask(stack, "victim", {})
    state = stack.stack.settings.state_directory
    assert state is not None
    files = [str(path) for path in state.rglob("*") if path.is_file()]
    assert any(path.endswith("cognito.key") for path in files)
    own = ask(stack, "attacker", {"files": files})
    secret, token = victim["AWS_SECRET_ACCESS_KEY"], victim["AWS_SESSION_TOKEN"]
    owner = stack.stack.wings.access.owner_credentials().secret_access_key
    layers = stack.stack.wings.functions.machinery.interpreters.own.layers
    assert layers.namespaces or layers.landlock, "nothing keeps functions apart on this machine"
    for path, content in own.items():
        for wanted in (secret, token, owner):
            assert wanted not in content, path
    assert not set(files) & set(own), "no file of the state is readable"


def test_credentials_that_were_taken_all_the_same_end_with_the_role(stack: RunningStack) -> None:
    victim = ask(stack, "victim", {})
    taken = {"aws_access_key_id": victim["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": victim["AWS_SECRET_ACCESS_KEY"],
             "aws_session_token": victim["AWS_SESSION_TOKEN"]}  # fmt: skip
    outputs = {one["name"]: one["value"] for one in stack.description["outputs"]}
    read = {"service": "dynamodb", "operation": "get_item", "as": taken,
            "input": {"TableName": outputs["Table"], "Key": {"pk": {"S": "x"}}}}  # fmt: skip
    assert ask(stack, "attacker", read)["Code"] == "it worked"
    mine = {name: value for name, value in taken.items() if name != "aws_session_token"}
    assert ask(stack, "attacker", {**read, "as": mine})["Code"] == "UnrecognizedClientException"
    stack.call(lambda: stack.stack.wings.access.credentials.revoke(
        next(one for one in stack.stack.wings.access.credentials.sessions()
             if one.access_key_id == taken["aws_access_key_id"])
    ))  # fmt: skip
    assert ask(stack, "attacker", read)["Code"] == "UnrecognizedClientException"


def test_neither_the_server_nor_its_own_guard_is_open_to_a_function(stack: RunningStack) -> None:
    met = ask(stack, "attacker", {"processes": True, "server": os.getpid()})
    layers = stack.stack.wings.functions.machinery.interpreters.own.layers
    if not (layers.namespaces and layers.seccomp):
        pytest.skip("this system has no namespaces or no seccomp")
    for pid in ("1", str(os.getpid())):
        assert "done" not in set(met[pid].values()), (pid, met[pid])
    assert met["links"] == 1, "its link to the runtime alone; no control, no neighbour's"


def test_the_doors_open_to_no_one_who_signs_nothing(stack: RunningStack) -> None:
    victim = ask(stack, "victim", {})
    forged = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/dynamodb/aws4_request, "
                               "SignedHeaders=host, Signature=00"}  # fmt: skip
    aws, table = stack.aws_url, stack.stack.dynamodb_url
    views = ("traces", "logs", "owner", "description", "link", "metrics", "bill", "")
    doors: dict[str, dict[str, str]] = {f"{aws}/_trine/{view}": {} for view in views}
    doors |= {f"{aws}/_trine/login?token={'A' * 32}": {}, f"{aws}/_trine/traces": {"Cookie": "trine=guess"}}
    doors |= {f"{aws}/2015-03-31/functions/": {}, f"{table}/shell": forged,
              f"{aws}/_trine/../2015-03-31/functions/victim": {}, f"{aws}//2015-03-31/functions": forged}  # fmt: skip
    told = ask(stack, "attacker", {"doors": doors})
    owner = stack.stack.wings.access.owner_credentials()
    for url, (status, body) in told.items():
        assert status >= 400 or body.startswith("<!doctype html>"), (url, status, body)  # a page, and no view
        for secret in (owner.secret_access_key, victim["AWS_SECRET_ACCESS_KEY"], victim["AWS_SESSION_TOKEN"]):
            assert secret not in body, url
