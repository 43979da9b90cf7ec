"""Looking after a state directory: verify it, compact it, fork it.

Each takes the directory for itself, so a running store refuses them (StoreBusy names its process); `copy_state` alone
is also used on a running store that has paused its checkpoints. In: paths. Out: what was found or made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct, field

from trine.kv import directory as state_directory
from trine.kv.disk import Disk, private, sync_directory
from trine.kv.errors import StoreDamaged, StoreError, StoreFull
from trine.kv.fold import fold
from trine.kv.log import Log, full_disk, segment_file, segments
from trine.kv.recovery import Mark, recover, unfolded, unpack_mark
from trine.kv.tree import LmdbTree

_CLONE_FILE = 0x40049409  # ioctl FICLONE: share the blocks until one side changes (btrfs, xfs, bcachefs)


class Verification(Struct):
    """What `verify` saw; `faults` are sentences with file names, empty when everything is well."""

    format_version: int | None = None
    tree_keys: int = 0
    last_group: int = 0
    segments_to_fold: int = 0
    torn_tail: bool = False  # the last record was never acknowledged and is left out at the next start
    faults: list[str] = field(default_factory=list)


@contextmanager
def _owned(directory: Path) -> Iterator[Path]:
    if state_directory.read_format(directory) is None:
        raise StoreDamaged(f"{directory} holds no state of Trine (it has no format file)")
    held = state_directory.take(directory)
    try:
        yield held.path
    finally:
        held.release()


def verify(directory: str | os.PathLike[str]) -> Verification:
    """Read every byte of a state directory and check it; changes nothing. StoreBusy, StoreTooNew, StoreDamaged."""
    found = Verification()
    with _owned(Path(directory)) as path:
        found.format_version = state_directory.read_format(path)
        mark = Mark(0, 0, True)
        try:
            tree = LmdbTree(path / "tree")
        except StoreError as error:
            found.faults.append(str(error))
            return found
        try:
            found.faults += tree.faults()
            found.tree_keys = tree.statistics()["tree_keys"]
            mark = unpack_mark(tree.view().mark, str(path / "tree"))
        except StoreError as error:
            found.faults.append(str(error))
        finally:
            tree.close()
        found.last_group = mark.group
        try:
            replays = unfolded(path / "log", mark)
        except StoreDamaged as error:
            found.faults.append(str(error))
        else:
            found.segments_to_fold = len(replays)
            if replays:
                found.last_group = replays[-1].last_group
                found.torn_tail = replays[-1].torn
    return found


def compact(directory: str | os.PathLike[str]) -> tuple[int, int]:
    """Fold the log and rewrite the tree without free pages; returns its size in bytes before and after.

    The old tree is replaced by one rename. StoreBusy, StoreTooNew, StoreDamaged, StoreFull.
    """
    with _owned(Path(directory)) as path:
        tree_directory, draft = path / "tree", path / "tree.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        tree = LmdbTree(tree_directory)
        try:
            log, disk = path / "log", Disk()
            replays = recover(log, disk, unpack_mark(tree.view().mark, str(tree_directory)))
            if replays:
                last = replays[-1]
                Log(log, disk, last.segment + 1, last.last_group + 1).close()  # the log is never without a segment
                fold(tree, log, disk, last.segment)
            tree.copy_compact(draft)
        finally:
            tree.close()
        old, new = tree_directory / "data.mdb", draft / "data.mdb"
        before = old.stat().st_size
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(old)
        sync_directory(tree_directory)
        shutil.rmtree(draft)
        return before, old.stat().st_size


def fork(directory: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Make `target` (which must not exist) a state of its own with the same content.

    Finished segments are shared by hard links; the tree and the last segment are cloned where the file system can,
    copied elsewhere. StoreBusy, StoreTooNew, StoreFull; StoreError when `target` exists.
    """
    with _owned(Path(directory)) as path:
        copy_state(path, Path(target), None)


def copy_state(source: Path, target: Path, end: tuple[int, int] | None) -> None:
    """The copying of `fork`: `target` appears whole or not at all.

    Nothing may be folded into the source's tree meanwhile. `end`, for a log that is being written: the segment and
    the offset up to which it is durable; what lies behind is left out.
    """
    if target.exists():
        raise StoreError(f"{target} exists already; a fork needs a path of its own")
    draft = target.with_name(target.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        for made in (draft, draft / "tree", draft / "log"):
            made.mkdir(mode=0o700)
        _clone(source / "tree" / "data.mdb", draft / "tree" / "data.mdb")
        numbers = segments(source / "log") if (source / "log").is_dir() else []
        last, end_bytes = end or (numbers[-1] if numbers else 0, None)
        for number in numbers:
            file, copy = segment_file(source / "log", number), segment_file(draft / "log", number)
            if number < last:
                _link(file, copy)
            elif number == last:
                _clone(file, copy, end_bytes)
        state_directory.write_format(draft)
        for made in (draft / "tree", draft / "log", draft):
            sync_directory(made)
        draft.rename(target)
        sync_directory(target.parent)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        if full_disk(error):
            raise StoreFull(f"{target}: {error.strerror}; make room on the disk") from error
        raise StoreError(f"{source} cannot be forked to {target}: {error}") from error


def _clone(source: Path, target: Path, end_bytes: int | None = None) -> None:
    """Copy a file durably, whole or up to `end_bytes`, sharing its blocks where the file system can."""
    with source.open("rb") as old, open(target, "xb", opener=private) as new:
        try:
            fcntl.ioctl(new.fileno(), _CLONE_FILE, old.fileno())
        except OSError:  # this file system, or these two, cannot: copy within the kernel
            offset, size = 0, os.fstat(old.fileno()).st_size if end_bytes is None else end_bytes
            while offset < size and (copied := os.sendfile(new.fileno(), old.fileno(), offset, size - offset)):
                offset += copied
        if end_bytes is not None:
            os.ftruncate(new.fileno(), end_bytes)
        os.fsync(new.fileno())


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        _clone(source, target)
