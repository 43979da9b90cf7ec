"""The write-ahead log: segments in one directory, the last of them being written.

A segment grows in steps that are zero-filled and synced before they are used, so the usual write of a record changes
no metadata and one fdatasync is all it takes; and a full disk shows itself before a record is written, not after.
In: payloads of groups. Out: durable records, in segments that end themselves. All methods may block.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path

from trine.kv.disk import Disk
from trine.kv.errors import StoreError, StoreFull
from trine.kv.record import SECTOR_BYTES, SEGMENT_HEADER_BYTES, pack_record, pack_segment_header, record_bytes

GROWTH_BYTES = 1 << 20
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

    def has_room(self, content_bytes: int) -> bool:
        """Whether a record of that payload, and an end behind it, fit without growing: then `append` cannot block."""
        return self.offset + record_bytes(content_bytes) + SECTOR_BYTES <= self._allocated_bytes

    def grow(self, content_bytes: int) -> None:
        """Make room for a record of that payload. StoreFull; the log is as it was then."""
        disk, needed = self._disk, self.offset + record_bytes(content_bytes) + SECTOR_BYTES
        try:
            while self._allocated_bytes < needed:
                disk.write(self._descriptor, _ZEROS, self._allocated_bytes)
                disk.sync(self._descriptor)
                self._allocated_bytes += GROWTH_BYTES
        except OSError as error:
            raise _named(error, segment_file(self._directory, self.segment)) from error

    def append(self, content: bytes, group: int) -> int:
        """Write a record behind the last one, not yet durable; returns the offset of its end, for `sync`."""
        if self.broken is not None:
            raise self.broken
        record = pack_record(content, group, self.segment, self.offset)
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
            raise self._taken_back(error) from error
        self.offset = end_offset

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
