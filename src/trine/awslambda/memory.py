"""How much memory an environment's processes hold: resident pages of the process tree, read from `/proc`.

Enters the supervisor's pid, leaves bytes; 0 where the system does not tell. RLIMIT_AS cannot be used instead: Node.js
and numpy reserve far more address space than they ever touch.
"""

from __future__ import annotations

import os

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """Process ids of all that descends from `pid`."""
    found = _children(pid)
    for child in found:  # grows while it is walked
        found += _children(child)
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [int(word) for word in file.read().split()]
    except OSError:
        return found
    return found


def resident_bytes(supervisor_pid: int) -> int:
    """Resident memory of the processes below the supervisor, in bytes."""
    pages = 0
    for pid in descendants(supervisor_pid):
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                pages += int(file.read().split()[1])
        except (OSError, IndexError):
            continue
    return pages * _PAGE_BYTES
