"""The Lambda API's operations that run functions: Invoke, InvokeAsync, InvokeWithResponseStream.

Enters an operation's checked input, the call's trace and its X-Ray header, leaves its output by the model's member
names and the invocation's own request id. Raises AwsError.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import orjson

from trine.aws.answer_stream import AnswerStream
from trine.aws.event_stream import CONTENT_TYPE, event
from trine.aws.invoke import InvocationType, InvokeRequest
from trine.awslambda.errors import InvalidParameterValue, InvalidRequestContent
from trine.awslambda.service import Service
from trine.trace import Trace

Answer = tuple[dict[str, Any], str]
"""Output members and the invocation's request id."""
Given = Mapping[str, Any]


class InvokeOperations:
    """Operations that run functions."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def operations(self) -> dict[str, Callable[[Given, Trace, str | None], Awaitable[Answer]]]:
        """The operations by name."""
        return {
            "Invoke": self._invoke,
            "InvokeAsync": self._invoke_async,
            "InvokeWithResponseStream": self._invoke_with_response_stream,
        }

    async def _invoke(self, given: Given, trace: Trace, trace_header: str | None) -> Answer:
        kind: InvocationType = given.get("InvocationType", "RequestResponse")
        response = await self._service.invoke(_request(given, kind, trace, trace_header))
        output: dict[str, Any] = {"StatusCode": response.status, "Payload": response.payload}
        if kind == "RequestResponse":
            output["ExecutedVersion"] = response.executed_version
        if response.function_error is not None:
            output["FunctionError"] = response.function_error
        if response.log_tail is not None:
            output["LogResult"] = base64.b64encode(response.log_tail).decode()
        return output, response.request_id

    async def _invoke_async(self, given: Given, trace: Trace, trace_header: str | None) -> Answer:
        payload: bytes = given.get("InvokeArgs") or b""
        _check_json(payload)
        request = InvokeRequest(given["FunctionName"], payload, "Event", trace=trace, trace_header=trace_header)
        response = await self._service.invoke(request)
        return {"Status": response.status}, response.request_id

    async def _invoke_with_response_stream(self, given: Given, trace: Trace, trace_header: str | None) -> Answer:
        kind = given.get("InvocationType", "RequestResponse")
        request = _request(given, kind, trace, trace_header)
        if kind == "DryRun":
            refused = await self._service.invoke(request)
            return {"StatusCode": refused.status}, refused.request_id
        answer = await self._service.invoke_with_response_stream(request)
        output = {
            "StatusCode": 200,
            "ExecutedVersion": answer.executed_version,
            "ResponseStreamContentType": CONTENT_TYPE,
            "EventStream": StreamEvents(answer.body),
        }
        return output, answer.request_id


class StreamEvents:
    """The body of InvokeWithResponseStream's answer: a frame for each piece, and one that tells the end.

    AWS documents the members of `InvokeComplete`, not their values for a failed function; here `ErrorCode` is the
    function error and `ErrorDetails` the error document.
    """

    def __init__(self, body: AnswerStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield event("PayloadChunk", piece, "application/octet-stream")
        end = self._body.end
        assert end is not None, "nobody else reads this body"
        complete: dict[str, str] = {}
        if end.function_error is not None:
            complete["ErrorCode"] = end.function_error
            complete["ErrorDetails"] = end.payload.decode("utf-8", "replace")
        if end.log_tail is not None:
            complete["LogResult"] = base64.b64encode(end.log_tail).decode()
        yield event("InvokeComplete", orjson.dumps(complete), "application/json")

    async def aclose(self) -> None:
        """The client has gone."""
        self._body.abandon()


def _request(given: Given, kind: InvocationType, trace: Trace, trace_header: str | None) -> InvokeRequest:
    payload: bytes = given.get("Payload") or b""
    _check_json(payload)
    return InvokeRequest(
        given["FunctionName"],
        payload,
        kind,
        given.get("Qualifier"),
        given.get("ClientContext"),
        given.get("LogType") == "Tail",
        None,
        trace,
        trace_header,
    )


def _check_json(payload: bytes) -> None:
    if not payload:
        return
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestContent(f"Could not parse request body into json: {error}") from None
    except RecursionError:
        raise InvalidParameterValue("The event is nested too deeply") from None
