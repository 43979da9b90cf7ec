"""How much memory an environment's processes hold: resident pages of the process tree, read from `/proc`.

Enters the supervisor's pid, leaves bytes; 0 where the system does not tell. RLIMIT_AS cannot be used instead: Node.js
and numpy reserve far more address space than they ever touch.
"""

from __future__ import annotations

import os

_PSS_PROCESSES_MAX = 16
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


def usage(supervisor_pid: int) -> tuple[int, int]:
    """(resident memory in bytes, number) of the processes below the supervisor."""
    pages = 0
    found = descendants(supervisor_pid)
    for pid in found:
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                pages += int(file.read().split()[1])
        except (OSError, IndexError):
            continue
    return pages * _PAGE_BYTES, len(found)


def shared_out_bytes(supervisor_pid: int) -> int:
    """As `usage`, with each shared page counted once (PSS): what forks share with their parents is not theirs alone.

    Costs about a millisecond for each process, so of many processes only some are looked at and the rest estimated.
    """
    found = descendants(supervisor_pid)
    looked_at = found[:_PSS_PROCESSES_MAX]
    kilobytes = sum(_proportional_kb(pid) for pid in looked_at)
    return kilobytes * 1024 * len(found) // max(1, len(looked_at))


def _proportional_kb(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return 0
