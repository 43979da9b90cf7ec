"""The Runtime API's messages: cut from any stream of bytes, and the real awslambdaric and shell scripts against it."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.waiting import until
from trine.awslambda.guest_apis.runtime_api import Call, MalformedMessage, Reader, event_head, refusal

ID = "6f7a8b9c-0000-4000-8000-123456789012"
BASE = b"/2018-06-01/runtime"
NEXT = b"GET " + BASE + b"/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n"


def post(target: bytes, body: bytes, *headers: bytes) -> bytes:
    """A POST with a content length."""
    lines = [b"POST " + BASE + target + b" HTTP/1.1", *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(target: bytes, body: bytes, size: int) -> bytes:
    """A POST in chunks of `size`."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    encoded = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"POST " + BASE + target + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + encoded + b"0\r\n\r\n"


def feed(reader: Reader, data: bytes, cuts: list[int]) -> list[Call]:
    """Feed `data` cut at the given places."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [call for a, b in itertools.pairwise(places) for call in reader.feed(data[a:b])]


@given(
    st.binary(max_size=300), st.binary(max_size=300), st.lists(st.integers(0, 5_000), max_size=8), st.integers(1, 50)
)
def test_calls_are_the_same_however_the_stream_is_cut(a: bytes, b: bytes, cuts: list[int], size: int) -> None:
    response = f"/invocation/{ID}/response".encode()
    stream = (
        NEXT
        + post(response, a, b"Content-Type: application/json")
        + NEXT
        + chunked(response, b, size)
        + post(f"/invocation/{ID}/error".encode(), b, b"Lambda-Runtime-Function-Error-Type: Oh.No")
        + post(b"/init/error", a)
    )
    calls = feed(Reader(), stream, cuts)
    assert [(call.kind, call.request_id, call.body) for call in calls] == [
        ("next", "", b""),
        ("response", ID, a),
        ("next", "", b""),
        ("response", ID, b),
        ("error", ID, b),
        ("init_error", "", a),
    ]
    assert calls[4].error_type == "Oh.No"


@given(st.binary(max_size=400))
def test_whatever_comes_is_a_call_or_a_named_fault(data: bytes) -> None:
    try:
        for call in Reader().feed(data + b"\r\n\r\n"):
            assert call.kind in ("next", "response", "error", "init_error", "unknown")
    except MalformedMessage:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"POST " + BASE + b"/init/error HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST " + BASE + b"/init/error HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"x" * 1_200_000,
    ],
)
def test_broken_messages(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Reader().feed(data)


@settings(max_examples=12)
@given(st.lists(st.integers(0, 9_000_000), max_size=6))
def test_a_body_that_is_too_long_is_dropped_and_counted(cuts: list[int]) -> None:
    long = post(f"/invocation/{ID}/response".encode(), bytes(8_500_000))
    calls = feed(Reader(), long + NEXT, cuts)
    assert [(call.kind, call.body, call.size_bytes) for call in calls] == [
        ("response", b"", 8_500_000),
        ("next", b"", 0),
    ]


def test_a_body_that_waits_for_100_continue() -> None:
    reader = Reader()
    head, _, body = post(b"/init/error", b"{}", b"Expect: 100-continue").partition(b"\r\n\r\n")
    assert reader.feed(head + b"\r\n\r\n") == []
    assert reader.continue_wanted
    assert reader.feed(body)[0].body == b"{}"


def test_answers() -> None:
    head = event_head(b"Lambda-Runtime-Invoked-Function-Arn: arn\r\n", ID, 12, "Root=1", b'{"a":1}', 3).decode()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    for line in (
        f"Lambda-Runtime-Aws-Request-Id: {ID}",
        "Lambda-Runtime-Deadline-Ms: 12",
        "Lambda-Runtime-Trace-Id: Root=1",
        'Lambda-Runtime-Client-Context: {"a":1}',
        "Lambda-Runtime-Invoked-Function-Arn: arn",
        "Content-Length: 3",
    ):
        assert f"\r\n{line}\r\n" in head
    assert refusal(403, "InvalidStateTransition", "no").startswith(b"HTTP/1.1 403 Forbidden\r\n")


def bootstrap(folder: Path, text: str) -> Path:
    """A folder with an executable `bootstrap`."""
    file = folder / "bootstrap"
    file.write_text(text)
    file.chmod(0o755)
    return folder


def test_the_real_awslambdaric(lab: Any, tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[1] / "handlers" / "app.py", tmp_path)
    bootstrap(tmp_path, f"#!/bin/sh\nexec {sys.executable} -m awslambdaric $_HANDLER\n")
    custom = {"code": tmp_path, "Runtime": "provided.al2023", "Timeout": 10}
    assert lab.call("app.hello", {"name": "ric"}, name="ric", **custom) == {"hello": "ric"}
    registry = lab.service.registry  # it asks for its next event a while after its answer
    lab.run(until(lambda: [each["state"] for each in registry.describe_environments("ric")] == ["idle"], "idle"))
    assert json.loads(lab.invoke("ric", {"name": "again"}).payload) == {"hello": "again"}
    assert len(lab.service.registry.describe_environments("ric")) == 1
    event = {"pad": "é" * 100_000}
    assert lab.call("app.echo", event, name="ric-echo", **custom) == event
    context = lab.call("app.describe_context", name="ric-context", **custom)
    assert context["function_name"] == "ric-context"
    assert 8000 < context["remaining"] <= 10_000
    ours = lab.error("app.fail", {"what": "x"}, name="own-fail")
    theirs = lab.error("app.fail", {"what": "x"}, name="ric-fail", **custom)
    assert {k: v for k, v in ours.items() if k in ("errorType", "errorMessage")} == {
        k: v for k, v in theirs.items() if k in ("errorType", "errorMessage")
    }
    assert set(ours) == set(theirs)
    assert [line.partition(", line")[2] for line in ours["stackTrace"]] == [
        line.partition(", line")[2] for line in theirs["stackTrace"]
    ]
    for handler in ("app.absent", "missing.handler", "app.datetimes", "app.leave"):
        own = lab.error(handler, name="own-" + handler.replace(".", "-"))
        ric = lab.error(handler, name="ric-" + handler.replace(".", "-"), **custom)
        assert own["errorType"] == ric["errorType"]
        assert own["errorMessage"].rpartition("Error: ")[2] == ric["errorMessage"].rpartition("Error: ")[2]
    lab.put("app.decimals", "ric-decimals", tmp_path, Runtime="provided.al2023", Timeout=10)
    lab.put("app.decimals", "own-decimals")
    assert lab.invoke("ric-decimals").payload == lab.invoke("own-decimals").payload


SHELL = """#!/bin/sh
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  HEADERS="$(mktemp)"
  EVENT=$(curl -sS -L -D "$HEADERS" "$API/invocation/next")
  ID=$(grep -i lambda-runtime-aws-request-id "$HEADERS" | tr -d '[:space:]' | cut -d: -f2)
  case "$EVENT" in
    *wrong-id*) curl -sS -o /dev/null -w '%{http_code}\\n' -X POST "$API/invocation/nope/response" -d 1
                curl -sS -o /dev/null -w '%{http_code}\\n' "$API/invocation/next"
                curl -sS -o /dev/null -w '%{http_code}\\n' "$API/elsewhere" ;;
  esac
  curl -sS -X POST "$API/invocation/$ID/response" -d "{\\"got\\": $EVENT}" > /dev/null
done
"""


SCRIPT = f"""#!{sys.executable}
import http.client, json, os
def call(method, path, body=None):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, "/2018-06-01/runtime" + path, body)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()
while True:
    _, headers, event = call("GET", "/invocation/next")
    if b"wrong-id" in event:
        print(call("POST", "/invocation/nope/response", b"1")[0], flush=True)
        print(call("GET", "/invocation/next")[0], flush=True)
        print(call("GET", "/elsewhere")[0], flush=True)
    identifier = headers["Lambda-Runtime-Aws-Request-Id"]
    call("POST", f"/invocation/{{identifier}}/response", b'{{"got": ' + event + b"}}")
"""
SCRIPTS = [SCRIPT] + ([SHELL] if shutil.which("curl") else [])


@pytest.mark.parametrize("script", SCRIPTS, ids=["python", "shell"][: len(SCRIPTS)])
def test_a_script_as_bootstrap(lab: Any, tmp_path: Path, script: str) -> None:
    bootstrap(tmp_path, script)
    name = f"script-{len(script)}"
    custom = {"code": tmp_path, "Runtime": "provided.al2", "Timeout": 10}
    assert lab.call("any", {"a": 1}, name=name, **custom) == {"got": {"a": 1}}
    assert json.loads(lab.invoke(name, "wrong-id").payload) == {"got": "wrong-id"}
    lines = lab.log(name).splitlines()
    assert [line for line in lines if line in ("400", "403", "404")] == ["400", "403", "404"]


def test_a_stranger_gets_nothing_from_a_neighbours_runtime_api(lab: Any, tmp_path: Path) -> None:
    telling = SCRIPT.replace("""b'{"got": ' + event + b"}\"""", """json.dumps(os.environ["AWS_LAMBDA_RUNTIME_API"])""")
    assert telling != SCRIPT
    bootstrap(tmp_path, telling)
    address = lab.call("any", {}, name="neighbour", code=tmp_path, Runtime="provided.al2", Timeout=10)
    host, _, port = address.partition(":")

    async def knock() -> bytes:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    assert lab.run(knock()) == b""
    assert json.loads(lab.invoke("neighbour", 5).payload) == address


def test_a_custom_runtime_without_bootstrap(lab: Any, tmp_path: Path) -> None:
    error = lab.error("any", name="no-bootstrap", code=tmp_path, Runtime="provided.al2023")
    assert error["errorType"] == "Runtime.InvalidEntrypoint"
    assert "Couldn't find valid bootstrap(s)" in error["errorMessage"]
    (tmp_path / "bootstrap").write_text("#!/bin/sh\n")
    error = lab.error("any", name="no-permission", code=tmp_path, Runtime="provided.al2023")
    assert "permission denied" in error["errorMessage"]
