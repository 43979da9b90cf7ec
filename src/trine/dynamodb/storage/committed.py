"""What must happen the moment a commit is durable, before anyone who waits for it goes on."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def when_committed(commit: Future[Result], follow: Callable[[Result], object]) -> Future[Result]:
    """Run `follow` with the result once `commit` has succeeded, ahead of later callbacks; the same future.

    A future that is resolved already runs no callback before its waiter, so it is followed at once.
    """

    def run(done: Future[Result]) -> None:
        if not done.cancelled() and done.exception() is None:
            follow(done.result())

    if commit.done():
        run(commit)
    else:
        commit.add_done_callback(run)
    return commit
