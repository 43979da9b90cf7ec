"""A log file read from its end: the latest lines of a gigabyte cost what those lines cost.

Enters an open file of JSON lines and where it ended when it was opened; leaves its values, the last one first. What is
written afterwards is left out, and so is a line that a crash cut short.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

BLOCK_BYTES = 262_144


class Ended(NamedTuple):
    """An open file, and its length at that moment."""

    file: BinaryIO
    size_bytes: int


def opened(path: Path) -> Ended | None:
    """The file as it is now; None when there is none. Whoever takes it closes it."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    return Ended(file, file.seek(0, os.SEEK_END))


def values_backwards(ended: Ended) -> Iterator[Any]:
    """Every value of the file, the last one first."""
    file, position = ended
    rest = b""
    while position > 0:
        size = min(BLOCK_BYTES, position)
        position -= size
        file.seek(position)
        first, *lines = (file.read(size) + rest).split(b"\n")
        yield from _values(lines)
        rest = first  # the line goes on in the block before
    yield from _values([rest])


def _values(lines: list[bytes]) -> Iterator[Any]:
    for line in reversed(lines):
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
