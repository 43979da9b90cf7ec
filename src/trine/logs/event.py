"""One log event, and what is known of the stream it is in. Values only."""

from __future__ import annotations

from typing import NamedTuple


class LogEvent(NamedTuple):
    """One log event: milliseconds since the epoch, the stream, the invocation ('' outside one) and the text."""

    timestamp_ms: int
    stream: str
    request_id: str
    message: str
    ingested_ms: int = 0
    """When it was written, where that is not its timestamp."""


Row = tuple[int, str, str, str] | tuple[int, str, str, str, int]
"""A LogEvent without its names: the hot path makes three of them for each invocation."""


class StreamInfo:
    """What is known of a stream; milliseconds since the epoch. 0: it has no event yet."""

    __slots__ = ("created_ms", "first_ms", "ingested_ms", "last_ms")

    def __init__(self, created_ms: int) -> None:
        self.created_ms = created_ms
        self.first_ms = 0
        self.last_ms = 0
        self.ingested_ms = 0

    def note(self, timestamp_ms: int, ingested_ms: int) -> None:
        """An event was added."""
        if not self.first_ms or timestamp_ms < self.first_ms:
            self.first_ms = timestamp_ms
        if timestamp_ms > self.last_ms:
            self.last_ms = timestamp_ms
        if ingested_ms > self.ingested_ms:
            self.ingested_ms = ingested_ms
