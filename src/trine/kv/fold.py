"""Folding finished segments of the log into the tree: the checkpoint, as a process of its own.

A thread would share the interpreter lock with the event loop for every key it writes; a process on another core does
not. It is started when a segment is complete and ends when its work is done. The last transaction of a segment moves
the tree's mark, so being killed at any point costs nothing but doing that segment again.
In: the state directory and the last complete segment. Out: a line `folded N` per segment, on standard output.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from trine.kv.disk import Disk
from trine.kv.errors import StoreDamaged, StoreError, StoreFull
from trine.kv.log import segment_file
from trine.kv.recovery import MARK, read_segment, unpack_mark
from trine.kv.tree import LmdbTree

EXIT_FULL = 28
"""Exit status for a full disk (the number of ENOSPC); any other failure is 1."""
_IDLE_PRIORITY = 10
STEP_KEYS = 4096
"""Keys in one transaction of the tree; at random in a large tree each costs a page of 4 KiB."""


class Orphaned(Exception):
    """The process that wanted the folding is gone; its successor waits for the directory."""


def fold(
    tree: LmdbTree,
    log: Path,
    disk: Disk,
    last_segment: int,
    wanted: Callable[[], bool] = lambda: True,
    folded: Callable[[int], object] = lambda segment: None,
) -> None:
    """Fold every segment up to `last_segment` that the tree lacks; `folded` is told each one's number.

    StoreFull, StoreDamaged; Orphaned when it is no longer `wanted`. Segments done by then stay folded.
    """
    mark = unpack_mark(tree.view().mark, str(log.parent / "tree"))
    group = mark.group
    for segment in range(mark.segment + 1, last_segment + 1):
        replay = read_segment(log, segment)
        if not replay.complete or replay.first_group != group + 1:
            raise StoreDamaged(f"{segment_file(log, segment)} is not the complete segment it should be")
        marks = MARK.pack(segment - 1, group), MARK.pack(segment, replay.last_group)
        _write(tree, sorted(replay.puts.items()), *marks, wanted)
        group = replay.last_group
        disk.remove(segment_file(log, segment))
        folded(segment)


def _write(
    tree: LmdbTree,
    changes: list[tuple[bytes, bytes | None]],
    before: bytes,
    after: bytes,
    wanted: Callable[[], bool],
) -> None:
    """Write a segment's changes in steps, and move the mark with the last one.

    One transaction for all would keep the disk from the log's own syncs for as long as it takes. A tree that holds
    some of a segment already is no fault: readers and recovery lay the whole segment over it until the mark has moved.
    """
    last = max(0, (len(changes) - 1) // STEP_KEYS * STEP_KEYS)
    for place in range(0, last, STEP_KEYS):
        tree.write(dict(changes[place : place + STEP_KEYS]), before)
        if not wanted():
            raise Orphaned
    tree.write(dict(changes[last:]), after)


def _tell(segment: int) -> None:
    print(f"folded {segment}", flush=True)


def main(directory: str, last_segment: str) -> int:
    """The process: 0 when all is folded."""
    os.nice(_IDLE_PRIORITY)
    parent = os.getppid()
    try:
        path = Path(directory)
        tree = LmdbTree(path / "tree")
        try:
            fold(tree, path / "log", Disk(), int(last_segment), lambda: os.getppid() == parent, _tell)
        finally:
            tree.close()
    except StoreFull as error:
        print(error, file=sys.stderr)
        return EXIT_FULL
    except Orphaned:
        return 1
    except (StoreError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
