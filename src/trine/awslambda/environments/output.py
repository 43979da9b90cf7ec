"""The pipe behind a function's standard output and error: read as it fills, emptied when an invocation is over.

Enters the pipe's descriptor, leaves whole lines to a callback in the order in which they were written.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import os
import termios
from collections.abc import Callable

from trine.awslambda.log import LineCutter

_READ_BYTES = 262_144
_ROUNDS_MAX = 64
"""Reads in one go at most: a function that writes faster than it is read must not hold up everybody else."""


_COUNT = array.array("i", [0])


class OutputPipe:
    """Reads one environment's output."""

    __slots__ = ("_cutter", "_descriptor", "_write_line")

    def __init__(self, descriptor: int, write_line: Callable[[str], None]) -> None:
        self._descriptor: int | None = descriptor
        self._write_line = write_line
        self._cutter = LineCutter()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def _read(self) -> bool:
        # Whether there may be more.
        if self._descriptor is None:
            return False
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._stop()
            return False
        for line in self._cutter.feed(data):
            self._write_line(line)
        return True

    def drain(self) -> None:
        """Everything written so far, with a last line that has no newline yet."""
        if self._descriptor is None:
            return
        fcntl.ioctl(self._descriptor, termios.FIONREAD, _COUNT, True)  # the bytes that lie in the pipe
        if not (_COUNT[0] or self._cutter.has_rest):
            return  # as after most invocations: asking costs a third of a read that fails
        rounds = _ROUNDS_MAX
        while rounds and self._read():
            rounds -= 1
        for line in self._cutter.rest():
            self._write_line(line)

    def close(self) -> None:
        """Drain and give the pipe up."""
        self.drain()
        self._stop()

    def _stop(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)
