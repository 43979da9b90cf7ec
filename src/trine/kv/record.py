"""The log's format, pure: one record is one group, one segment is a header and records.

    segment   header (512 B): magic, format, segment number, first group number, CRC-32 of these
              records, each at a multiple of 512 B, so that writing one never touches a sector of one before it;
              zeros behind the last one
    record    header (24 B): magic, payload length, group number, CRC-32 of the payload, CRC-32 of this header and of
              the record's place (segment, offset): a record is valid only where it was written
              payload: per change key length (2 B), value length (4 B; all ones: deleted), key, value
    end       a record header of payload length 0: the segment is complete, another one follows

Group numbers count up by one from record to record and from segment to segment. Everything little endian.
In: groups of puts, or bytes. Out: bytes, or checked records.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from zlib import crc32

from trine.kv.errors import StoreDamaged

SECTOR_BYTES = 512
SEGMENT_HEADER_BYTES = SECTOR_BYTES

_SEGMENT_MAGIC = b"TRINELOG"
_SEGMENT = struct.Struct("<8sIQQI")
_SEGMENT_FORMAT = 1
_RECORD_MAGIC = 0x4E495254
_RECORD = struct.Struct("<IIQII")
_CHANGE = struct.Struct("<HI")
_DELETED = 0xFFFFFFFF
_PLACE = struct.Struct("<QQ")

Puts = dict[bytes, bytes | None]


def pack_segment_header(segment: int, first_group: int) -> bytes:
    """The header block of a new segment whose first record will be `first_group`."""
    fields = _SEGMENT.pack(_SEGMENT_MAGIC, _SEGMENT_FORMAT, segment, first_group, 0)[:-4]
    return (fields + crc32(fields).to_bytes(4, "little")).ljust(SEGMENT_HEADER_BYTES, b"\0")


def unpack_segment_header(content: bytes, file: str) -> tuple[int, int]:
    """Segment number and first group number; StoreDamaged naming `file`."""
    if len(content) >= _SEGMENT.size:
        magic, version, segment, first_group, check = _SEGMENT.unpack_from(content)
        if magic == _SEGMENT_MAGIC and version == _SEGMENT_FORMAT and crc32(content[: _SEGMENT.size - 4]) == check:
            return segment, first_group
    raise StoreDamaged(f"{file}: the header of this log segment is damaged; restore the state directory from a copy")


def payload(puts: Mapping[bytes, bytes | None]) -> bytes:
    """The changes of a group, as they lie in a record."""
    pack = _CHANGE.pack
    parts: list[bytes] = []
    for key, value in puts.items():
        if value is None:
            parts += (pack(len(key), _DELETED), key)
        else:
            parts += (pack(len(key), len(value)), key, value)
    return b"".join(parts)


def pack_record(content: bytes, group: int, segment: int, offset: int) -> bytes:
    """A record for exactly this place, padded to whole sectors; empty `content` makes the end of the segment."""
    head = _RECORD.pack(_RECORD_MAGIC, len(content), group, crc32(content), 0)[:-4]
    check = crc32(head, crc32(_PLACE.pack(segment, offset)))
    return b"".join((head, check.to_bytes(4, "little"), content, bytes(-(_RECORD.size + len(content)) % SECTOR_BYTES)))


def record_bytes(content_bytes: int) -> int:
    """The length of a record with that payload, in bytes."""
    whole = _RECORD.size + content_bytes
    return whole + -whole % SECTOR_BYTES


def unpack_record(content: bytes, segment: int, offset: int) -> tuple[int, int, int] | None:
    """(group number, start and end of the payload) of the valid record at `offset`, None when there is none."""
    if offset + _RECORD.size > len(content):
        return None
    magic, length, group, payload_check, check = _RECORD.unpack_from(content, offset)
    if magic != _RECORD_MAGIC:
        return None
    start = offset + _RECORD.size
    head = content[offset : start - 4]
    if crc32(head, crc32(_PLACE.pack(segment, offset))) != check or start + length > len(content):
        return None
    if crc32(memoryview(content)[start : start + length]) != payload_check:
        return None
    return group, start, start + length


def unpack_payload(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, bytes | None]]:
    """The changes between `start` and `end`, in order."""
    unpack = _CHANGE.unpack_from
    while start < end:
        key_bytes, value_bytes = unpack(content, start)
        start += _CHANGE.size
        key = content[start : start + key_bytes]
        start += key_bytes
        if value_bytes == _DELETED:
            yield key, None
        else:
            yield key, content[start : start + value_bytes]
            start += value_bytes


class Replay:
    """What one segment holds: the last value of every key, and where and how it ends."""

    __slots__ = ("complete", "end_offset", "first_group", "last_group", "puts", "records", "segment", "torn")

    def __init__(self, content: bytes, file: str) -> None:
        """Read all of a segment. A torn last record is left out; StoreDamaged when anything before it is wrong."""
        self.segment, self.first_group = unpack_segment_header(content, file)
        self.last_group = self.first_group - 1
        self.puts: Puts = {}
        self.records = 0
        self.complete = False
        self.torn = False  # bytes that are no record stand where the next one would
        self.end_offset = SEGMENT_HEADER_BYTES
        while (found := unpack_record(content, self.segment, self.end_offset)) is not None:
            group, start, end = found
            if start == end:
                self.complete = True
                return
            if group != self.last_group + 1:
                raise StoreDamaged(
                    f"{file}: group {group} at byte {self.end_offset} follows group {self.last_group}; "
                    "restore the state directory from a copy"
                )
            self.puts.update(unpack_payload(content, start, end))
            self.last_group = group
            self.records += 1
            self.end_offset = end + -end % SECTOR_BYTES
        self._nothing_follows(content, file)
        self.torn = any(content[self.end_offset : self.end_offset + SECTOR_BYTES])

    def _nothing_follows(self, content: bytes, file: str) -> None:
        """One group is written at a time: behind a torn record no other can be valid, or an old one is damaged."""
        magic = _RECORD_MAGIC.to_bytes(4, "little")
        place = self.end_offset + SECTOR_BYTES
        while (place := content.find(magic, place)) >= 0:
            if place % SECTOR_BYTES == 0 and unpack_record(content, self.segment, place) is not None:
                raise StoreDamaged(
                    f"{file}: the record at byte {self.end_offset} is damaged though a valid one follows at {place}; "
                    "restore the state directory from a copy"
                )
            place += 1
