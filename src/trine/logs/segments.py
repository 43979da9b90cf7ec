"""A log group's files: batches of events and markers of streams, one JSON value a line, in files of bounded size.

Enters rows and markers, leaves them again in the order in which they were written; a line that a crash cut short is
left out. Beside the files lies `….json`: the group's name, retention and tags.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from trine.kv.disk import private
from trine.logs import limits
from trine.logs.backwards import Ended, opened, values_backwards
from trine.logs.event import Row, StreamInfo

_NAME_MAX_CHARACTERS = 180


def file_name(group: str) -> str:
    """What a group's files are called: readable, and different for every group."""
    plain = group.replace("/", "+")
    if len(plain) <= _NAME_MAX_CHARACTERS:
        return plain
    return f"{plain[: _NAME_MAX_CHARACTERS - 65]}~{hashlib.sha256(group.encode()).hexdigest()}"


class Segments:
    """The files of one group below `directory`."""

    def __init__(self, directory: Path, group: str) -> None:
        self._directory = directory
        self._name = file_name(group)
        self._current = directory / f"{self._name}.jsonl"
        self._meta = directory / f"{self._name}.json"

    def write(self, rows: Sequence[Row], markers: Sequence[Mapping[str, Any]]) -> None:
        """Append a batch. Raises OSError."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = [orjson.dumps(marker, option=orjson.OPT_APPEND_NEWLINE) for marker in markers]
        if rows:
            lines.append(orjson.dumps(rows, option=orjson.OPT_APPEND_NEWLINE))
        with open(self._current, "ab", opener=private) as file:
            full = file.tell() > limits.SEGMENT_MAX_BYTES
            if full:
                self._set_aside()
        with open(self._current, "ab", opener=private) as file:
            file.write(b"".join(lines))

    def _set_aside(self) -> None:
        old = self._old()
        number = int(old[-1].name.rsplit(".", 2)[1]) + 1 if old else 1
        self._current.rename(self._directory / f"{self._name}.{number:06}.jsonl")
        for path in old[: max(0, len(old) + 2 - limits.SEGMENTS_MAX)]:
            path.unlink(missing_ok=True)

    def _old(self) -> list[Path]:
        prefix = f"{self._name}."
        try:
            found = [entry for entry in os.scandir(self._directory) if entry.name.startswith(prefix)]
        except FileNotFoundError:
            return []
        names = [e.name for e in found if e.name[len(prefix) : -6].isdigit() and e.name.endswith(".jsonl")]
        return [self._directory / name for name in sorted(names)]

    def sync(self) -> None:
        """Make what was written durable. Raises OSError."""
        for path in (self._current, self._meta, self._directory):
            if path.exists():
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def drop_older_than(self, epoch_seconds: float) -> None:
        """Delete the files whose last event was written before a time."""
        for path in self._old():
            if path.stat().st_mtime < epoch_seconds:
                path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete everything of the group."""
        for path in (*self._old(), self._current, self._meta):
            path.unlink(missing_ok=True)

    @property
    def size_bytes(self) -> int:
        """Bytes of the group's files."""
        return sum(path.stat().st_size for path in (*self._old(), self._current) if path.exists())

    def read(self) -> list[Row]:
        """All events, in the order in which they were written, without those of streams that were deleted."""
        rows: list[Row] = []
        for value in self._values():
            if isinstance(value, list):
                rows += map(tuple, value)
            elif "deleted" in value:
                rows = [row for row in rows if row[1] != value["deleted"]]
        return rows

    def latest(self, limit: int, since_ms: int, wanted: Callable[[str], bool]) -> Callable[[], list[Row]]:
        """A reader of the last `limit` events from `since_ms` on whose text is wanted, in the order of the files.

        What is called later, in another thread too, sees the files as they are now. They are read from their ends, and
        no further than needed.
        """
        found = [opened(path) for path in (self._current, *reversed(self._old()))]
        files = [one for one in found if one is not None]

        def read() -> list[Row]:
            try:
                return _latest_rows(files, limit, since_ms, wanted)
            finally:
                for ended in files:
                    ended.file.close()

        return read

    def streams(self) -> dict[str, StreamInfo]:
        """What the files say of each stream."""
        found: dict[str, StreamInfo] = {}
        for value in self._values():
            if isinstance(value, list):
                for row in value:
                    info = found.get(row[1])
                    if info is None:
                        info = found[row[1]] = StreamInfo(row[0])
                    info.note(row[0], row[4] if len(row) > 4 else row[0])
            elif "created" in value:
                found.setdefault(value["created"], StreamInfo(value["at"]))
            else:
                found.pop(value["deleted"], None)
        return found

    def _values(self) -> Iterator[Any]:
        for path in (*self._old(), self._current):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            with file:
                for line in file:
                    try:
                        value = orjson.loads(line)
                    except orjson.JSONDecodeError:
                        continue
                    if isinstance(value, list) or (isinstance(value, dict) and {"created", "deleted"} & value.keys()):
                        yield value

    def write_meta(self, document: Mapping[str, Any]) -> None:
        """Keep what is set for the group; whole or not at all. Raises OSError."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._meta.with_suffix(f".{os.getpid()}.tmp")
        with open(fresh, "wb", opener=private) as file:
            file.write(orjson.dumps(document))
        fresh.rename(self._meta)


def _latest_rows(files: Sequence[Ended], limit: int, since_ms: int, wanted: Callable[[str], bool]) -> list[Row]:
    found: list[Row] = []
    deleted: set[str] = set()
    for ended in files:
        for value in values_backwards(ended):
            if isinstance(value, dict) and "deleted" in value:
                deleted.add(value["deleted"])
            if not isinstance(value, list) or not value:
                continue
            for row in reversed(value):
                if row[0] >= since_ms and row[1] not in deleted and wanted(row[3]):
                    found.append(tuple(row))
            # An event may be dated two hours ahead of when it came.
            came_ms = max(row[4] if len(row) > 4 else row[0] for row in value)
            if len(found) >= limit or came_ms < since_ms - limits.PUT_FUTURE_MS:
                return found[:limit][::-1]
    return found[::-1]


def read_metas(directory: Path) -> Iterator[Mapping[str, Any]]:
    """What is kept of each group below `directory`."""
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if entry.name.endswith(".json"))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        try:
            document = orjson.loads((directory / name).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            continue
        if isinstance(document, dict) and isinstance(document.get("name"), str):
            yield document
