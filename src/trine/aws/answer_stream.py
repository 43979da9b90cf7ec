"""A function's answer while it is being made: pieces in on one side, an async iterator on the other, bounded between.

The function wing feeds it, a door (the Lambda API, a function URL, the front door) reads it. A slow reader holds the
function back; one that goes away lets it run on to nowhere, as on AWS (developer guide, "Response streaming").
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

HIGH_WATER_BYTES = 262_144
"""Unread bytes at which the writer is held back."""
LOW_WATER_BYTES = 65_536
"""Unread bytes at which it may go on."""


class StreamEnd(NamedTuple):
    """How an answer ended. `function_error` is None when it is whole; else `payload` is the error document."""

    function_error: str | None = None
    payload: bytes = b""
    log_tail: bytes | None = None


class AnswerStream:
    """An async iterator of non-empty pieces. It ends without an exception; `end` then says how the answer ended."""

    __slots__ = ("_closed", "_held", "_hold", "_pieces", "_unread", "_waiter", "end")

    def __init__(self, hold: Callable[[bool], None] = lambda held: None) -> None:
        """`hold(True)` asks the writer to pause, `hold(False)` to go on."""
        self._hold = hold
        self._held = False
        self._pieces: deque[bytes] = deque()
        self._unread = 0
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None
        self.end: StreamEnd | None = None
        """None while the answer is being made."""

    # -- the writer --------------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Add a piece. It may come from a writer that has not yet paused; it is kept all the same."""
        assert self.end is None
        if self._closed or not data:
            return
        self._pieces.append(data)
        self._unread += len(data)
        if not self._held and self._unread >= HIGH_WATER_BYTES:
            self._held = True
            self._hold(True)
        self._wake()

    def finish(self, end: StreamEnd) -> None:
        """Nothing more comes."""
        assert self.end is None
        self.end = end
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _release(self) -> None:
        if self._held:
            self._held = False
            self._hold(False)

    @property
    def has_unread(self) -> bool:
        """Whether pieces wait to be read."""
        return bool(self._pieces)

    # -- the reader --------------------------------------------------------------------------------------------------

    def __aiter__(self) -> AnswerStream:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self.end is not None or self._closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = self._pieces.popleft()
        self._unread -= len(data)
        if self._unread <= LOW_WATER_BYTES:
            self._release()
        return data

    def abandon(self) -> None:
        """The reader has gone: what comes is thrown away, and the writer is never held back again."""
        self._closed = True
        self._pieces.clear()
        self._unread = 0
        self._release()
        self._wake()

    async def aclose(self) -> None:
        """As `abandon`, by the name that async iterators have for it."""
        self.abandon()
