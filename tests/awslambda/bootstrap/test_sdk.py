"""The SDK's short roads against the stock SDK: the same results, exceptions, retries and requests on one server."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest

from trine.awslambda.bootstrap import sdk_guard, sdk_straight, sdk_wire

from .raw_server import Headers, RawServer, forget_connections

ITEM = {"Item": {"a": {"S": "ok"}, "n": {"N": "12"}, "b": {"B": "YQ=="}, "l": {"L": [{"BOOL": True}, {"NULL": True}]}}}


def answer(body: bytes | dict[str, Any], status: str = "200 OK", head: str = "") -> bytes:
    """A plain HTTP answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (
        f"HTTP/1.1 {status}\r\nx-amzn-RequestId: RID\r\nContent-Type: application/x-amz-json-1.0\r\n{head}"
        f"Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content


OK = answer(ITEM)
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nx-amzn-RequestId: RID\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'5\r\n{"Ite\r\n13;x=y\r\nm":{"a":{"S":"c"}}}\r\n0\r\nTrailer: x\r\n\r\n'
)
NEVER_KEPT = {"always-reset"}
NEVER_WHOLE = {*NEVER_KEPT, "wrong-chunk-size", "chunk-size-nonsense"}
"""Scenarios of which no answer is ever complete."""
Play = Callable[[socket.socket, int], bool]
"""What the server does with the n-th request of a scenario; whether the connection goes on."""


def sends(*parts: bytes, then_close: bool = False) -> Play:
    """Send the parts one by one."""

    def play(connection: socket.socket, count: int) -> bool:
        for part in parts:
            connection.sendall(part)
        return not then_close

    return play


def first(failure: Play, times: int = 1) -> Play:
    """Fail the first `times`, then answer well."""
    return lambda connection, count: (failure if count <= times else sends(OK))(connection, count)


def reset(connection: socket.socket, count: int) -> bool:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


THROTTLED = answer({"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                    "message": "slow"}, "400 Bad Request")  # fmt: skip
SCENARIOS: dict[str, Play] = {
    "plain": sends(OK),
    "in-small-pieces": sends(*[OK[at : at + 7] for at in range(0, len(OK), 7)]),
    "chunked": sends(CHUNKED),
    "wrong-chunk-size": sends(CHUNKED.replace(b"13;", b"12;")),
    "chunk-size-nonsense": sends(CHUNKED.replace(b"13;", b"zz;")),
    "connection-close": sends(answer(ITEM, head="Connection: close\r\n"), then_close=True),
    "http-1.0-to-the-end": sends(
        b"HTTP/1.0 200 OK\r\nx-amzn-RequestId: RID\r\n\r\n" + json.dumps(ITEM).encode(), then_close=True
    ),
    "repeated-headers": sends(answer(ITEM, head="X-A: 1\r\nx-a: 2\r\n")),
    "early-100": sends(b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    "refused": sends(answer({"__type": "x#ResourceNotFoundException", "message": "no"}, "400 Bad Request")),
    "denied": sends(answer({"__type": "x#AccessDeniedException", "Message": "not you"}, "400 Bad Request")),
    "throttled-twice": first(sends(THROTTLED), 2),
    "internal-once": first(sends(answer({"__type": "InternalServerError"}, "500 Internal Server Error"))),
    "html-once": first(sends(answer(b"<html>busy</html>", "503 Service Unavailable"))),
    "closed-before-the-answer": first(sends(then_close=True)),
    "reset-once": first(reset),
    "always-reset": reset,
    "empty-body": sends(answer(b"")),
    "no-json": sends(answer(b'{"Item": nonsense')),
    "large": sends(answer({"Item": {"a": {"S": "x" * 300_000}}})),
    "wrong-crc": first(sends(answer(ITEM, head="x-amz-crc32: 1\r\n"))),
}


class Server(RawServer):
    """Plays scenarios by table name and remembers what it was asked."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.requests: dict[str, list[tuple[str, Headers, bytes]]] = {}
        super().__init__()

    def answer(self, connection: socket.socket, line: str, headers: Headers, body: bytes) -> bool:
        name = json.loads(body)["TableName"]
        count = self.counts[name] = self.counts.get(name, 0) + 1
        self.requests.setdefault(name, []).append((line, headers, body))
        return SCENARIOS[name.rpartition("--")[0]](connection, count)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


FIT = {name for name, (_, names) in sdk_guard.PIECES.items() if sdk_guard.fingerprint(names) in sdk_guard.KNOWN[name]}
ALL_FIT = len(FIT) == len(sdk_guard.PIECES) and sdk_guard.fingerprint(sdk_straight.SOURCES) in sdk_straight.KNOWN
"""What fits the SDK that is installed: all of it with the locked version; these tests also run with others."""


@contextlib.contextmanager
def quick(straight: bool = False) -> Iterator[None]:
    """The SDK with every piece replaced that fits it, as in a function; with `straight` also the straight way."""
    installed = sdk_guard.install()
    if straight:
        sdk_guard.install_straight(installed)
    try:
        yield
    finally:
        for undo in reversed(installed.values()):
            undo()


def client(server: Server, **config: Any) -> Any:
    """A client of the server; its own session, so that nothing is shared."""
    return boto3.session.Session().client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{server.port}",
        aws_access_key_id="ASIAEXAMPLE",
        aws_secret_access_key="secret/KEY+1",
        aws_session_token="token" * 20,
        config=botocore.config.Config(read_timeout=60, connect_timeout=60, **config),
    )


def outcome(made: Any, table: str) -> Any:
    """What a call comes to: its answer, or its exception's class and text."""
    try:
        result = made.get_item(TableName=table, Key={"pk": {"S": "ü"}})
    except Exception as error:
        text = re.sub(r"--\w+|:\d+/|attempts: \d+", "", str(error))
        return type(error).__name__, re.sub(r"\(.*", "", text)
    result["ResponseMetadata"]["HTTPHeaders"].pop("date", None)
    return result


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)


@pytest.mark.parametrize("straight", [False, True], ids=["quick", "straight"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_outcomes_and_retries_are_the_same(server: Server, scenario: str, straight: bool) -> None:
    name = f"{scenario}--{'straight' if straight else 'quick'}"
    stock = [outcome(made, f"{name}-stock") for made in [client(server)] for _ in range(2)]
    went = sdk_straight.straight_calls
    with quick(straight):
        forget_connections()
        short = [outcome(made, name) for made in [client(server)] for _ in range(2)]
        assert sdk_wire._idle or scenario in NEVER_KEPT or "wire" not in FIT  # the short road was taken
    assert (sdk_straight.straight_calls > went) == (straight and ALL_FIT and scenario not in NEVER_WHOLE)
    assert short == stock
    assert server.counts[name] == server.counts[f"{name}-stock"]


@pytest.mark.parametrize("straight", [False, True], ids=["quick", "straight"])
def test_requests_are_the_same(server: Server, monkeypatch: pytest.MonkeyPatch, straight: bool) -> None:
    import datetime

    moment = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: moment)
    monkeypatch.setattr(sdk_straight, "_now", lambda: "20261123T120000Z")
    table = f"plain--same-{straight}"
    outcome(client(server), table)
    with quick(straight):
        made = client(server)
        outcome(made, table)
        outcome(made, table)
    stock, *short = server.requests[table]
    for line, headers, body in short:
        assert (line, body) == (stock[0], stock[2])
        unlike = {"amz-sdk-invocation-id", "User-Agent"}
        assert {k: v for k, v in headers.items() if k not in unlike} == {
            k: v for k, v in stock[1].items() if k not in unlike
        }
        assert sorted(re.split("[ ,]", headers["User-Agent"])) == sorted(re.split("[ ,]", stock[1]["User-Agent"]))


def test_a_slow_answer_is_a_read_timeout(server: Server) -> None:
    SCENARIOS["slow"] = lambda connection, count: not threading.Event().wait(1.5)
    config = {"retries": {"total_max_attempts": 1}}
    with quick():
        made = boto3.session.Session().client(
            "dynamodb",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{server.port}",
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=botocore.config.Config(read_timeout=0.2, **config),  # type: ignore[arg-type]
        )
        with pytest.raises(botocore.exceptions.ReadTimeoutError):
            made.get_item(TableName="slow--quick", Key={"pk": {"S": "x"}})


def test_nobody_there_is_an_endpoint_connection_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    class Nobody:
        pass

    nobody = Nobody()
    nobody.port = port  # type: ignore[attr-defined]
    with quick(), pytest.raises(botocore.exceptions.EndpointConnectionError):
        client(nobody, retries={"total_max_attempts": 1}).get_item(TableName="x", Key={"pk": {"S": "x"}})  # type: ignore[arg-type]


@pytest.mark.skipif("wire" not in FIT, reason="the SDK's own connections")
def test_connections_are_kept_and_a_stale_one_is_not_used(server: Server) -> None:
    with quick():
        forget_connections()
        made = client(server)
        for _ in range(5):
            outcome(made, "plain--kept")
        (pool,) = sdk_wire._idle.values()
        assert len(pool) == 1
        pool[0].shutdown(socket.SHUT_RDWR)
        assert outcome(made, "plain--kept")["Item"] == outcome(client(server), "plain--kept")["Item"]


def test_instrumented_and_loud_clients_go_the_stock_road(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    connectionpool = importlib.import_module("urllib3.connectionpool")
    seen: list[str] = []
    original = connectionpool.HTTPConnectionPool.urlopen

    def traced(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append("traced")
        return original(self, *args, **kwargs)

    with quick(straight=True):
        made = client(server)
        outcome(made, "plain--traced")
        monkeypatch.setattr(connectionpool.HTTPConnectionPool, "urlopen", traced)
        outcome(made, "plain--traced")
        assert seen == ["traced"]
        monkeypatch.setattr(connectionpool.HTTPConnectionPool, "urlopen", original)
        before = len(sdk_wire._idle)
        loud = logging.getLogger("urllib3.connectionpool")
        loud.setLevel(logging.DEBUG)
        try:
            outcome(client(server), "plain--traced")
        finally:
            loud.setLevel(logging.NOTSET)
        assert len(sdk_wire._idle) == before


def test_the_agent_follows_its_configuration(server: Server) -> None:
    with quick():
        made = client(server, user_agent_extra="mine/1")
        outcome(made, "plain--agent")
        made.meta.config.user_agent_extra = "mine/2"
        outcome(made, "plain--agent")
    agents = [headers["User-Agent"].rpartition(" ")[2] for _, headers, _ in server.requests["plain--agent"]]
    assert agents == ["mine/1", "mine/2"]


def test_an_unknown_sdk_runs_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_guard, "KNOWN", {})
    assert sdk_guard.install() == {}
    assert sdk_guard.fingerprint(("botocore.auth:NoSuchThing",)) == ""


def test_functions_use_the_short_road_unless_told_otherwise(lab: Any) -> None:
    for name, variables, quick_pieces in (
        ("quick", {}, set(lab.service.machinery.interpreters.own.replaced)),
        ("stock", {"TRINE_SDK": "stock"}, set()),
        ("straight", {"TRINE_SDK": "straight"}, {*sdk_guard.PIECES, "straight"}),
    ):
        found = lab.call("app.sdk_pieces", name=f"sdk-{name}", Environment={"Variables": variables})
        assert set(found) == quick_pieces
