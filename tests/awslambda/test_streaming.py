"""Streamed answers: from the runtime's chunks to boto3's event stream, with every way in which they can end."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from tests.awslambda.test_endpoint import Door, door  # noqa: F401 - a fixture
from tests.waiting import until
from trine.awslambda import limits
from trine.awslambda.guest_apis.runtime_api import MalformedMessage, Reader
from trine.metering.usage import FunctionUse


@pytest.fixture
def streams(door: Door) -> Door:  # noqa: F811
    from tests.awslambda.conftest import HANDLERS

    door.lab.put("app.streams", "streams", code=HANDLERS / "node", Runtime="nodejs20.x", Timeout=5)
    return door


def events(door: Door, event: dict[str, Any], **members: Any) -> tuple[bytes, dict[str, Any], int]:  # noqa: F811
    """(the payload, InvokeComplete, the number of pieces) of one call through boto3."""

    def call() -> tuple[bytes, dict[str, Any], int]:
        given = {"FunctionName": "streams", "Payload": json.dumps(event).encode(), **members}
        answer = door.client.invoke_with_response_stream(**given)
        assert answer["StatusCode"] == 200
        assert answer["ExecutedVersion"] == "$LATEST"
        read = list(answer["EventStream"])
        assert all("PayloadChunk" in one for one in read[:-1])
        pieces = [one["PayloadChunk"]["Payload"] for one in read[:-1]]
        complete: dict[str, Any] = read[-1]["InvokeComplete"]
        return b"".join(pieces), complete, len(pieces)

    result: tuple[bytes, dict[str, Any], int] = door.lab.run(asyncio.to_thread(call))
    return result


def test_pieces_arrive_while_the_function_runs(streams: Door) -> None:
    payload, complete, pieces = events(streams, {"pause": 20}, LogType="Tail")
    assert payload == b"piece 0;piece 1;piece 2;"
    assert pieces == 3
    assert "REPORT RequestId" in base64.b64decode(complete["LogResult"]).decode()


def test_a_function_that_does_not_stream_is_one_piece(streams: Door) -> None:
    streams.lab.put("app.echo", "plain-streams")
    payload, complete, _ = events(streams, {"a": 1}, FunctionName="plain-streams")
    assert json.loads(payload) == {"a": 1}
    assert complete == {}


def test_an_error_before_the_first_byte(streams: Door) -> None:
    payload, complete, _ = events(streams, {"failFirst": True})
    assert payload == b""
    assert complete["ErrorCode"] == "Unhandled"
    assert json.loads(complete["ErrorDetails"])["errorType"] == "TypeError"


def test_an_error_midway(streams: Door) -> None:
    payload, complete, _ = events(streams, {"failAt": 1})
    assert payload == b"piece 0;piece 1;"
    details = json.loads(complete["ErrorDetails"])
    assert (details["errorType"], details["errorMessage"]) == ("RangeError", "midway")
    assert events(streams, {})[0] == b"piece 0;piece 1;piece 2;"  # the environment goes on


def test_a_process_that_exits_midway(streams: Door) -> None:
    payload, complete, _ = events(streams, {"exitAt": 0, "pause": 50})
    assert payload == b"piece 0;"
    details = json.loads(complete["ErrorDetails"])
    assert details["errorType"] == "Runtime.TruncatedResponse"
    assert "exit status 7" in details["errorMessage"]


def test_a_timeout_midway(streams: Door) -> None:
    from tests.awslambda.conftest import HANDLERS

    streams.lab.put("app.streams", "streams-short", code=HANDLERS / "node", Runtime="nodejs20.x", Timeout=1)
    payload, complete, _ = events(streams, {"hangAt": 0}, FunctionName="streams-short")
    assert payload == b"piece 0;"
    assert json.loads(complete["ErrorDetails"])["errorType"] == "Sandbox.Timedout"


def test_a_streamed_answer_through_invoke_is_gathered(streams: Door) -> None:
    assert streams.lab.invoke("streams", {}).payload == b"piece 0;piece 1;piece 2;"
    failed = streams.lab.invoke("streams", {"failAt": 0})
    assert failed.function_error == "Unhandled"
    assert json.loads(failed.payload)["errorType"] == "RangeError"
    large = streams.lab.invoke("streams", {"pieces": 8, "size": 1_000_000})
    assert json.loads(large.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    assert streams.lab.invoke("streams", {}).payload == b"piece 0;piece 1;piece 2;"


def test_beyond_six_megabytes_and_the_ceiling(streams: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    payload, complete, _ = events(streams, {"pieces": 9, "size": 1_000_000})
    assert (len(payload), complete) == (9_000_000, {})
    monkeypatch.setattr(limits, "RESPONSE_STREAM_MAX_BYTES", 2_000_000)
    payload, complete, _ = events(streams, {"pieces": 9, "size": 1_000_000})
    assert len(payload) <= 2_000_000
    assert json.loads(complete["ErrorDetails"])["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_reader_that_goes_away_does_not_stop_the_function(streams: Door) -> None:
    lab = streams.lab

    async def leave() -> str:
        from trine.aws.invoke import InvokeRequest

        event = json.dumps({"pieces": 20, "size": 200_000}).encode()
        answer = await lab.service.invoke_with_response_stream(InvokeRequest("streams", event))
        await anext(answer.body)
        await answer.body.aclose()
        await until(lambda: answer.body.end is not None, "the function's end")
        assert answer.body.end.function_error is None
        request_id: str = answer.request_id
        return request_id

    assert "REPORT" in lab.log("streams", lab.run(leave()))


def test_refusals_are_plain_errors(streams: Door) -> None:
    call = streams.client.invoke_with_response_stream
    assert streams.refused(call, FunctionName="nobody")[:2] == ("ResourceNotFoundException", 404)
    assert streams.refused(call, FunctionName="streams", Payload=b"{")[:2] == ("InvalidRequestContentException", 400)
    large = b'"' + bytes(limits.EVENT_MAX_BYTES) + b'"'
    assert streams.refused(call, FunctionName="streams", Payload=large.replace(b"\0", b"x"))[1] == 413
    assert streams.do(call, FunctionName="streams", InvocationType="DryRun")["StatusCode"] == 204


HEAD = (
    b"POST /2018-06-01/runtime/invocation/6f7a8b9c-0000-4000-8000-123456789012/response HTTP/1.1\r\n"
    b"Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: text/x\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_the_reader_hands_pieces_on_however_they_are_cut(size: int) -> None:
    error = base64.b64encode(b'{"errorType": "Oh"}')
    data = HEAD + b"3\r\nabc\r\n5;ext=1\r\ndefgh\r\n0\r\nLambda-Runtime-Function-Error-Type: Oh\r\n"
    data += b"Lambda-Runtime-Function-Error-Body: " + error + b"\r\n\r\n"
    data += HEAD + b"1\r\nz\r\n0\r\n\r\nGET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n"
    reader = Reader()
    calls = [call for at in range(0, len(data), size) for call in reader.feed(data[at : at + size])]
    assert b"".join(call.body for call in calls if call.kind == "part") == b"abcdefghz"
    ends = [call for call in calls if call.kind == "stream_end"]
    assert [end.error_type for end in ends] == ["Oh", None]
    assert ends[0].error_body == b'{"errorType": "Oh"}'
    assert [call.content_type for call in calls if call.kind == "stream"] == ["text/x", "text/x"]
    assert calls[-1].kind == "next"


@pytest.mark.parametrize("rest", [b"g\r\n", b"-1\r\n", b"3\r\nabcXX", b"fffffffff\r\n", b"1" * 2_000])
def test_broken_chunks_are_refused(rest: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Reader().feed(HEAD + rest)


def test_what_was_streamed_is_on_the_invocations_account(streams: Door) -> None:
    before = {trace.request_id for trace in streams.lab.traces.latest("lambda")}
    events(streams, {"pieces": 4, "size": 1000})
    (used,) = [trace.usage for trace in streams.lab.traces.latest("lambda") if trace.request_id not in before]
    assert FunctionUse(*used).streamed_bytes == 4000
