"""The few file operations the log is made of: one seam, so that tests can make each of them fail or stop there.

In: paths, descriptors, bytes. Out: what the operating system says; OSError as it says it.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path


def private(path: str, flags: int) -> int:
    """An opener for `open`: what it makes is its owner's alone."""
    return os.open(path, flags, 0o600)


def sync_directory(directory: Path) -> None:
    """New names and removals in the directory are on disk afterwards."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(file: Path, content: bytes) -> None:
    """Give a file this content, whole or not at all, its owner's alone; it is on disk afterwards."""
    draft = file.with_name(f"{file.name}.draft")
    with open(draft, "wb", opener=private) as fresh:
        fresh.write(content)
        fresh.flush()
        os.fsync(fresh.fileno())
    draft.replace(file)
    sync_directory(file.parent)


class Disk:
    """The machine's files. Every change of the log and of its directory goes through these methods."""

    def create(self, path: Path) -> int:
        """A new file that must not exist, open for reading and writing."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)

    def open(self, path: Path) -> int:
        """An existing file, open for reading and writing."""
        return os.open(path, os.O_RDWR)

    def write(self, descriptor: int, content: bytes, offset: int) -> None:
        """Write all of `content` at `offset`; OSError(ENOSPC) when it does not fit."""
        written = os.pwrite(descriptor, content, offset)
        while written < len(content):  # a short write says why at the second try
            more = os.pwrite(descriptor, content[written:], offset + written)
            if more <= 0:
                raise OSError(errno.ENOSPC, "short write")
            written += more

    def sync(self, descriptor: int) -> None:
        """The file's content (and its size) is on disk afterwards."""
        os.fdatasync(descriptor)

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        """Cut the file."""
        os.ftruncate(descriptor, size_bytes)

    def close(self, descriptor: int) -> None:
        """Close the file."""
        os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Give the file another name in the same directory."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove the file; harmless when it is gone."""
        path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        """`sync_directory`."""
        sync_directory(path)
