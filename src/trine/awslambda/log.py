"""Function logs: events in groups and streams as CloudWatch has them, in memory for readers and in files for later.

Enters text of a function's standard streams and the platform's own lines; leaves events in the order they came. One
`FunctionLog` for each log group, bounded in memory and on disk; files are written in batches, off the request's path.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from trine.awslambda import limits
from trine.clock import Clock, Timer

_LOGGER = logging.getLogger(__name__)


class LogEvent(NamedTuple):
    """One log event: milliseconds since the epoch, the stream, the invocation ('' outside one) and the text."""

    timestamp_ms: int
    stream: str
    request_id: str
    message: str


_Row = tuple[int, str, str, str]
"""A LogEvent without its names: the hot path makes three of them for each invocation."""
Follower = Callable[[LogEvent], None]


class FunctionLog:
    """The log group of one function."""

    def __init__(self, group: str, directory: Path | None, clock: Clock) -> None:
        self.group = group
        self._clock = clock
        self._file = None if directory is None else directory / f"{group.strip('/').replace('/', '+')}.jsonl"
        self._events: deque[_Row] = deque()
        self._memory_bytes = 0
        self._unwritten: list[_Row] = []
        self._timer: Timer | None = None
        self._followers: list[Follower] = []
        self.embedded: Callable[[str, str], None] | None = None
        """Told (group, line) of lines of a function that hold metrics (EMF); must not block or raise."""

    def append(self, stream: str, request_id: str, *messages: str) -> None:
        """Add one event for each message, now."""
        timestamp_ms = int(self._clock.now() * 1000)
        for message in messages:
            self._add((timestamp_ms, stream, request_id, message))

    def _add(self, event: _Row) -> None:
        events = self._events
        events.append(event)
        self._memory_bytes += len(event[3])
        while len(events) > limits.LOG_EVENTS_KEPT or self._memory_bytes > limits.LOG_MEMORY_MAX_BYTES:
            self._memory_bytes -= len(events.popleft()[3])
        if self._file is not None:
            self._unwritten.append(event)
            if self._timer is None:
                self._timer = self._clock.call_later(limits.LOG_FLUSH_SECONDS, self.flush)
            elif len(self._unwritten) >= limits.LOG_EVENTS_KEPT:
                self.flush()
        if self._followers:
            for follower in tuple(self._followers):
                follower(LogEvent(*event))

    def events(self, since_ms: int = 0, request_id: str | None = None) -> Iterator[LogEvent]:
        """Events in memory from `since_ms` on, the oldest first; of one invocation when `request_id` is given."""
        for event in map(LogEvent._make, tuple(self._events)):
            if event.timestamp_ms >= since_ms and (request_id is None or event.request_id == request_id):
                yield event

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Call `follower` with every later event; the answer ends that. A follower must not block or raise."""
        self._followers.append(follower)

        def stop() -> None:
            if follower in self._followers:
                self._followers.remove(follower)

        return stop

    def flush(self) -> None:
        """Write what is unwritten to the file. A disk that refuses is told once per batch; events stay in memory."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        events, self._unwritten = self._unwritten, []
        if not events or self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                if file.tell() > limits.LOG_FILE_MAX_BYTES:
                    self._file.replace(self._file.with_suffix(".old.jsonl"))
            with self._file.open("ab") as file:
                file.write(orjson.dumps(events, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            _LOGGER.error("log of %s could not be written: %s", self.group, error)

    def written(self) -> Iterator[LogEvent]:
        """Events in the files (each line one batch), the oldest first; a line that a crash cut short is left out."""
        if self._file is None:
            return
        for path in (self._file.with_suffix(".old.jsonl"), self._file):
            if not path.exists():
                continue
            with path.open("rb") as file:
                for line in file:
                    try:
                        rows = orjson.loads(line)
                    except orjson.JSONDecodeError:
                        continue
                    yield from map(LogEvent._make, rows)


class LogStore:
    """All log groups, made on first use."""

    def __init__(self, clock: Clock, directory: Path | None) -> None:
        self._clock = clock
        self._directory = directory
        self._groups: dict[str, FunctionLog] = {}
        self.embedded: Callable[[str, str], None] | None = None
        """As `FunctionLog.embedded`, for groups made from now on."""

    def group(self, name: str) -> FunctionLog:
        """The log group `name` (`/aws/lambda/function`)."""
        log = self._groups.get(name)
        if log is None:
            log = self._groups[name] = FunctionLog(name, self._directory, self._clock)
            log.embedded = self.embedded
        return log

    def groups(self) -> list[FunctionLog]:
        """Every log group, by name."""
        return [self._groups[name] for name in sorted(self._groups)]

    def flush(self) -> None:
        """Write everything that is unwritten."""
        for log in self._groups.values():
            log.flush()


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
