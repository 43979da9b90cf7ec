"""The future of an answer whose one listener hears of it at once, not in the next round of the event loop.

A callback of an asyncio future goes through `call_soon`: one more turn of the loop, with its look at all sockets. An
answer that is handed on twice, from the function to the gateway and from there to the connection, waited two turns for
that. Everything else about an `Answer` is a future's: it can be awaited, cancelled and have callbacks.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from contextvars import Context
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Answer(Future[T]):
    """A future with one listener that is called within `set_result` or `set_exception`."""

    # No `__init__` and no slot: one is made for each request, twice, and is made by C alone like this.
    _listener: Callable[[Future[T]], object] | None = None
    _followed = False

    def add_done_callback(self, fn: Callable[[Self], object], /, *, context: Context | None = None) -> None:
        """As a future's. A listener that comes after it waits for the round of the callbacks, behind this one."""
        self._followed = True
        super().add_done_callback(fn, context=context)

    def set_result(self, result: T, /) -> None:
        Future.set_result(self, result)  # by its name: `super()` makes an object for it, twice for each request
        if (listener := self._listener) is not None:
            try:
                listener(self)
            except Exception as error:
                self._report(error)

    def set_exception(self, exception: type | BaseException, /) -> None:
        super().set_exception(exception)
        if self._listener is not None:
            try:
                self._listener(self)
            except Exception as error:
                self._report(error)

    def cancel(self, msg: Any | None = None) -> bool:
        """As a future's; who cancels is in the middle of something, so the listener hears of it in the next round."""
        cancelled = super().cancel(msg)
        if cancelled and self._listener is not None:
            self.get_loop().call_soon(self._listener, self)
        return cancelled

    def _report(self, error: Exception) -> None:
        # As for a callback, to the loop: who answers has nothing to do with it.
        self.get_loop().call_exception_handler({
            "message": "the listener of an answer failed", "exception": error, "future": self
        })  # fmt: skip


def when_settled(future: Future[T], listener: Callable[[Future[T]], object]) -> None:
    """Call `listener(future)` when it is settled: at once where it is an `Answer` that nobody waits for yet."""
    if type(future) is Answer and future._listener is None and not future._followed and not future.done():
        future._listener = listener
    else:
        future.add_done_callback(listener)
