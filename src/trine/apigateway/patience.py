"""How long requests may wait for their integration: one timer for all that wait equally long.

Enters each answer that is waited for; leaves those that did not come in time, to a callback. A timer of the loop for
every request cost as much as building its event; nearly none of them ever rang.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from typing import Generic, TypeVar

from trine.clock import Clock
from trine.http.message import Response

Waiting = TypeVar("Waiting")
_SLACK_NS = 500_000
"""A timer may ring this much before its time by the clock: that counts as in time."""


class Patience(Generic[Waiting]):
    """Those who wait `seconds` at most, in the order in which they began: the first of them is due first."""

    __slots__ = ("_begun", "_clock", "_is_set", "_nanoseconds", "_on_overdue")

    def __init__(self, seconds: float, clock: Clock, on_overdue: Callable[[Waiting, Future[Response]], object]) -> None:
        self._nanoseconds = round(seconds * 1e9)
        self._clock = clock
        self._on_overdue = on_overdue
        self._begun: dict[Future[Response], tuple[int, Waiting]] = {}
        self._is_set = False

    def begin(self, answer: Future[Response], waiting: Waiting) -> None:
        """`waiting` waits for `answer` from now on."""
        self._begun[answer] = self._clock.monotonic_ns(), waiting
        if not self._is_set:
            self._set(self._nanoseconds)

    def end(self, answer: Future[Response]) -> None:
        """It need not be waited for any longer; harmless when its time was over."""
        self._begun.pop(answer, None)

    def _set(self, nanoseconds: int) -> None:
        self._is_set = True
        self._clock.call_later(nanoseconds / 1e9, self._ring)

    def _ring(self) -> None:
        # Set when nobody waited, it looks at who waits when it rings, and is set again for the first of them.
        self._is_set = False
        now_ns = self._clock.monotonic_ns()
        while self._begun:
            answer, (begun_ns, waiting) = next(iter(self._begun.items()))
            left_ns = begun_ns + self._nanoseconds - now_ns
            if left_ns > _SLACK_NS:
                self._set(left_ns)
                return
            del self._begun[answer]
            self._on_overdue(waiting, answer)
