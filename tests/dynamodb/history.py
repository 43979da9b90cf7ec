"""Histories of concurrent clients and what they must satisfy: registers are linearizable, nothing counted is lost.

A `Journal` gives each call a place before and after; `linearizable` looks for one order of a register's calls that
agrees with their answers and with real time (Wing and Gong's search, with the states seen before remembered). A call
whose answer never came may have happened at any time after it began, or never.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

NEVER = 1 << 62


class Lost(Exception):
    """The answer did not come: nobody knows whether the call happened."""


class NotDone(Exception):
    """The server said that the call did not happen (a conflict, a throttle)."""


@dataclass
class Call:
    """`kind` is read, write or swap. A swap goes from `seen` to `value` if `done`, and finds something else if not."""

    kind: str
    value: str | None = None
    seen: str | None = None
    done: bool = True
    start: int = 0
    end: int = NEVER


@dataclass
class Journal:
    """The calls of all registers, and the counts of all counters."""

    calls: dict[str, list[Call]] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    returned: dict[str, list[int]] = field(default_factory=dict)
    _ticks: Iterator[int] = field(default_factory=itertools.count)

    def count(self) -> int:
        """How many calls of registers are put down."""
        return sum(map(len, self.calls.values()))

    @contextmanager
    def call(self, register: str, call: Call) -> Iterator[Call]:
        """Put down `call`, whose answer comes inside the block. Lost and NotDone end here."""
        call.start = next(self._ticks)
        try:
            yield call
        except NotDone:
            return
        except Lost:
            if call.kind == "read":
                return
        else:
            call.end = next(self._ticks)
        self.calls.setdefault(register, []).append(call)

    @contextmanager
    def adding(self, *counters: str) -> Iterator[None]:
        """Count one more of each of `counters`, added together inside the block."""
        try:
            yield
        except NotDone:
            return
        except Lost:
            for counter in counters:
                self.unknown[counter] = self.unknown.get(counter, 0) + 1
        else:
            for counter in counters:
                self.acknowledged[counter] = self.acknowledged.get(counter, 0) + 1


def _after(call: Call, value: str | None) -> tuple[bool, str | None]:
    """Whether `call` can happen to a register that holds `value`, and what it holds then."""
    if call.kind == "read":
        return call.value == value, value
    if call.kind == "write":
        return True, call.value
    if call.done:
        return value == call.seen, call.value
    return value != call.seen, value


def linearizable(calls: Sequence[Call], initial: str | None = None) -> bool:
    """Whether one order of `calls` explains all of their answers."""
    everything = (1 << len(calls)) - 1
    optional = sum(1 << at for at, call in enumerate(calls) if call.end == NEVER)
    pending: list[tuple[int, str | None]] = [(0, initial)]
    seen = {pending[0]}
    while pending:
        happened, value = pending.pop()
        if happened | optional == everything:
            return True
        rest = [at for at in range(len(calls)) if not happened >> at & 1]
        first_end = min(calls[at].end for at in rest)
        for at in rest:
            if calls[at].start > first_end:
                continue
            possible, then = _after(calls[at], value)
            state = (happened | 1 << at, then)
            if possible and state not in seen:
                seen.add(state)
                pending.append(state)
    return False
