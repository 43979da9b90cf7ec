"""One invocation under way: what was asked, when it must be done, and the future of its answer.

Made by the corridor, carried through the pool into an environment, finished exactly once.
"""

from __future__ import annotations

from asyncio import Future
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from trine.aws.answer_stream import AnswerStream, StreamEnd
from trine.aws.errors import AwsError
from trine.aws.invoke import InvokeResponse, StreamedResponse
from trine.awslambda import limits
from trine.awslambda.errors import ServiceFault
from trine.awslambda.fault import Fault, reason_of, response_too_large
from trine.trace import Trace

if TYPE_CHECKING:
    from trine.awslambda.function import Function


class Invocation:
    """Mutable, owned by whoever holds it: the pool while it waits, one environment while it runs."""

    __slots__ = ("_parts", "_parts_bytes", "admitted_ns", "answer", "client_context", "function", "how", "init_ms",
                 "invoked_arn", "kept_bytes", "on_done", "payload", "placed_ns", "queued_ns", "request_id",
                 "started_ns", "tail", "tail_bytes", "trace", "trace_header")  # fmt: skip

    def __init__(
        self,
        request_id: str,
        function: Function,
        payload: bytes,
        trace: Trace,
        answer: Future[InvokeResponse] | Future[StreamedResponse],
        on_done: Callable[[Invocation, int], None],
    ) -> None:
        self.request_id = request_id
        self.function = function
        self.payload = payload
        self.trace = trace
        self.trace_header = ""
        self.invoked_arn: str | None = None
        """The ARN with the qualifier it was invoked by; None for the plain one."""
        self.client_context: bytes | None = None
        """JSON on one line, or None."""
        self.answer = answer
        self.on_done = on_done
        """Called once with this invocation and the status (200, or 500 and above for refusals) when it is over."""
        self.admitted_ns = self.placed_ns = 0
        """When it held its unit of concurrency, when it had an environment: monotonic nanoseconds, for the trace."""
        self.how: Mapping[str, str] | None = None
        """How it came to its environment, for the trace."""
        self.queued_ns = 0
        self.started_ns = 0
        self.init_ms: float | None = None
        """How long the environment's init took, when this invocation is its first."""
        self.kept_bytes = 0
        """Output of this invocation kept so far."""
        self.tail: deque[str] | None = None
        self.tail_bytes = 0
        self._parts: list[bytes] = []
        self._parts_bytes = 0

    def place(self, how: Mapping[str, str]) -> None:
        """It has an environment."""
        self.how, self.placed_ns = how, self.trace.reached()

    def keep_tail(self) -> None:
        """From now on keep the newest log lines for the caller."""
        self.tail = deque()

    def note(self, message: str) -> None:
        """Keep a log line for `LogType=Tail`, the newest 4 KB of them."""
        tail = self.tail
        if tail is None:
            return
        tail.append(message)
        self.tail_bytes += len(message)
        while self.tail_bytes - len(tail[0]) > limits.LOG_TAIL_BYTES:
            self.tail_bytes -= len(tail.popleft())

    def succeed(self, payload: bytes) -> None:
        """The function returned `payload`."""
        self._finish(payload, None)

    def fail(self, fault: Fault) -> None:
        """The function failed; the caller gets the fault's payload with a function error."""
        self.trace.refuse("awslambda.environment", fault.error_type, message=reason_of(fault))
        self._finish(fault.payload, "Unhandled")

    # -- a runtime that streams its answer ---------------------------------------------------------------------------

    def begin(self, content_type: str, hold_back: Callable[[bool], None]) -> None:
        """The runtime begins to send its answer; `hold_back` slows it down. Here it is gathered: nobody streams."""

    def feed(self, data: bytes) -> Fault | None:
        """A piece of the answer; the fault when it has become too large."""
        self._parts.append(data)
        self._parts_bytes += len(data)
        if self._parts_bytes > limits.RESPONSE_MAX_BYTES:
            return response_too_large(self._parts_bytes)
        return None

    @property
    def streamed_bytes(self) -> int:
        """How much of the answer was streamed to the caller."""
        return 0

    @property
    def fed(self) -> bytes:
        """The whole of a streamed answer that was gathered."""
        return b"".join(self._parts)

    # -- ends --------------------------------------------------------------------------------------------------------

    def refuse(self, error: AwsError) -> None:
        """The function was not run at all."""
        self.on_done(self, error.status)
        if not self.answer.done():
            self.answer.set_exception(error)

    def refuse_because(self, error: Exception) -> None:
        """The function could not be started: an AwsError is the caller's answer, anything else is our own fault."""
        self.refuse(
            error if isinstance(error, AwsError) else ServiceFault(f"The function could not be started: {error}")
        )

    def _finish(self, payload: bytes, function_error: str | None) -> None:
        self.on_done(self, 200)
        # A caller that went away has cancelled its future; the function's work is done all the same.
        answer = cast("Future[InvokeResponse]", self.answer)
        if not answer.done():
            tail = None if self.tail is None else self.tail_text()
            version = self.function.version
            answer.set_result(InvokeResponse(200, payload, self.request_id, function_error, version, tail))

    def tail_text(self) -> bytes | None:
        """The last 4 KB of the log, when they were asked for."""
        return None if self.tail is None else "".join(self.tail).encode()[-limits.LOG_TAIL_BYTES :]


class StreamedInvocation(Invocation):
    """An invocation whose caller takes the answer while it is being made."""

    __slots__ = ("_stream",)

    def __init__(
        self,
        request_id: str,
        function: Function,
        payload: bytes,
        trace: Trace,
        answer: Future[StreamedResponse],
        on_done: Callable[[Invocation, int], None],
    ) -> None:
        super().__init__(request_id, function, payload, trace, answer, on_done)
        self._stream: AnswerStream | None = None

    def begin(self, content_type: str, hold_back: Callable[[bool], None]) -> None:
        """The caller gets the answer now, with its first byte still to come."""
        self._stream = self._answer_with(content_type, AnswerStream(hold_back))

    @property
    def streamed_bytes(self) -> int:
        """How much of the answer was streamed to the caller."""
        return self._parts_bytes

    def _answer_with(self, content_type: str, body: AnswerStream) -> AnswerStream:
        answer = cast("Future[StreamedResponse]", self.answer)
        if answer.done():
            body.abandon()  # the caller has gone; the function runs on
        else:
            answer.set_result(StreamedResponse(self.request_id, self.function.version, content_type, body))
        return body

    def feed(self, data: bytes) -> Fault | None:
        """A piece goes to the caller; the fault when there were too many."""
        assert self._stream is not None
        self._parts_bytes += len(data)
        if self._parts_bytes > limits.RESPONSE_STREAM_MAX_BYTES:
            return response_too_large(self._parts_bytes, limits.RESPONSE_STREAM_MAX_BYTES)
        self._stream.feed(data)
        return None

    def _finish(self, payload: bytes, function_error: str | None) -> None:
        self.on_done(self, 200)
        stream = self._stream
        if stream is None:
            stream = self._answer_with("application/json", AnswerStream())
            if function_error is None:
                stream.feed(payload)  # a function that does not stream: its whole answer is one piece
        error = b"" if function_error is None else payload
        stream.finish(StreamEnd(function_error, error, self.tail_text()))
