"""The calls of the Runtime API on one environment: which may come now, what they are answered, what they mean for it.

Enters calls cut from the runtime's connection; leaves answers on it, and the invocation's result or the init's fault in
the environment. What its state does not allow is refused in AWS's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trine.awslambda import fault, limits
from trine.awslambda.environments.lifecycle import Connection, State
from trine.awslambda.guest_apis.runtime_api import ACCEPTED, CONTINUE, Call, MalformedMessage, Reader, refusal

if TYPE_CHECKING:
    from trine.awslambda.environments.environment import Environment


class RuntimeCalls:
    """Serves the runtime of `environment`."""

    __slots__ = ("_environment", "_stream_reply")

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._stream_reply: bytes | None = None
        """What the runtime hears at the end of the streamed answer it is sending; None while it sends none."""

    @property
    def is_streaming(self) -> bool:
        """A streamed answer has begun and not ended."""
        return self._stream_reply is not None

    def serve(self, call: Call, connection: Connection) -> None:
        """Serve one call of the Runtime API; its answer goes to `connection`."""
        environment = self._environment
        kind = call.kind
        if kind == "next":
            self._next(connection)
        elif kind == "response" or kind == "error":
            self._result(call, connection)
        elif kind == "part":
            self._part(call.body)
        elif kind == "stream":
            self._begin_stream(call, connection)
        elif kind == "stream_end":
            self._end_stream(call, connection)
        elif kind == "init_error":
            self._init_error(call, connection)
        elif environment.extensions is not None and kind.startswith("extension/"):
            environment.extensions.call(call, connection, in_init=environment.state is State.INIT)
        else:
            connection.reply(refusal(404, "NotFound", "no such call in the Runtime API 2018-06-01"))

    def answered(self, request_id: str, payload: bytes, connection: Connection) -> None:
        """A response and, behind it, the wish for the next event: what nearly all calls are, on the shortest way."""
        environment = self._environment
        invocation = environment.invocation
        if (
            environment.state is State.INVOKE
            and invocation is not None
            and not environment.responded
            and request_id == invocation.request_id
            and len(payload) <= limits.RESPONSE_MAX_BYTES
        ):
            connection.reply(ACCEPTED, hold=True)
            environment.complete(None, payload)
            if environment.state is State.INVOKE and environment.extensions is None:
                environment.is_free(connection)
                return
        else:
            self._result(Call("response", request_id, b"", payload), connection)
        self._next(connection)

    def _next(self, connection: Connection) -> None:
        environment = self._environment
        state = environment.state
        if state is State.INIT or (state is State.INVOKE and environment.responded):
            environment.asks(connection)
        else:
            connection.reply(refusal(403, "InvalidStateTransition", f"next is not allowed in state {state.value}"))

    def _refused(self, call: Call) -> bytes | None:
        # Why a response may not come now; None when it may.
        environment = self._environment
        invocation = environment.invocation
        if environment.state is not State.INVOKE or invocation is None or environment.responded:
            state = environment.state.value
            return refusal(403, "InvalidStateTransition", f"{call.kind} is not allowed in state {state}")
        if call.request_id != invocation.request_id:
            return refusal(400, "InvalidRequestID", "Invalid request ID")
        return None

    def _begin_stream(self, call: Call, connection: Connection) -> None:
        self._stream_reply = self._refused(call) or ACCEPTED
        if self._stream_reply is ACCEPTED:
            assert self._environment.invocation is not None
            self._environment.invocation.begin(call.content_type, connection.hold_back)

    def _part(self, data: bytes) -> None:
        if self._stream_reply is ACCEPTED and not self._environment.responded:
            assert self._environment.invocation is not None
            too_large = self._environment.invocation.feed(data)
            if too_large is not None:
                self._stream_reply = refusal(413, "RequestEntityTooLarge", too_large.message)
                self._environment.complete(too_large, b"")

    def _end_stream(self, call: Call, connection: Connection) -> None:
        reply, self._stream_reply = self._stream_reply, None
        assert reply is not None
        connection.reply(reply, hold=True)
        if reply is ACCEPTED and not self._environment.responded:
            assert self._environment.invocation is not None
            found = None if call.error_type is None else fault.reported(call.error_body, call.error_type)
            self._environment.complete(found, self._environment.invocation.fed)

    def _result(self, call: Call, connection: Connection) -> None:
        refused = self._refused(call)
        if refused is not None:
            connection.reply(refused)
        elif call.size_bytes > limits.RESPONSE_MAX_BYTES:
            too_large = fault.response_too_large(call.size_bytes)
            connection.reply(refusal(413, "RequestEntityTooLarge", too_large.message), hold=True)
            self._environment.complete(too_large, b"")
        else:
            connection.reply(ACCEPTED, hold=True)
            if call.kind == "response":
                self._environment.complete(None, call.body)
            else:
                self._environment.complete(fault.reported(call.body, call.error_type), b"")

    def _init_error(self, call: Call, connection: Connection) -> None:
        state = self._environment.state
        if state is not State.INIT:
            connection.reply(
                refusal(403, "InvalidStateTransition", f"init/error is not allowed in state {state.value}")
            )
            return
        connection.reply(ACCEPTED)
        self._environment.fail_init(fault.reported(call.body, call.error_type))


def hear(environment: Environment, data: bytes, reader: Reader, connection: Connection) -> bool:
    """Serve all calls that `data` completes; False when it is no message of this API, and nothing can follow."""
    kind = ""
    try:
        for call in reader.feed(data):
            kind = call.kind
            environment.call(call, connection)
    except MalformedMessage:
        return False
    if reader.continue_wanted:
        reader.continue_wanted = False
        connection.reply(CONTINUE)
    elif kind != "next":
        connection.release()
    return True
