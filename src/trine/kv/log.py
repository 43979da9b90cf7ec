"""The write-ahead log: segments in one directory, the last of them being written.

A segment grows in steps filled with zeros, so the usual write of a record changes no metadata and its fdatasync is
cheap; and a full disk shows itself before a record is written, not after. `append` only copies into the page cache;
`sync` and `rotate` wait for the disk. In: payloads of groups. Out: durable records, in segments that end themselves.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import NoReturn

from trine.kv.disk import Disk
from trine.kv.errors import StoreError, StoreFull
from trine.kv.record import SECTOR_BYTES, SEGMENT_HEADER_BYTES, pack_record, pack_segment_header, record_bytes

GROWTH_BYTES = 256 << 10
_SEGMENT_NAME = re.compile(r"[0-9a-f]{16}").fullmatch
_ZEROS = bytes(GROWTH_BYTES)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def full_disk(error: OSError) -> bool:
    """Whether that error says that no more can be stored."""
    return error.errno in _FULL


def segment_file(directory: Path, segment: int) -> Path:
    """Where segment number `segment` lies."""
    return directory / f"{segment:016x}"


def segments(directory: Path) -> list[int]:
    """The numbers of the segments in the log directory, ascending; other files are not among them."""
    return sorted(int(child.name, 16) for child in directory.iterdir() if _SEGMENT_NAME(child.name))


class Log:
    """The end of the log. One group at a time: `append` (cheap), `sync`, and only then the next."""

    def __init__(self, directory: Path, disk: Disk, segment: int, next_group: int) -> None:
        """Start segment `segment`. StoreFull, StoreError."""
        self._directory = directory
        self._disk = disk
        self._descriptor = -1
        self._allocated_bytes = 0
        self.segment = segment
        self.offset = 0
        self.broken: StoreError | None = None  # why nothing can be written any more
        try:
            self._start(segment, next_group)
        except OSError as error:
            raise _named(error, segment_file(directory, segment)) from error

    def _start(self, segment: int, next_group: int) -> None:
        """Make a segment under a draft's name; it gets its own name when its header is on disk. OSError."""
        disk = self._disk
        file = segment_file(self._directory, segment)
        draft = file.with_suffix(".draft")
        disk.remove(draft)
        descriptor = -1
        try:
            descriptor = disk.create(draft)
            disk.write(descriptor, pack_segment_header(segment, next_group), 0)
            disk.write(descriptor, _ZEROS, SEGMENT_HEADER_BYTES)
            disk.sync(descriptor)
            disk.rename(draft, file)
            disk.sync_directory(self._directory)
        except OSError:
            if descriptor >= 0:
                disk.close(descriptor)
            disk.remove(draft)
            raise
        if self._descriptor >= 0:
            disk.close(self._descriptor)
        self._descriptor = descriptor
        self._allocated_bytes = SEGMENT_HEADER_BYTES + GROWTH_BYTES
        self.segment = segment
        self.offset = SEGMENT_HEADER_BYTES

    @property
    def descriptor(self) -> int:
        """The file that is being written, for syncing it by other means; then `synced` or `failed` must be told."""
        return self._descriptor

    def _make_room(self, content_bytes: int) -> None:
        """Grow for a record of that payload, with an end behind it. OSError; the log is as it was then."""
        needed = self.offset + record_bytes(content_bytes) + SECTOR_BYTES
        while self._allocated_bytes < needed:
            self._disk.write(self._descriptor, _ZEROS, self._allocated_bytes)
            self._allocated_bytes += GROWTH_BYTES

    def append(self, content: bytes, group: int) -> int:
        """Write a record behind the last one, not yet durable; returns the offset of its end, for `sync`."""
        if self.broken is not None:
            raise self.broken
        record = pack_record(content, group, self.segment, self.offset)
        try:
            self._make_room(len(content))
        except OSError as error:
            raise _named(error, segment_file(self._directory, self.segment)) from error
        try:
            self._disk.write(self._descriptor, record, self.offset)
        except OSError as error:
            raise self._taken_back(error) from error
        return self.offset + len(record)

    def sync(self, end_offset: int) -> None:
        """Make the record that ends there durable, and the end of the log."""
        try:
            self._disk.sync(self._descriptor)
        except OSError as error:
            self.failed(error)
        self.synced(end_offset)

    def synced(self, end_offset: int) -> None:
        """The record that ends there is durable."""
        self.offset = end_offset

    def failed(self, error: OSError) -> NoReturn:
        """The last record could not be made durable: take it back and raise the error by its name. May block."""
        raise self._taken_back(error) from error

    def rotate(self, next_group: int) -> None:
        """End this segment and start the next. After StoreFull the old one goes on, its end taken back."""
        if self.broken is not None:
            raise self.broken
        try:
            end = pack_record(b"", next_group, self.segment, self.offset)
            self._disk.write(self._descriptor, end, self.offset)
            self._disk.sync(self._descriptor)
            self._start(self.segment + 1, next_group)
        except OSError as error:
            raise self._taken_back(error) from error

    def _taken_back(self, error: OSError) -> StoreError:
        """What was written behind the last durable record must not come back after a crash: wipe it.

        A full disk leaves the log as it was. After any other failure, or when wiping fails, nobody knows what is on
        disk (a failed fdatasync may even report success the second time), so the log refuses to go on.
        """
        named = _named(error, segment_file(self._directory, self.segment))
        try:
            self._disk.write(self._descriptor, bytes(SECTOR_BYTES), self.offset)
            self._disk.sync(self._descriptor)
        except OSError as second:
            self.broken = StoreError(f"{named}; and the record could not be taken back ({second}): restart")
        else:
            if not isinstance(named, StoreFull):
                self.broken = StoreError(f"{named}: nothing can be written before a restart")
        return self.broken or named

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            self._disk.close(self._descriptor)
            self._descriptor = -1


def _named(error: OSError, file: Path) -> StoreError:
    if full_disk(error):
        return StoreFull(f"{file}: {error.strerror}; make room on the disk")
    return StoreError(f"{file}: {error}; the disk may be failing")
