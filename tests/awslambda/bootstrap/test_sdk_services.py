"""The SDK's short ways with services other than DynamoDB, and with what clients do around a call: one server plays the
same answers to the stock SDK and to the quick one, and what was asked of it and what came of it must be the same."""

from __future__ import annotations

import datetime
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.config
import botocore.session
import pytest

from tests.waiting import PATIENCE_SECONDS, wait_until
from trine.awslambda.bootstrap import sdk_json, sdk_sign, sdk_straight, sdk_watch, sdk_wire

from .raw_server import Headers, RawServer, forget_connections
from .test_sdk import FIT, answer, quick

SENT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
QUEUE = "/123456789012/queue"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/s"


def xml(text: str) -> bytes:
    """An answer of the query protocol."""
    return answer(
        f'<R xmlns="https://x/">{text}<ResponseMetadata><RequestId>q</RequestId></ResponseMetadata></R>'.encode()
    )


def refused(code: str, status: str = "400 Bad Request", head: str = "") -> bytes:
    """A modelled error of the JSON protocol."""
    return answer({"__type": f"com.amazonaws#{code}", "message": "no ☃"}, status, head)


PARAMETER = answer({"Parameter": {"Name": "a", "Value": "ü☃", "Version": 3, "LastModifiedDate": 1700000000.25}})
MESSAGE = answer({"MessageId": "m", "MD5OfMessageBody": "900150983cd24fb0d6963f7d28e17f72"})
PAGES = [answer({"Parameters": [{"Name": "a"}], "NextToken": "t"}), answer({"Parameters": [{"Name": "b"}]})]
TABLES = [refused("ResourceNotFoundException"), answer({"Table": {"TableStatus": "ACTIVE", "CreationDateTime": 1.5}})]
Work = Callable[[Any], Any]
WORK: dict[str, tuple[str, list[bytes], Work]] = {
    "parameter": ("ssm", [PARAMETER, PARAMETER],
                  lambda ssm: [ssm.get_parameter(Name="ü"), ssm.get_parameter(Name="b", WithDecryption=True)]),
    "no parameter": ("ssm", [refused("ParameterNotFound")], lambda ssm: ssm.get_parameter(Name="a")),
    "expired key": ("ssm", [refused("ExpiredTokenException")], lambda ssm: ssm.get_parameter(Name="a")),
    "throttled": ("ssm", [refused("ThrottlingException"), refused("X", "429 Too Many Requests"), PARAMETER],
                  lambda ssm: ssm.get_parameter(Name="a")),
    "unavailable": ("ssm", [answer(b"<html>", "503 Service Unavailable")] * 3, lambda ssm: ssm.get_parameter(Name="a")),
    "pages": ("ssm", PAGES, lambda ssm: list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/"))),
    "wrong arguments": ("ssm", [], lambda ssm: ssm.get_parameter(Name=1, Nope=2)),
    "secret": ("secretsmanager", [answer({"SecretBinary": "AP8=", "VersionStages": ["A"], "CreatedDate": 1.25})],
               lambda secrets: secrets.get_secret_value(SecretId="a")),
    "secret put": ("secretsmanager", [answer({"ARN": "a"})], lambda secrets: secrets.put_secret_value(
        SecretId="a", SecretBinary=b"\0\xff", ClientRequestToken="0" * 32)),
    "message": ("sqs", [MESSAGE], lambda sqs: sqs.send_message(
        QueueUrl=f"{sqs.meta.endpoint_url}{QUEUE}", MessageBody="abc",
        MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}})),
    "no queue": ("sqs", [refused("QueueDoesNotExist", head="x-amzn-query-error: AWS.NonExistentQueue;Sender\r\n")],
                 lambda sqs: sqs.receive_message(QueueUrl=f"{sqs.meta.endpoint_url}{QUEUE}")),
    "topic": ("sns", [xml("<PublishResult><MessageId>1</MessageId></PublishResult>")],
              lambda sns: sns.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:t", Message="a b+ü")),
    "who am I": ("sts", [xml("<GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult>")],
                 lambda sts: sts.get_caller_identity()),
    "event": ("events", [answer({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})] * 2, lambda events: [
        events.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}", **more}])
        for more in ({}, {"Time": SENT})]),
    "execution": ("stepfunctions", [answer({"executionArn": "a", "startDate": 1.0})],
                  lambda states: states.start_execution(stateMachineArn="arn:aws:states:us-east-1:1:stateMachine:s")),
    "record": ("kinesis", [answer({"ShardId": "s", "SequenceNumber": "1"})] * 2, lambda kinesis: [
        kinesis.put_record(StreamName="s", Data=b"\1", PartitionKey="p"),
        kinesis.put_record(StreamARN=STREAM, Data="text", PartitionKey="p")]),
    "invoke": ("lambda", [answer(b'{"a": 1}', head="X-Amz-Function-Error: Unhandled\r\n")],
               lambda function: function.invoke(FunctionName="f:live", Payload=b"{}")["Payload"].read()),
    "busy function": ("lambda", [refused("TooManyRequestsException", "429 Too Many Requests"), answer(b"{}")],
                      lambda function: function.invoke(FunctionName="f")["Payload"].read()),
    "logs": ("logs", [answer({"events": [{"message": "m", "timestamp": 5}]})],
             lambda logs: logs.filter_log_events(logGroupName="g", startTime=1, limit=2)),
    "fractions": ("application-autoscaling", [answer({"Alarms": []})], lambda scaling: scaling.put_scaling_policy(
        PolicyName="p", ServiceNamespace="dynamodb", ResourceId="table/t",
        ScalableDimension="dynamodb:table:ReadCapacityUnits", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 70.5})),
    "waiter": ("dynamodb", TABLES, lambda table: table.get_waiter("table_exists").wait(TableName="t")),
    "hooked": ("ssm", [PARAMETER] * 3, lambda ssm: _hooked(ssm)),
    "unsigned": ("cognito-idp", [refused("NotAuthorizedException")],
                 lambda users: users.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId="c", AuthParameters={})),
}  # fmt: skip


STOCK = {"wrong arguments", "invoke", "busy function"}
"""Work whose requests the stock SDK sends: streams, and what is never sent."""


def _hooked(ssm: Any) -> Any:
    # What hooks see, may change and may answer; and that those that were taken away again see nothing.
    seen: list[Any] = []

    def look(event_name: str, **given: Any) -> None:
        seen.append((event_name, sorted(given)))

    def add(request: Any, **_: Any) -> None:
        request.headers["X-Mine"] = "1"
        seen.append(sorted(request.headers.keys()))

    def instead(**_: Any) -> Any:
        return type("Answer", (), {"status_code": 200})(), {"Parameter": {"Name": "made up"}}

    events = ssm.meta.events
    for name in ("provide-client-params", "before-parameter-build", "needs-retry", "after-call", "response-received"):
        events.register(f"{name}.ssm.GetParameter", look)
    events.register_first("request-created.ssm", add)
    answers = [ssm.get_parameter(Name="a")]
    events.register("before-call.ssm", instead)
    answers.append(ssm.get_parameter(Name="a"))
    events.unregister("before-call.ssm", instead)
    events.unregister("request-created.ssm", add)
    return seen, answers, ssm.get_parameter(Name="a")


class Player(RawServer):
    """Answers whatever comes with what it was given to play, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.asked: list[tuple[str, Headers, bytes]] = []
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, connection: socket.socket, line: str, headers: Headers, body: bytes) -> bool:
        self.asked.append((line, headers, body))
        connection.sendall(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        return True


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    made = Player()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: SENT.replace(tzinfo=None))
    monkeypatch.setattr(sdk_straight, "_now", lambda: "20261123T120000Z")
    for module in ("botocore.endpoint", "botocore.waiter"):
        monkeypatch.setattr(f"{module}.time.sleep", lambda seconds: None)


_session = boto3.session.Session()
"""One for all: it keeps the models it has read, and clients copy its hooks."""


def client(player: Player, service: str) -> Any:
    """A new client."""
    return _session.client(
        service, region_name="us-east-1", endpoint_url=player.url, aws_access_key_id="ASIAEXAMPLE",
        aws_secret_access_key="secret/KEY+1", aws_session_token="token", config=botocore.config.Config(
            read_timeout=60, connect_timeout=60))  # fmt: skip


_VARYING = ("amz-sdk-invocation-id", "User-Agent", "amz-sdk-request")


def outcome(player: Player, name: str) -> Any:
    """What a piece of work comes to, and what the server saw."""
    service, answers, work = WORK[name]
    made = client(player, service)
    player.answers, player.asked = [*answers, answer({})], []
    try:
        came = ["done", work(made)]
    except Exception as error:
        came = ["raised", [base.__name__ for base in type(error).__mro__], str(error)]
        came.append(getattr(error, "response", None))
    asked = [
        (line, [pair for pair in headers.items() if pair[0] not in _VARYING], body)
        for line, headers, body in player.asked
    ]
    attempts = [re.sub(r"ttl=[^;]*", "ttl", headers.get("amz-sdk-request", "")) for _, headers, _ in player.asked]
    agents = [sorted(re.split("[ ,]", headers["User-Agent"])) for _, headers, _ in player.asked]
    return re.sub(r"0x[0-9a-f]+", "", repr(came)), asked, attempts, agents, player.answers


@pytest.mark.parametrize("name", WORK)
def test_the_same_work_is_asked_and_comes_to_the_same(player: Player, name: str) -> None:
    stock = outcome(player, name)
    with quick():
        forget_connections()
        assert outcome(player, name) == stock
        assert bool(sdk_wire._idle) == ("wire" in FIT and name not in STOCK)  # the short road was taken


def test_threads_share_a_client(player: Player) -> None:
    player.answers = [answer({"Item": {"a": {"S": "b"}}})]
    found: list[Any] = []
    with quick(straight=True):
        made = client(player, "dynamodb")

        def ask() -> None:
            found.extend(made.get_item(TableName="t", Key={"a": {"S": "b"}})["Item"] for _ in range(20))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    assert found == [{"a": {"S": "b"}}] * 160


@pytest.mark.parametrize("straight", [False, True], ids=["quick", "straight"])
def test_a_fork_has_connections_and_ids_of_its_own(player: Player, straight: bool) -> None:
    player.answers, player.asked = [answer({})], []
    with quick(straight):
        made = client(player, "dynamodb")
        made.get_item(TableName="t", Key={"a": {"S": "b"}})
        before = player.connections
        child = os.fork()
        if child == 0:
            made.get_item(TableName="t", Key={"a": {"S": "b"}})
            os._exit(0)
        made.get_item(TableName="t", Key={"a": {"S": "b"}})
        assert os.waitpid(child, 0)[1] == 0
    wait_until(lambda: len(player.asked) == 3)
    assert player.connections == before + ("wire" in FIT)  # the stock SDK lets both speak on one
    assert len({headers["amz-sdk-invocation-id"] for _, headers, _ in player.asked}) == 3


def test_whoever_replaces_what_sends_events_sees_them_all(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = botocore.session.botocore.hooks  # type: ignore[attr-defined]
    original = hooks.HierarchicalEmitter._emit
    seen: list[str] = []

    def traced(self: Any, event_name: str, kwargs: Any, stop_on_response: bool = False) -> Any:
        seen.append(event_name.partition(".")[0])
        return original(self, event_name, kwargs, stop_on_response)

    player.answers = [answer({})]
    with quick(straight=True):
        made = client(player, "dynamodb")
        made.get_item(TableName="t", Key={"a": {"S": "b"}})
        monkeypatch.setattr(hooks.HierarchicalEmitter, "_emit", traced)
        made.get_item(TableName="t", Key={"a": {"S": "b"}})
    assert seen[:2] == ["provide-client-params", "before-parameter-build"]
    assert {"before-sign", "before-send", "needs-retry", "after-call"} <= set(seen)


def test_a_watch_tells_what_was_replaced_or_taken_away() -> None:
    class Owner:
        def one(self) -> None: ...
        def two(self) -> None: ...

    is_unchanged = sdk_watch.watch((Owner, "one two"), (json, "dumps"))
    assert is_unchanged()
    two = Owner.two
    Owner.two = Owner.one  # type: ignore[method-assign]
    assert not is_unchanged()
    Owner.two = two  # type: ignore[method-assign]
    assert is_unchanged()
    del Owner.two
    assert not is_unchanged()
    with pytest.raises(KeyError):
        sdk_watch.watch((Owner, "three"))


@pytest.mark.parametrize(
    "value", [{}, {"a": 'é☃𝒳"\\\n\x7f\ud800'}, [1, -2.5, None, True, float("inf")], "x", {"a": {"b": [{}]}}, {1: 2}]
)
def test_json_is_the_standard_librarys(value: Any) -> None:
    text = json.dumps(value)
    assert sdk_json.write(value) == text.encode()
    assert sdk_json.read(f" {text}\n".encode()) == sdk_json.read(text.encode()) == json.loads(text)


@pytest.mark.parametrize("data", [b"", b"{", b"{} x", b"nonsense", b"\xef\xbb\xbf{}", b"\xff", b'{"a":}'])
def test_what_is_no_json_is_refused_in_the_same_words(data: bytes) -> None:
    def refusal(read: Callable[[], Any]) -> tuple[type[Exception], str]:
        with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the words are compared
            read()
        return type(caught.value), str(caught.value)

    assert refusal(lambda: sdk_json.read(data)) == refusal(lambda: json.loads(data.decode("utf-8")))


def test_ids_of_calls_are_random_uuids() -> None:
    made = {sdk_sign.invocation_id() for _ in range(200)}
    assert len(made) == 200
    for text in made:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", text)
