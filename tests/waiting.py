"""Waiting in tests for what real processes, sockets and kernels do in their own time: by asking, with one long bound.

What the injected clock moves is never waited for, it is moved. The bound is generous, for a busy machine with few
cores: a test that passes never comes near it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.01
_TURNS = 200
"""Turns of an event loop before `until` begins to sleep between them."""


def wait_until(condition: Callable[[], T], what: str = "") -> T:
    """Ask again and again; what `condition` gave when it was true at last. AssertionError when it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS:.0f} s for {what or condition}; got {found!r}"
        time.sleep(_PAUSE_SECONDS)
    return found


async def until(condition: Callable[[], T], what: str = "") -> T:
    """As `wait_until`, on an event loop, which turns meanwhile."""
    deadline, turns = time.monotonic() + PATIENCE_SECONDS, 0
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS:.0f} s for {what or condition}; got {found!r}"
        await asyncio.sleep(0 if turns < _TURNS else _PAUSE_SECONDS)
        turns += 1
    return found


def is_running(pid: int) -> bool:
    """Whether `pid` is a process that has not ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def still_running(pids: set[int]) -> set[int]:
    """Those of `pids` that still run after all patience; empty as soon as none does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := {pid for pid in pids if is_running(pid)}) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    return left
