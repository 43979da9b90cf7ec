"""A function's output on its way into the log: bytes cut into lines, and the names of log streams. Pure."""

from __future__ import annotations

import time

from trine.awslambda import limits


class LineCutter:
    """Cuts a byte stream into lines for the log; the carriage returns inside an event become its line breaks."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @property
    def has_rest(self) -> bool:
        """Whether something stands there without a newline."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes, each with its newline; lines that are too long come in pieces."""
        data = self._rest + data if self._rest else data
        whole, newline, self._rest = data.rpartition(b"\n")
        lines = whole.split(b"\n") if newline else []
        if len(self._rest) > limits.LOG_LINE_MAX_BYTES:
            lines.append(self._rest)
            self._rest = b""
        return [text for line in lines for text in _events_of(line)]

    def rest(self) -> list[str]:
        """What stands there without a newline, and forget it."""
        rest, self._rest = self._rest, b""
        return _events_of(rest) if rest else []


def _events_of(line: bytes) -> list[str]:
    if len(line) <= limits.LOG_LINE_MAX_BYTES:
        return [line.decode("utf-8", "replace").replace("\r", "\n") + "\n"]
    size = limits.LOG_LINE_MAX_BYTES
    return [line[at : at + size].decode("utf-8", "replace") + "\n" for at in range(0, len(line), size)]


def stream_name(now: float, version: str, identifier: str) -> str:
    """`2026/11/23/[$LATEST]0123…`: the stream of one environment."""
    return f"{time.strftime('%Y/%m/%d', time.gmtime(now))}/[{version}]{identifier}"
