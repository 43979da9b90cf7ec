"""Reading the log back after a start: which groups are not in the tree yet, and where the log goes on.

In: the log's directory and how far the tree has folded it. Out: one `Replay` per segment that is still needed, every
one of them ended on disk. What is wrong beyond a torn last record is refused, never skipped.
"""

from __future__ import annotations

import struct
from pathlib import Path

from msgspec import Struct

from trine.kv.disk import Disk
from trine.kv.errors import StoreDamaged
from trine.kv.log import segment_file, segments
from trine.kv.record import SEGMENT_HEADER_BYTES, Replay, pack_record

MARK = struct.Struct(">QQ")
"""The tree's mark: the last segment folded into it, and the last group of that segment."""


class Mark(Struct, frozen=True):
    """How far the log is folded into the tree; a `new` tree has never had a log, any other one must have one."""

    segment: int
    group: int
    new: bool


def unpack_mark(mark: bytes, file: str) -> Mark:
    """The tree's mark; StoreDamaged naming `file`."""
    if not mark:
        return Mark(0, 0, True)
    if len(mark) != MARK.size:
        raise StoreDamaged(f"{file}: its mark is damaged; restore the state directory from a copy")
    segment, group = MARK.unpack(mark)
    return Mark(segment, group, False)


def read_segment(directory: Path, segment: int) -> Replay:
    """Read a whole segment; StoreDamaged."""
    file = segment_file(directory, segment)
    replay = Replay(file.read_bytes(), str(file))
    if replay.segment != segment:
        raise StoreDamaged(f"{file} holds segment {replay.segment}; restore the state directory from a copy")
    return replay


def unfolded(directory: Path, mark: Mark) -> list[Replay]:
    """The segments the tree lacks, oldest first, checked to follow one another without a gap. Changes nothing."""
    replays: list[Replay] = []
    numbers = [number for number in (segments(directory) if directory.is_dir() else []) if number > mark.segment]
    next_segment, next_group = mark.segment + 1, mark.group + 1
    if not numbers and not mark.new:  # the segment being written is never removed
        raise StoreDamaged(
            f"{segment_file(directory, next_segment)} is missing, and with it the latest writes; "
            "restore the state directory from a copy"
        )
    for number in numbers:
        if number != next_segment:
            raise StoreDamaged(
                f"{segment_file(directory, next_segment)} is missing though a later one is there; "
                "restore the state directory from a copy"
            )
        replay = read_segment(directory, number)
        if replay.first_group != next_group:
            raise StoreDamaged(
                f"{segment_file(directory, number)} begins with group {replay.first_group} where {next_group} belongs; "
                "restore the state directory from a copy"
            )
        if not replay.complete and number != numbers[-1]:
            raise StoreDamaged(
                f"{segment_file(directory, number)} has no end after byte {replay.end_offset} though a later one "
                "follows; restore the state directory from a copy"
            )
        replays.append(replay)
        next_segment, next_group = number + 1, replay.last_group + 1
    return replays


def recover(directory: Path, disk: Disk, mark: Mark) -> list[Replay]:
    """`unfolded`, after which the last segment has its end on disk, and leftovers are gone."""
    replays = unfolded(directory, mark)
    directory.mkdir(mode=0o700, exist_ok=True)
    for child in list(directory.iterdir()):
        if child.suffix == ".draft":
            disk.remove(child)
    for number in segments(directory):
        if number <= mark.segment:
            disk.remove(segment_file(directory, number))
    if replays and not replays[-1].complete:
        _end(directory, disk, replays[-1])
    return replays


def _end(directory: Path, disk: Disk, replay: Replay) -> None:
    """Cut a torn record off and write the segment's end in its place."""
    descriptor = disk.open(segment_file(directory, replay.segment))
    try:
        disk.truncate(descriptor, max(replay.end_offset, SEGMENT_HEADER_BYTES))
        end = pack_record(b"", replay.last_group + 1, replay.segment, replay.end_offset)
        disk.write(descriptor, end, replay.end_offset)
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)
    replay.complete = True
