"""Function URLs of a SAM template, as their clients see them: open, signed, streamed, on an alias, and refused."""

from __future__ import annotations

import base64
import http.client
import io
import json
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.pattern.conftest import Answer
from tests.pattern.conftest import http as ask
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Timeout: 1, CodeUri: src}}
Resources:
  Open:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: open
      Handler: app.handler
      FunctionUrlConfig:
        AuthType: NONE
        Cors:
          AllowOrigins: ["https://shop.example"]
          AllowMethods: [GET, POST]
          AllowHeaders: [x-token]
          ExposeHeaders: [x-shown]
          MaxAge: 60
          AllowCredentials: true
  Signed:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: signed
      Handler: app.handler
      FunctionUrlConfig: {AuthType: AWS_IAM}
  Aliased:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: aliased
      Handler: app.handler
      AutoPublishAlias: live
      FunctionUrlConfig: {AuthType: NONE}
  Streamed:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: streamed
      Runtime: nodejs20.x
      Handler: stream.handler
      Timeout: 60
      FunctionUrlConfig: {AuthType: NONE, InvokeMode: RESPONSE_STREAM}
  Throttled:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: throttled
      Handler: app.handler
      ReservedConcurrentExecutions: 0
      FunctionUrlConfig: {AuthType: NONE}
  Bare:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: bare, Handler: app.handler}
  BareUrl:
    Type: AWS::Lambda::Url
    Properties: {TargetFunctionArn: !Ref Bare, AuthType: NONE}
  HalfPermission:
    Type: AWS::Lambda::Permission
    Properties:
      {FunctionName: !Ref Bare, Action: lambda:InvokeFunctionUrl, Principal: "*", FunctionUrlAuthType: NONE}
Outputs:
  OpenUrl: {Value: !GetAtt OpenUrl.FunctionUrl}
"""

HANDLER = """
import base64, time

def handler(event, context):
    path = event["rawPath"]
    if path == "/plain":
        return {"just": "json"}
    if path == "/text":
        return "words"
    if path == "/id":
        return {"id": context.aws_request_id}
    if path == "/binary":
        return {"statusCode": 201, "body": base64.b64encode(bytes(range(256))).decode(), "isBase64Encoded": True,
                "headers": {"content-type": "image/x", "x-shown": "yes", "access-control-allow-origin": "*"},
                "cookies": ["a=1; Secure", "b=2"]}
    if path == "/raises":
        raise ValueError("no")
    if path == "/slow":
        time.sleep(5)
    if path == "/status":
        return {"statusCode": "many"}
    if path == "/headers":
        return {"statusCode": 200, "headers": {"x-bad": "a\\r\\nb: c"}}
    return {"statusCode": 200, "body": __import__("json").dumps({"event": event, "arn": context.invoked_function_arn})}
"""

STREAM = """
exports.handler = awslambda.streamifyResponse(async (event, out) => {
  const path = event.rawPath;
  if (path === '/early') throw new Error('early');
  if (path === '/raw') { out.setContentType('text/x-raw'); out.write('raw'); out.end(); return; }
  if (path === '/noprelude') {
    out.setContentType('application/vnd.awslambda.http-integration-response'); out.write('{"x": 1}'); out.end(); return;
  }
  const http = awslambda.HttpResponseStream.from(out, {
    statusCode: 202, headers: {'content-type': 'text/event-stream', 'x-a': 'b'}, cookies: ['c=3'],
  });
  http.write('data: one\\n\\n');
  if (path === '/midway') { await new Promise((r) => setTimeout(r, 30)); throw new Error('midway'); }
  const port = /^\\/until\\/(\\d+)$/.exec(path);
  if (port) await new Promise((r) => require('net').connect(Number(port[1]), '127.0.0.1').on('data', r));
  http.write('data: two\\n\\n');
  http.end();
});
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("urls")
    (folder / "src").mkdir()
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "src" / "app.py").write_text(HANDLER)
    (folder / "src" / "stream.js").write_text(STREAM)
    with running(folder) as running_stack:
        yield running_stack


def url_of(stack: RunningStack, function: str) -> dict[str, Any]:
    found: dict[str, Any] = next(url for url in stack.description["functionUrls"] if url["function"] == function)
    return found


def get(
    stack: RunningStack, function: str, path: str = "", method: str = "GET", body: Any = None, **headers: str
) -> Answer:
    return ask(method, url_of(stack, function)["pathUrl"] + path, body, headers)


def test_the_event_is_payload_2_0(stack: RunningStack) -> None:
    url = url_of(stack, "open")
    answer = ask(
        "POST",
        url["pathUrl"] + "a%20b/c?x=1&x=2&y=%26",
        b"\x00\xff",
        {"Cookie": "k=v; l=w", "X-Many": "1", "Content-Type": "application/octet-stream", "User-Agent": "tester"},
    )
    event = answer.json()["event"]
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", "/a b/c")
    assert event["rawQueryString"] == "x=1&x=2&y=%26"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "&"}
    assert event["cookies"] == ["k=v", "l=w"]
    assert event["headers"]["x-many"] == "1"
    assert event["headers"]["x-forwarded-proto"] == "http"
    assert event["headers"]["x-amzn-trace-id"] == answer.headers["X-Amzn-Trace-Id"]
    assert (event["body"], event["isBase64Encoded"]) == (base64.b64encode(b"\x00\xff").decode(), True)
    context = event["requestContext"]
    assert (context["accountId"], context["apiId"], context["domainPrefix"]) == ("anonymous", url["id"], url["id"])
    assert context["domainName"] == f"{url['id']}.lambda-url.us-east-1.on.aws"
    assert context["requestId"] == answer.headers["x-amzn-RequestId"]
    assert context["http"] == {
        "method": "POST", "path": "/a b/c", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "tester",
    }  # fmt: skip
    assert "authorizer" not in context
    assert "pathParameters" not in event


def test_the_request_has_the_invocations_id(stack: RunningStack) -> None:
    answer = ask("GET", url_of(stack, "open")["pathUrl"] + "id")
    assert answer.json() == {"id": answer.headers["x-amzn-RequestId"]}
    explained = stack.explain(answer.headers["x-amzn-RequestId"])
    assert explained is not None
    assert explained["kind"] == "lambda-url"


def test_the_host_says_which_url(stack: RunningStack) -> None:
    url = url_of(stack, "open")
    place = urlsplit(stack.url)
    assert urlsplit(url["url"]).hostname == f"{url['id']}.lambda-url.us-east-1.localhost"
    for host in (f"{urlsplit(url['url']).netloc}", f"{url['id']}.lambda-url.us-east-1.on.aws"):
        connection = http.client.HTTPConnection(place.hostname or "", place.port or 0, timeout=60)
        connection.request("GET", "/deep/path", headers={"Host": host})
        event = json.loads(connection.getresponse().read())["event"]
        assert event["rawPath"] == "/deep/path"
        assert event["requestContext"]["domainName"] == host.partition(":")[0]
        connection.close()


def test_answers_are_inferred_or_proxy_shaped(stack: RunningStack) -> None:
    plain = get(stack, "open", "plain")
    assert (plain.status, plain.headers["Content-Type"], plain.json()) == (200, "application/json", {"just": "json"})
    assert plain.body == b'{"just":"json"}'  # written anew, not as the runtime wrote it
    assert get(stack, "open", "text").body == b"words"
    binary = get(stack, "open", "binary")
    assert (binary.status, binary.headers["Content-Type"], binary.body) == (201, "image/x", bytes(range(256)))
    assert binary.headers.get_all("Set-Cookie") == ["a=1; Secure", "b=2"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("raises", 502, b"Internal Server Error"),
        ("slow", 504, b"Gateway Timeout"),
        ("status", 502, b"Internal Server Error"),
        ("headers", 502, b"Internal Server Error"),
    ],
)
def test_a_function_that_fails(stack: RunningStack, path: str, status: int, body: bytes) -> None:
    answer = get(stack, "open", path)
    assert (answer.status, answer.body) == (status, body)
    explained = stack.explain(answer.headers["x-amzn-RequestId"])
    assert explained is not None
    assert explained["refusal"]


def test_refusals_before_the_function(stack: RunningStack) -> None:
    large = get(stack, "open", "", "POST", b"x" * 6_300_000)
    assert large.status == 413
    assert large.json()["message"].startswith("Request must be smaller than 6291456 bytes")
    throttled = get(stack, "throttled")
    assert (throttled.status, throttled.json()["Reason"]) == (429, "ReservedFunctionConcurrentInvocationLimitExceeded")
    unknown = ask("GET", f"{stack.url}/_urls/nobody/")
    assert (unknown.status, unknown.body) == (403, b'{"Message":null}')
    assert ask("GET", stack.url, headers={"Host": "a b.lambda-url.x"}).status in (400, 403)


def test_an_open_url_needs_both_permissions(stack: RunningStack) -> None:
    refused = get(stack, "bare")
    assert refused.status == 403
    assert refused.headers["x-amzn-ErrorType"] == "AccessDeniedException"
    assert refused.json()["Message"].startswith("Forbidden. For troubleshooting Function URL authorization issues")
    explained = stack.explain(refused.headers["x-amzn-RequestId"])
    assert explained is not None
    assert "lambda:InvokeFunction " in explained["refusal"]["reason"]


def test_cors(stack: RunningStack) -> None:
    asks = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    preflight = get(stack, "open", "x", "OPTIONS", **asks)
    assert (preflight.status, preflight.body) == (200, b"")
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET,POST"
    assert preflight.headers["Access-Control-Allow-Headers"] == "x-token"
    assert preflight.headers["Access-Control-Max-Age"] == "60"
    assert preflight.headers["Access-Control-Allow-Credentials"] == "true"
    foreign = get(stack, "open", "x", "OPTIONS", **{**asks, "Origin": "https://evil.example"})
    assert foreign.headers["Access-Control-Allow-Origin"] is None
    simple = get(stack, "open", "binary", Origin="https://shop.example")
    assert simple.headers.get_all("Access-Control-Allow-Origin") == ["https://shop.example"]  # type: ignore[attr-defined]
    assert simple.headers["Access-Control-Expose-Headers"] == "x-shown"
    assert get(stack, "open", "binary").headers["Access-Control-Allow-Origin"] is None


def test_an_alias_has_a_url_of_its_own(stack: RunningStack) -> None:
    answer = get(stack, "aliased")
    assert answer.status == 200
    assert answer.json()["arn"].endswith(":function:aliased:live")


def signed(stack: RunningStack, key: str, secret: str) -> Answer:
    url = url_of(stack, "signed")["pathUrl"] + "x?b=2&a=1"
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials(key, secret), "lambda", "us-east-1").add_auth(request)
    return ask("GET", url, headers=dict(request.headers))


def test_a_signed_url(stack: RunningStack) -> None:
    assert (get(stack, "signed").status, get(stack, "signed").body) == (403, b'{"Message":"Forbidden"}')
    owner = stack.stack.wings.access.owner_credentials()
    answer = signed(stack, owner.access_key_id, owner.secret_access_key)
    identity = answer.json()["event"]["requestContext"]["authorizer"]["iam"]
    assert identity["accessKey"] == owner.access_key_id
    assert identity["userArn"] == owner.principal.arn
    wrong = signed(stack, owner.access_key_id, "wrong")
    assert (wrong.status, wrong.headers["x-amzn-ErrorType"]) == (403, "InvalidSignatureException")


def test_a_signed_url_asks_the_callers_policies(stack: RunningStack) -> None:
    iam = stack.client("iam")
    iam.create_user(UserName="visitor")
    key = iam.create_access_key(UserName="visitor")["AccessKey"]
    assert signed(stack, key["AccessKeyId"], key["SecretAccessKey"]).status == 403
    statements = [
        {"Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": "*",
         "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}},
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*",
         "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}},
    ]  # fmt: skip
    for count, status in ((1, 403), (2, 200)):
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements[:count]})
        iam.put_user_policy(UserName="visitor", PolicyName="p", PolicyDocument=policy)
        assert signed(stack, key["AccessKeyId"], key["SecretAccessKey"]).status == status


def open_stream(stack: RunningStack, path: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    parts = urlsplit(url_of(stack, "streamed")["pathUrl"] + path)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=60)
    connection.request("GET", parts.path)
    return connection, connection.getresponse()


def test_a_streamed_url_sends_each_piece_as_it_comes(stack: RunningStack) -> None:
    told = socket.create_server(("127.0.0.1", 0))
    connection, response = open_stream(stack, f"until/{told.getsockname()[1]}")
    assert (response.status, response.headers["content-type"], response.headers["x-a"]) == (
        202, "text/event-stream", "b",
    )  # fmt: skip
    assert response.headers["Set-Cookie"] == "c=3"
    assert response.read(11) == b"data: one\n\n"
    waiting, _ = told.accept()  # the first piece is here; the second is made when the function is told
    waiting.sendall(b"go on")
    assert response.read() == b"data: two\n\n"
    for one in (waiting, told, connection):
        one.close()


def test_a_stream_without_a_prelude_and_broken_ones(stack: RunningStack) -> None:
    connection, raw = open_stream(stack, "raw")
    assert (raw.status, raw.headers["Content-Type"], raw.read()) == (200, "text/x-raw", b"raw")
    connection.close()
    for path in ("early", "noprelude"):
        connection, failed = open_stream(stack, path)
        assert (failed.status, failed.read()) == (502, b"Internal Server Error")
        connection.close()
    connection, broken = open_stream(stack, "midway")
    assert broken.status == 202
    with pytest.raises(http.client.IncompleteRead) as cut:
        broken.read()
    assert cut.value.partial == b"data: one\n\n"
    connection.close()


def test_outputs_say_where_it_answers_here(stack: RunningStack) -> None:
    output = stack.description["outputs"][0]
    url = url_of(stack, "open")
    assert (output["value"], output["localUrl"]) == (url["awsUrl"], url["url"])


def test_a_url_made_by_the_api_answers(stack: RunningStack) -> None:
    client = stack.client("lambda")
    iam = stack.client("iam")
    role = next(one["Arn"] for one in iam.list_roles()["Roles"] if "Bare" in one["RoleName"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", HANDLER)
    client.create_function(
        FunctionName="later",
        Runtime="python3.11",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": packed.getvalue()},
    )
    address = urlsplit(client.create_function_url_config(FunctionName="later", AuthType="NONE")["FunctionUrl"])
    assert address.port == urlsplit(stack.url).port

    def status() -> int:
        return ask("GET", stack.url + "/plain", headers={"Host": address.netloc}).status

    assert status() == 403
    grant = {"FunctionName": "later", "Principal": "*"}
    client.add_permission(**grant, StatementId="a", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    client.add_permission(**grant, StatementId="b", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    assert status() == 200
    client.delete_function(FunctionName="later")
    assert status() == 403


def test_ids_stay_the_same_and_properties_are_enforced(stack: RunningStack) -> None:
    assert len(url_of(stack, "open")["id"]) == 32
    rows = [row for row in stack.description["manifest"] if row["type"] == "AWS::Lambda::Url"]
    assert {row["fidelity"] for row in rows} == {"enforced"}


def test_a_wrong_setting_is_refused(tmp_path: Path) -> None:
    from trine.cloudformation.faults import TemplateFaults

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(HANDLER)
    (tmp_path / "template.yaml").write_text(TEMPLATE.replace("AllowMethods: [GET, POST]", "AllowMethods: [FETCH]"))
    with pytest.raises(TemplateFaults) as faults, running(tmp_path):
        pass
    assert "AllowMethods: 'FETCH' is none of" in str(faults.value)
