"""AWS_PROXY with `responseTransferMode: STREAM`: the function's answer goes on while it is being made.

Enters an `Exchange`; leaves the future of an answer that has begun: its head, as JSON in front of eight zero bytes, and
the rest of the stream. A head that does not come within the first 16 KB, or is none, is a `GatewayError` 502. What
breaks off later breaks the connection. Source: "Set up a Lambda proxy integration with payload response streaming".
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from typing import Any, NamedTuple, cast

from trine.apigateway.body import BinaryTypes
from trine.apigateway.errors import INTERNAL_ERROR, GatewayError
from trine.apigateway.event import Forwarded
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.lambda_proxy import LambdaProxy, function_failed, refused_invocation
from trine.apigateway.limits import STREAM_HEAD_BYTES, STREAM_IDLE_SECONDS
from trine.apigateway.response import malformed, streamed_head
from trine.apigateway.roles import Roles
from trine.aws.answer_stream import AnswerStream
from trine.aws.invoke import InvokeResponse, StreamInvoker
from trine.clock import Clock, Timer
from trine.http.errors import BodyBroken
from trine.http.message import Response

DELIMITER = b"\0" * 8


class _Begun(NamedTuple):
    """An answer whose head is here."""

    head: bytes
    rest: bytes
    """What came of the body together with the head."""
    stream: AnswerStream

    def abandon(self) -> None:
        """Nobody waits for it any more."""
        self.stream.abandon()


class LambdaStreaming:
    """Runs the streaming integrations of one stage."""

    def __init__(
        self, invoker: StreamInvoker, clock: Clock, binary: BinaryTypes, forwarded: Forwarded, roles: Roles
    ) -> None:
        self._proxy = LambdaProxy(invoker, binary, forwarded, roles)
        self._invoker, self._clock = invoker, clock

    def start(self, exchange: Exchange) -> Future[_Begun]:
        """Invoke the function; the future is done when its answer's head is here."""
        request = self._proxy.request(exchange)
        invoked = self._invoker.invoke_with_response_stream(request)
        return asyncio.ensure_future(self._begin(exchange, invoked))

    async def _begin(self, exchange: Exchange, invoked: Future[Any]) -> _Begun:
        try:
            answer = await invoked
        except asyncio.CancelledError:
            raise
        except Exception as error:
            raise refused_invocation(exchange, error) from None
        exchange.integration_status, exchange.endpoint_request_id = 200, answer.request_id
        stream: AnswerStream = answer.body
        received = b""
        async for piece in stream:
            received += piece
            head, found, rest = received.partition(DELIMITER)
            if found:
                return _Begun(head, rest, stream)
            if len(received) >= STREAM_HEAD_BYTES:
                break
        end = stream.end
        stream.abandon()
        if end is not None and end.function_error is not None:
            raise function_failed(InvokeResponse(200, end.payload, answer.request_id, end.function_error))
        raise malformed(f"no head with its delimiter in the first {len(received)} bytes of the stream")

    def complete(self, exchange: Exchange, settled: Future[_Begun]) -> Response:
        """The head as the response's; its body is the rest of the stream."""
        if settled.cancelled():
            raise GatewayError(INTERNAL_ERROR, "the invocation was cancelled")
        begun = settled.result()
        try:
            status, pairs = streamed_head(begun.head)
        except GatewayError:
            begun.stream.abandon()
            raise
        left = exchange.route.integration.timeout_seconds - (self._clock.now() - exchange.now_seconds)
        return Response(status, pairs, _Body(begun, self._clock, left))


class _Body:
    """The rest of a stream as a response's body, within the integration's timeout and the idle time."""

    __slots__ = ("_broken", "_clock", "_end", "_first", "_idle", "_stream")

    def __init__(self, begun: _Begun, clock: Clock, seconds_left: float) -> None:
        self._stream, self._clock = begun.stream, clock
        self._first = begun.rest
        self._broken = ""
        self._end = clock.call_later(max(0.0, seconds_left), self._break, "the integration's timeout is over")
        self._idle: Timer | None = None

    def _break(self, why: str) -> None:
        self._broken = why
        self._stream.abandon()

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        idle = self._idle = self._clock.call_later(STREAM_IDLE_SECONDS, self._break, "nothing came for too long")
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            self._end.cancel()
            end = self._stream.end
            if self._broken or (end is not None and end.function_error is not None):
                raise BodyBroken(self._broken or "the function failed midway") from None
            raise
        finally:
            idle.cancel()

    async def aclose(self) -> None:
        """The reader has gone, or is done."""
        self._end.cancel()
        if self._idle is not None:
            self._idle.cancel()
        await self._stream.aclose()


def as_stream_invoker(invoker: object) -> StreamInvoker | None:
    """`invoker` when it can hand on an answer while it is being made."""
    return cast("StreamInvoker", invoker) if hasattr(invoker, "invoke_with_response_stream") else None
