"""One client: its bytes in, its answers out, in order, whatever the handlers' speed and the client's manners.

A request that is answered with a plain `Response` while nothing else is under way goes straight from the parser to
the socket. Everything else (awaitables, streams, pipelining behind them) takes a place in `_queue`, which leaves only
from its front. The queue is bounded; beyond it places wait in `_backlog`, not yet begun, which holds at most what one
read brought, because reading pauses. The server's watch calls `check` every tick: no timer per connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable
from functools import partial
from typing import TYPE_CHECKING, cast

from trine.http.answer import Answer, when_settled
from trine.http.errors import RequestRefused, ResponseInvalid
from trine.http.framing import framed, is_old, send_body
from trine.http.message import Request, Response, Switch
from trine.http.place import Place
from trine.http.protocol import BETWEEN, HEAD, RequestParser
from trine.http.rendering import CONTINUE, render_after, render_head

if TYPE_CHECKING:
    from trine.http.server import Server

NEVER = -1
ANSWERS_AT_ONCE = 16
"""Most answers to pipelined requests that are gathered for one write."""


class Connection(asyncio.Protocol):
    """The protocol object that asyncio or uvloop drives; it belongs to one `Server`."""

    __slots__ = ("_backlog", "_closing_since", "_deaf", "_drained", "_final", "_half_closed", "_lingering", "_lost",
                 "_out", "_paused_since", "_phase", "_queue", "_reading", "_server", "_since", "_straight",
                 "_stream", "_transport", "parser")  # fmt: skip

    def __init__(self, server: Server) -> None:
        self._server = server
        self._since = server.tick  # when what is waited for began
        self._phase = BETWEEN
        self._out: list[bytes] = []
        self._queue: deque[Place] = deque()
        self._backlog: deque[Place] = deque()
        self._stream: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._straight = True  # nothing is under way: an answer may go straight out
        self._paused_since = NEVER  # since when the client does not take what is written
        self._closing_since = NEVER
        self._lingering = False
        self._reading = True
        self._deaf = False  # what still comes in is thrown away
        self._final = False  # the connection's last answer has been written
        self._half_closed = False
        self._lost = False

    # --- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        server = self._server
        peer = transport.get_extra_info("peername")
        address = (peer[0], peer[1]) if isinstance(peer, tuple) else ("127.0.0.1", 0)  # a Unix socket names nobody
        self.parser = RequestParser(server.limits, self._on_request, self._on_expect, address, server.has_room)
        self._transport.set_write_buffer_limits(high=server.limits.write_buffer_bytes)
        if not server.admit(self):
            self._refuse(RequestRefused(503, "Too many connections"))

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        parser = self.parser
        try:
            parser.feed(data)
            while parser.held is not None and not self._queue and not self._backlog:  # answered as HTTP already
                parser.feed(parser.release())
        except RequestRefused as refusal:
            self._refuse(refusal)
            return
        if parser.phase != self._phase:
            self._phase = parser.phase
            self._since = self._server.tick
        if parser.held is not None:
            self._settle()
        if self._backlog or (self._queue and self._queue[0].response is not None):
            self._advance()
        elif self._out:
            self._server.outbox.add(self)

    def eof_received(self) -> bool:
        """The client sends nothing more, but it may still read: what it asked for is answered first."""
        self._half_closed = True
        if self._lingering:
            self._transport.close()
        else:
            self._settle()
        return True

    def pause_writing(self) -> None:
        self._paused_since = self._server.tick
        self._straight = False
        self._drained = asyncio.get_running_loop().create_future()
        self._settle()

    def resume_writing(self) -> None:
        self._paused_since = NEVER
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)
        self._advance()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = self._deaf = True
        for place in (*self._queue, *self._backlog):
            self._server.discard(place.response)
            place.dropped = True  # an answer still to come finds no place
        self._queue.clear()
        self._backlog.clear()
        self._out.clear()
        if self._stream is not None:
            self._stream.cancel()
        if self._drained is not None:
            self._drained.cancel()
        self.parser.close()
        self._server.forget(self)

    # --- requests in

    def _on_request(self, request: Request, keep_alive: bool) -> None:
        """The parser has a whole request. The hot path ends here, in one list of bytes."""
        self._since = self._server.tick
        place = None
        if self._straight:
            server = self._server
            try:
                answer = server.handler(request)
                if (
                    keep_alive
                    and type(answer) is Response
                    and type(answer.body) is bytes
                    and (start := server.starts.get(answer.status)) is not None
                    and request.version == "1.1"
                    and request.method != "HEAD"
                ):
                    out = self._out
                    out.append(render_after(start, answer))
                    if len(out) >= ANSWERS_AT_ONCE:
                        self.write()  # here a client that does not read is noticed, and the rest is kept back
                    return
            except Exception as error:
                answer = server.failed(request, error)
            place = Place(request, keep_alive)
            self._straight = False
            self._queue.append(place)
            if type(answer) is Answer:  # most writes; as `_receive` takes it
                when_settled(answer, partial(self._on_answer, place))
            else:
                self._receive(place, answer)
        else:
            self._backlog.append(Place(request, keep_alive))

    def _begin(self, place: Place) -> None:
        """Give `place` its turn in the queue and ask the handler, unless its answer is known already."""
        self._queue.append(place)
        request = place.request
        if request is None or place.response is not None:
            return
        try:
            answer = self._server.handler(request)
        except Exception as error:
            answer = self._server.failed(request, error)
        self._receive(place, answer)

    def _receive(self, place: Place, answer: object) -> None:
        """Note the answer, now or when it comes."""
        if isinstance(answer, Response):
            place.response = answer
            return
        source: asyncio.Future[Response]
        try:
            source = answer if type(answer) is Answer else asyncio.ensure_future(answer)  # type: ignore[call-overload]
        except TypeError:
            error = TypeError(f"a handler answered {type(answer).__name__}, not Response")
            place.response = self._server.failed(place.request, error)
            return
        if type(source) is not Answer:
            self._server.began(source)
        when_settled(source, partial(self._on_answer, place))

    def _on_answer(self, place: Place, source: asyncio.Future[Response]) -> None:
        server, queue = self._server, self._queue
        place.response = response = server.ended(source, place.request)
        if place.dropped:
            server.discard(response)
        elif queue and queue[0] is place:
            if len(queue) > 1 or not self._is_plain(place, response):
                self._advance()
                return
            # What waited alone goes out as if it had not waited: through nine functions less, 4 µs of a request.
            try:
                self._out.append(render_after(server.starts[response.status], response))
            except ResponseInvalid:
                self._advance()  # which tells
                return
            queue.clear()
            self._straight = True
            self._since = server.tick
            server.outbox.add(self)

    def _is_plain(self, place: Place, response: Response) -> bool:
        """Whether an answer, alone under way, is framed as most are, and the connection is as it was before it."""
        request = place.request
        return (
            place.keep_alive
            and type(response) is Response
            and type(response.body) is bytes
            and response.status in self._server.starts
            and request is not None
            and request.version == "1.1"
            and request.method != "HEAD"
            and self._reading
            and not (self._backlog or self._final or self._half_closed or self._deaf or self._server.closing)
            and self._closing_since == self._paused_since == NEVER
            and self._stream is None
            and self.parser.held is None
        )

    def _on_expect(self) -> None:
        """`Expect: 100-continue`: say so, behind the answers that are still to be sent."""
        if self._straight:
            self._out.append(CONTINUE)
        else:
            self._backlog.append(Place(None, True, interim=True))

    def _refuse(self, refusal: RequestRefused) -> None:
        """Answer what is no request behind all that came before it, and take nothing more."""
        self._deaf = self._lingering = True
        self._straight = False
        self._backlog.append(Place(None, False, self._server.refused(refusal)))
        self._advance()

    # --- answers out

    def _advance(self) -> None:
        """Send all that is ready at the front, begin what was kept back, then see how the connection stands."""
        queue, backlog = self._queue, self._backlog
        in_flight_max = self._server.limits.in_flight_requests
        while self._stream is None and not self._final:
            while backlog and len(queue) < in_flight_max and self._paused_since == NEVER:
                self._begin(backlog.popleft())
            if not queue or (queue[0].response is None and not queue[0].interim):
                break
            self._emit(queue.popleft())
        if self._out and not self._lost:
            if self._final:
                self.write()
            else:
                self._server.outbox.add(self)
        if not queue and not backlog and not self._deaf and not self._final and self.parser.held is not None:
            self.data_received(self.parser.release())
        self._settle()

    def write(self) -> None:
        """Hand the answers in hand to the socket; nothing when none is left."""
        out = self._out
        if not out:
            return
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        self._transport.write(data)

    def _emit(self, place: Place) -> None:
        """Render the answer of `place`, or begin to stream it."""
        if place.interim:
            self._out.append(CONTINUE)
            return
        server, request, response = self._server, place.request, place.response
        assert response is not None
        if isinstance(response, Switch):
            if self.parser.held is not None:
                self._hand_over(response)
                return
            response = server.failed(request, TypeError("101 for a request that asked for no other protocol"))
        ends = is_old(request) and not isinstance(response.body, bytes)  # only its end tells an old client where
        keep_alive = place.keep_alive and not server.closing and not ends
        try:
            data, body = framed(request, response, server.date_line, keep_alive)
        except Exception as error:
            server.discard(response)
            response = server.failed(request, error)
            data, body = framed(request, response, server.date_line, keep_alive)
        self._out.append(data)
        if body is None:
            server.discard(response)  # to HEAD, say: nobody reads it
        else:
            self._stream = asyncio.ensure_future(self._send_stream(body, not is_old(request)))
        if not keep_alive:
            self._final = True

    def _hand_over(self, switch: Switch) -> None:
        """Say 101 and leave the connection to what comes after HTTP."""
        server, transport = self._server, self._transport
        self._out.append(render_head(switch, server.date_line) + b"\r\n")
        self.write()
        held = self.parser.release()
        self.parser.close()
        self._lost = self._deaf = self._final = True  # nothing more happens here
        server.replace(self, switch.successor)
        transport.set_protocol(switch.successor)
        if not self._reading and not transport.is_closing():
            transport.resume_reading()
        switch.successor.begin(server, transport, held, self._paused_since != NEVER)
        if server.closing:
            switch.successor.shut()

    async def _send_stream(self, body: AsyncIterable[bytes], chunked: bool) -> None:
        """Write `body` behind its head, then go on with the next answer."""
        self.write()  # the head; what follows must not overtake it
        server = self._server
        if await send_body(
            body, chunked, self._transport, lambda: self._drained, lambda error: server.failed(None, error)
        ):
            self._stream = None
            self._advance()

    # --- how the connection stands

    def _settle(self) -> None:
        """Close, go on reading or pause, as the queue stands now."""
        if self._lost or self._closing_since != NEVER:
            return
        quiet = not self._queue and not self._backlog and self._stream is None
        if self._server.closing:
            self._straight = False
        if self._final or (quiet and self._half_closed):
            if self._stream is None:
                self._close()
        elif quiet and self._server.closing and self._phase == BETWEEN:
            self._close()
        elif self._backlog or self._paused_since != NEVER or self.parser.held is not None:
            if self._reading:
                self._reading = False
                self._transport.pause_reading()
        else:
            if quiet and not self._straight:
                self._straight = not self._server.closing
                self._since = self._server.tick
            if not self._reading:
                self._reading = True
                self._transport.resume_reading()

    def _close(self) -> None:
        """Send what is written, then close; after a refusal let the client read its answer first."""
        self._closing_since = self._server.tick
        self._deaf = True
        self._straight = False
        self.write()
        if self._lingering and not self._half_closed:
            # Closing now, with bytes unread, would reset the connection and take the answer with it.
            try:
                self._transport.write_eof()
            except OSError:  # the client has gone already, and asyncio has not told us yet
                self._transport.abort()
                return
            if not self._reading:
                self._reading = True
                self._transport.resume_reading()
        else:
            self._transport.close()

    def check(self) -> None:
        """One tick of the server's watch: has this client taken too long?"""
        server = self._server
        tick, patience = server.tick, server.patience
        if self._closing_since != NEVER:
            if tick - self._closing_since > (patience.linger if self._lingering else patience.write):
                self._transport.abort()
        elif self._paused_since != NEVER:
            if tick - self._paused_since > patience.write:
                self._transport.abort()
        elif not self._queue and not self._backlog and self._stream is None:
            waited = tick - self._since
            if self._phase == BETWEEN:
                if waited > patience.idle:
                    self._close()
            elif waited > (patience.head if self._phase == HEAD else patience.body):
                self._refuse(RequestRefused(408, "Request Timeout"))

    def shut(self) -> None:
        """The server closes: finish what is under way, take no new request."""
        self._settle()

    def cut(self) -> None:
        """The server's grace is over."""
        self._transport.abort()
