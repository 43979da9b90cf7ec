"""How long a query works before it lets the server breathe, and how long it may work at all.

Enters a clock; `due` says after each row whether it is time, `take` lets others run.
"""

from __future__ import annotations

import asyncio

from trine.clock import Clock

WORK_NS = 5_000_000
WORK_ROWS = 500
"""Where the clock stands still, rows are counted instead."""
QUERY_SECONDS = 3_600.0
"""Quotas: queries time out after 60 minutes."""


class TimedOut(Exception):
    """The query worked for too long."""


class Breath:
    """The breath of one query."""

    __slots__ = ("_clock", "_rows", "_since_ns", "_until")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.now() + QUERY_SECONDS
        self._since_ns, self._rows = clock.monotonic_ns(), 0

    def due(self) -> bool:
        """Whether it is time to breathe; called after each row."""
        self._rows += 1
        return self._rows >= WORK_ROWS or self._clock.monotonic_ns() - self._since_ns >= WORK_NS

    async def take(self) -> None:
        """Let others run. TimedOut."""
        await asyncio.sleep(0)
        if self._clock.now() > self._until:
            raise TimedOut
        self._since_ns, self._rows = self._clock.monotonic_ns(), 0
