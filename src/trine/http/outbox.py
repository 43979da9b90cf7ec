"""Answers that leave together: sockets are written when the loop has handed out everything that it had read.

Connections with answers in hand enter; at the end of the loop's round each of them writes. A write wakes its reader at
once, and a reader that sleeps between any two answers is woken for each of them, at the writer's cost: sixteen
connections of one client (SDK or load generator) cost 36 µs a GetItem instead of 45 when their answers leave in one go.
A client that has only one request under way gains nothing by it and would pay for a turn of the loop each time: after a
round of one answer the next ones go straight out.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

_log = logging.getLogger("trine.http")

GATHERED_MAX = 16
"""So many answers leave before the round's end: behind a busy socket nobody waits for all others."""
STRAIGHT_COUNT = 15
"""Answers that go straight out after a round that brought only one; then it is tried again."""


class Writer(Protocol):
    """What has answers in hand."""

    def write(self) -> None:
        """Give them to the socket; harmless when there are none left or the client has gone."""


class Outbox:
    """The connections of one server that have something to send."""

    __slots__ = ("_gathered", "_loop", "_planned", "_straight")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._gathered: list[Writer] = []
        self._planned = False
        self._straight = 0

    def add(self, writer: Writer) -> None:
        """`writer` shall write before the loop waits again; now, where nothing else is to be expected."""
        if self._straight:
            self._straight -= 1
            writer.write()
            return
        gathered = self._gathered
        gathered.append(writer)
        if not self._planned:
            self._planned = True
            self._loop.call_soon(self._leave)
        elif len(gathered) >= GATHERED_MAX:
            self._gathered = []
            _write_all(gathered)

    def _leave(self) -> None:
        self._planned = False
        gathered, self._gathered = self._gathered, []
        if len(gathered) == 1:
            self._straight = STRAIGHT_COUNT
        _write_all(gathered)


def _write_all(writers: list[Writer]) -> None:
    for writer in writers:
        try:
            writer.write()
        except Exception:  # nobody else's answer may stay behind because of it
            _log.exception("an answer could not be written")
