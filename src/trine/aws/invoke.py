"""Invoking a function, as the words that callers and the function wing share.

The front door, event sources and the Lambda API know functions only through `Invoker`. Enters an `InvokeRequest`,
leaves a future of an `InvokeResponse`; a refusal (unknown function, throttled, not permitted, payload too large) is
an `AwsError` raised from the future. `StreamInvoker` hands the answer on while the function still makes it.
"""

from __future__ import annotations

from asyncio import Future
from typing import Literal, Protocol

from msgspec import Struct

from trine.aws.answer_stream import AnswerStream
from trine.trace import Trace

InvocationType = Literal["RequestResponse", "Event", "DryRun"]


class ServiceCaller(Struct, frozen=True):
    """A service that invokes by the function's resource policy: `apigateway.amazonaws.com` for one source ARN."""

    service: str
    source_arn: str
    source_account: str


class InvokeRequest(Struct, frozen=True):
    """One wish to run a function. `payload` is the event as JSON bytes. `function` is a name or any ARN form."""

    function: str
    payload: bytes
    invocation_type: InvocationType = "RequestResponse"
    qualifier: str | None = None
    client_context: str | None = None
    """Base64 JSON, as in `X-Amz-Client-Context`."""
    tail_log: bool = False
    caller: ServiceCaller | None = None
    """Checked against the function's resource policy; None when the caller was already authorized by identity."""
    trace: Trace | None = None
    """The trace of the request that causes this invocation."""
    trace_header: str | None = None
    """`X-Amzn-Trace-Id` to pass on."""
    source: str | None = None
    """ARN of what sends this event by itself (a stream, queue, topic, rule or schedule); None: somebody asked."""
    request_id: str | None = None
    """The id that the invocation shall have, where the event names it already; None: a new one."""


class InvokeResponse(Struct, frozen=True):
    """What came back. `function_error` is `Unhandled` or `Handled` when the function failed; payload tells how."""

    status: int
    payload: bytes
    request_id: str
    function_error: str | None = None
    executed_version: str = "$LATEST"
    log_tail: bytes | None = None
    """Last 4 KB of the invocation's log when asked for."""


class StreamedResponse(Struct, frozen=True):
    """An answer that has begun. Whoever gets it reads `body` to its end, or abandons it."""

    request_id: str
    executed_version: str
    content_type: str
    """As the runtime said it; `application/json` for a function that does not stream, whose answer is one piece."""
    body: AnswerStream

    @property
    def failed_early(self) -> bool:
        """The function failed before its first byte: `body` is empty and `body.end` tells how."""
        body = self.body
        return body.end is not None and body.end.function_error is not None and not body.has_unread


class Invoker(Protocol):
    """Whoever can run functions."""

    def invoke(self, request: InvokeRequest) -> Future[InvokeResponse]:
        """Run a function; never blocks. The future fails with `AwsError` when the function did not run."""


class StreamInvoker(Invoker, Protocol):
    """Whoever can also hand on an answer while it is being made."""

    def invoke_with_response_stream(self, request: InvokeRequest) -> Future[StreamedResponse]:
        """Run a function; the future resolves with the answer's first byte, or when it ended without one. It fails
        with `AwsError` when the function did not run. `invocation_type` is `RequestResponse`, the only one there is.
        """
