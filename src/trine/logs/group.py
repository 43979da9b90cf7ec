"""One log group: its newest events in memory for readers and followers, all of them in files for later.

Enters messages of functions and clients, leaves events in the order they came. Bounded in memory and on disk; files are
written in batches, off the request's path.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trine.clock import Clock, Timer
from trine.logs import limits
from trine.logs.errors import ServiceUnavailable
from trine.logs.event import LogEvent, Row, StreamInfo
from trine.logs.segments import Segments

if TYPE_CHECKING:
    from trine.logs.metric_filter import Emission, MetricFilter

_LOGGER = logging.getLogger(__name__)
Follower = Callable[[LogEvent], None]
OnEmbedded = Callable[[str, str], None]
"""Takes (group, line) of a line that may hold embedded metrics (EMF); must not block or raise."""
OnMetric = Callable[["Emission", int], None]
"""Takes what a metric filter publishes and the event's time in milliseconds; must not block or raise."""
_EMBEDDED_MARK = '"_aws"'
_FAR_FUTURE_MS = 1 << 62
_FORGOTTEN_AT_ONCE = 256
"""The oldest events leave memory by so many, and before anybody reads: one by one each costs three times as much."""


class LogGroup:
    """A log group; it exists for the API from its first event on, or from its creation."""

    def __init__(self, group: str, directory: Path | None, clock: Clock) -> None:
        self.group = group
        self.on_embedded: OnEmbedded | None = None
        self.on_metric: OnMetric | None = None
        self.metric_filters: dict[str, MetricFilter] = {}
        """By name; change them with `set_filter`."""
        self.created_ms = 0
        """0: for the API there is no such group yet."""
        self.retention_days: int | None = None
        self.tags: dict[str, str] = {}
        self._clock = clock
        self._segments = None if directory is None else Segments(directory, group)
        self._events: deque[Row] = deque()
        self._memory_bytes = 0
        self._memory_from_ms = 0
        """Every event with this timestamp or a later one is in memory."""
        self._streams: dict[str, StreamInfo] = {}
        self._scanned = True
        self._scanning: asyncio.Lock | None = None
        self._unwritten: list[Row] = []
        self._markers: list[Mapping[str, Any]] = []
        self._meta_unwritten = False
        self._timer: Timer | None = None
        self._followers: list[Follower] = []

    def found(self, meta: Mapping[str, Any]) -> None:
        """It was kept by an earlier run, with what was set for it then."""
        self.created_ms = int(meta.get("createdMs") or 0)
        self.retention_days = meta.get("retentionDays")
        self.tags = dict(meta.get("tags") or {})
        if meta.get("metricFilters"):
            from trine.logs.metric_filter import filter_of

            kept = [filter_of(document) for document in meta["metricFilters"]]
            self.metric_filters = {one.name: one for one in kept}
        self._scanned = False
        self._memory_from_ms = _FAR_FUTURE_MS

    # -- writing -----------------------------------------------------------------------------------------------------

    def append(self, stream: str, request_id: str, *messages: str) -> None:
        """Add one event for each message, now."""
        timestamp_ms = int(self._clock.now() * 1000)
        info = self._streams.get(stream)
        if info is None:
            info = self._add_stream(stream, timestamp_ms)
        info.last_ms = info.ingested_ms = timestamp_ms
        if not info.first_ms:
            info.first_ms = timestamp_ms
        if len(messages) == 1:
            self._add([(timestamp_ms, stream, request_id, messages[0])])
        else:
            self._add([(timestamp_ms, stream, request_id, message) for message in messages])

    def put(self, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Add a client's events (milliseconds, message) to a stream."""
        now_ms = int(self._clock.now() * 1000)
        info = self._streams.get(stream) or self._add_stream(stream, now_ms)
        for timestamp_ms, _ in events:
            info.note(timestamp_ms, now_ms)
        self._add([(timestamp_ms, stream, "", message, now_ms) for timestamp_ms, message in events])

    def _add_stream(self, stream: str, now_ms: int) -> StreamInfo:
        if not self.created_ms:
            self.create()
        if len(self._streams) >= limits.STREAMS_MAX:
            stalest = min(self._streams, key=lambda name: self._streams[name].ingested_ms)
            del self._streams[stalest]
        info = self._streams[stream] = StreamInfo(now_ms)
        return info

    def _add(self, rows: Sequence[Row]) -> None:
        events = self._events
        added = 0
        if self.metric_filters and self.on_metric is not None:
            self._publish(rows, self.on_metric)
        for row in rows:
            message = row[3]
            added += len(message)
            if message.startswith("{") and self.on_embedded is not None and _EMBEDDED_MARK in message:
                self.on_embedded(self.group, message)
            events.append(row)
        self._memory_bytes += added
        if len(events) > limits.EVENTS_KEPT + _FORGOTTEN_AT_ONCE or self._memory_bytes > limits.MEMORY_MAX_BYTES:
            self._forget()
        if self._segments is not None:
            self._unwritten += rows
            if self._timer is None:
                self._timer = self._clock.call_later(limits.FLUSH_SECONDS, self.flush)
            elif len(self._unwritten) >= limits.EVENTS_KEPT:
                self.flush()
        if self._followers:
            for row in rows:
                for follower in tuple(self._followers):
                    follower(LogEvent(*row))

    def _publish(self, rows: Sequence[Row], on_metric: OnMetric) -> None:
        for row in rows:
            for one in self.metric_filters.values():
                for emission in one.emissions(row[3], row[0]):
                    on_metric(emission, row[0])

    def _forget(self) -> None:
        # The oldest leave memory; their files keep them.
        events, most = self._events, limits.EVENTS_KEPT
        memory_bytes, from_ms = self._memory_bytes, self._memory_from_ms
        while len(events) > most or memory_bytes > limits.MEMORY_MAX_BYTES:
            dropped = events.popleft()
            memory_bytes -= len(dropped[3])
            if dropped[0] >= from_ms:
                from_ms = dropped[0] + 1
        self._memory_bytes, self._memory_from_ms = memory_bytes, from_ms

    def flush(self) -> None:
        """Write what is unwritten to the files. A disk that refuses is told once per batch; events stay in memory."""
        try:
            self._write()
        except OSError as error:
            _LOGGER.error("log of %s could not be written: %s", self.group, error)

    def _write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rows, self._unwritten = self._unwritten, []
        markers, self._markers = self._markers, []
        if self._segments is None:
            return
        if self._meta_unwritten:
            self._meta_unwritten = False
            self._segments.write_meta(self._meta())
        if rows or markers:
            self._segments.write(rows, markers)

    async def settle(self) -> None:
        """Write everything and make it durable. Raises ServiceUnavailable when the disk refuses."""
        if self._segments is None:
            return
        try:
            self._write()
            await asyncio.to_thread(self._segments.sync)
        except OSError as error:
            raise ServiceUnavailable(f"The log could not be written: {error}") from error

    # -- the group and its streams -----------------------------------------------------------------------------------

    def create(self) -> None:
        """From now on it exists."""
        self.created_ms = max(1, int(self._clock.now() * 1000))
        self._meta_unwritten = True
        self._wind()

    def set(self, *, retention_days: int | None, tags: Mapping[str, str]) -> None:
        """Change what is set for it."""
        self.retention_days, self.tags = retention_days, dict(tags)
        self._meta_unwritten = True
        if self._segments is not None and retention_days is not None:
            self._segments.drop_older_than(self._clock.now() - retention_days * 86_400)
        self._wind()

    def _meta(self) -> dict[str, Any]:
        return {
            "name": self.group,
            "createdMs": self.created_ms,
            "retentionDays": self.retention_days,
            "tags": self.tags,
            "metricFilters": [one.document() for one in self.metric_filters.values()],
        }

    def set_filter(self, name: str, made: MetricFilter | None) -> None:
        """Keep a metric filter under its name, or forget it."""
        if made is None:
            self.metric_filters.pop(name, None)
        else:
            self.metric_filters[name] = made
        self._meta_unwritten = True
        self._wind()

    def _wind(self) -> None:
        if self._segments is not None and self._timer is None:
            self._timer = self._clock.call_later(limits.FLUSH_SECONDS, self.flush)

    def clear(self) -> None:
        """Delete all of it; an event that comes later makes it anew."""
        self.flush()
        if self._segments is not None:
            self._segments.remove()
        self.created_ms, self.retention_days, self.tags, self.metric_filters = 0, None, {}, {}
        self._events.clear()
        self._memory_bytes = self._memory_from_ms = 0
        self._streams.clear()
        self._scanned = True
        self._meta_unwritten = False

    def create_stream(self, stream: str) -> None:
        """Add an empty stream."""
        now_ms = int(self._clock.now() * 1000)
        self._add_stream(stream, now_ms)
        self._markers.append({"created": stream, "at": now_ms})
        self._wind()

    def delete_stream(self, stream: str) -> None:
        """Forget a stream with its events."""
        self.flush()
        del self._streams[stream]
        self._events = deque(row for row in self._events if row[1] != stream)
        self._memory_bytes = sum(len(row[3]) for row in self._events)
        self._markers.append({"deleted": stream, "at": int(self._clock.now() * 1000)})
        self._wind()

    async def streams(self) -> Mapping[str, StreamInfo]:
        """What is known of each stream, those of earlier runs included."""
        if not self._scanned and self._segments is not None:
            if self._scanning is None:
                self._scanning = asyncio.Lock()
            async with self._scanning:
                if not self._scanned:
                    await self._scan(self._segments)
        return self._streams

    async def _scan(self, segments: Segments) -> None:
        self.flush()
        if self.retention_days is not None:
            segments.drop_older_than(self._clock.now() - self.retention_days * 86_400)
        found = await asyncio.to_thread(segments.streams)
        newest_ms = 0
        for name, info in found.items():
            newest_ms = max(newest_ms, info.last_ms)
            known = self._streams.setdefault(name, info)
            if known is not info:
                known.created_ms = min(known.created_ms, info.created_ms)
                known.first_ms = min(known.first_ms or info.first_ms, info.first_ms)
        # All of that lies in the files; what comes from now on lies in memory too.
        self._memory_from_ms = newest_ms + 1
        self._scanned = True

    @property
    def size_bytes(self) -> int:
        """Bytes on disk."""
        return 0 if self._segments is None else self._segments.size_bytes

    # -- reading -----------------------------------------------------------------------------------------------------

    def events(self, since_ms: int = 0, request_id: str | None = None) -> Iterator[LogEvent]:
        """Events in memory from `since_ms` on, the oldest first; of one invocation when `request_id` is given."""
        self._forget()
        for row in tuple(self._events):
            if row[0] >= since_ms and (request_id is None or row[2] == request_id):
                yield LogEvent(*row)

    def written(self) -> Iterator[LogEvent]:
        """Events in the files, the oldest first."""
        if self._segments is not None:
            for row in self._segments.read():
                yield LogEvent(*row)

    async def read(self, start_ms: int, end_ms: int, streams: Collection[str] | None = None) -> list[LogEvent]:
        """All events from `start_ms` up to, not including, `end_ms`, by time; of some streams when they are named.

        From memory where it reaches back far enough, else from the files. Events beyond the retention are gone.
        """
        await self.streams()
        self._forget()
        start_ms = self._kept_from(start_ms)
        if start_ms >= self._memory_from_ms or self._segments is None:
            rows: Sequence[Row] = tuple(self._events)
        else:
            rows = await self._all_rows(self._segments)
        found = [
            LogEvent(*row) for row in rows if start_ms <= row[0] < end_ms and (streams is None or row[1] in streams)
        ]
        found.sort(key=_when)
        return found

    def latest(self, limit: int, since_ms: int, wanted: Callable[[str], bool]) -> Awaitable[list[LogEvent]]:
        """The last `limit` events up to now and from `since_ms` on whose text is wanted, by time.

        Those of earlier runs are among them; what comes after the call is not.
        """
        since_ms = self._kept_from(since_ms)
        self._forget()
        rows: Sequence[Row] = [row for row in self._events if row[0] >= since_ms and wanted(row[3])]
        if len(rows) < limit and self._segments is not None:
            self.flush()
            return _by_time(asyncio.to_thread(self._segments.latest(limit, since_ms, wanted)), limit)
        return _by_time(rows, limit)

    def _kept_from(self, start_ms: int) -> int:
        if self.retention_days is None:
            return start_ms
        return max(start_ms, int((self._clock.now() - self.retention_days * 86_400) * 1000))

    async def _all_rows(self, segments: Segments) -> list[Row]:
        self.flush()
        return await asyncio.to_thread(segments.read)

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Call `follower` with every later event; the answer ends that. A follower must not block or raise."""
        self._followers.append(follower)

        def stop() -> None:
            if follower in self._followers:
                self._followers.remove(follower)

        return stop


async def _by_time(rows: Sequence[Row] | Awaitable[Sequence[Row]], limit: int) -> list[LogEvent]:
    found = await rows if isinstance(rows, Awaitable) else rows
    return sorted((LogEvent(*row) for row in found[-limit:]), key=_when)


def _when(event: LogEvent) -> int:
    return event.timestamp_ms
