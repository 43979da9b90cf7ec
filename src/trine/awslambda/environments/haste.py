"""Waiting on the spot for an answer that is due in less time than sleeping and being woken takes.

A process that sleeps on one processor and is woken from another costs both some ten microseconds, more in a virtual
machine; a function that does next to nothing answers in less than a hundred. So where one caller waits for one such
function and nothing else is going on, the server looks at the guest's socket until the answer is there, a third of a
millisecond at most, instead of going back to its event loop. The guest does the same between two events
(`bootstrap/wire.py`). Measured on two cores: 2,700 sequential calls a second became 5,500, for less processor time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection

from trine.awslambda.environments.environment import Environment
from trine.clock import Clock

QUICK_NS = 200_000
"""A function whose best invocations are shorter is waited for on the spot."""
_PATIENCE_NS = 300_000
_LOOKS_MAX = 1_000
"""The bound where the clock stands still."""
_REST_COUNT = 128
"""So many invocations are not waited for when it did not pay, or when several callers come at once."""


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Haste:
    """Decides whether to wait; one for all pools, because all share one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rest = 0
        self._in_round = False
        self._is_possible = cores() > 1

    def pays(self) -> bool:
        """Whether to wait for the invocation that begins now: it is the only one in this round of the event loop."""
        if not self._is_possible:
            return False
        if self._rest:
            self._rest -= 1
            return False
        if self._in_round:
            self._rest = _REST_COUNT
            return False
        self._in_round = True
        asyncio.get_running_loop().call_soon(self._round_over)
        return True

    def _round_over(self) -> None:
        self._in_round = False

    def wait(self, environment: Environment, running: Collection[Environment]) -> None:
        """Look for the answer until `environment` is no longer one of those `running`, or patience ends."""
        tick, poll, give_way = self._clock.monotonic_ns, environment.poll, os.sched_yield
        until_ns = tick() + _PATIENCE_NS
        for _ in range(_LOOKS_MAX):
            poll()
            if environment not in running:
                return
            if tick() > until_ns:
                break
            give_way()  # the guest may be waiting for this very processor
        self._rest = _REST_COUNT
