"""System calls that the standard library does not offer, through ctypes; each does nothing where the system lacks it.

Every function answers whether it took effect, so that what is not there is known and not assumed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> bool:
    """prctl(2) with one argument; False where it failed or does not exist."""
    if not sys.platform.startswith("linux"):
        return False
    zero = ctypes.c_ulong(0)
    return bool(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero) == 0)


def die_with_parent() -> bool:
    """Ask for SIGKILL when the parent dies. Is cleared by fork, kept by exec."""
    return prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent dies (child subreaper)."""
    return prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children_of(pid: int) -> list[int]:
    """Process ids of `pid`'s direct children; empty when it is gone or the kernel does not tell."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [int(word) for word in file.read().split()]
    except OSError:
        return found
    return found


def descendants_of(pid: int) -> list[int]:
    """Process ids of all that descends from `pid`, parents first."""
    found = children_of(pid)
    for child in found:  # grows while it is walked: the walk ends at the leaves
        found += children_of(child)
    return found
