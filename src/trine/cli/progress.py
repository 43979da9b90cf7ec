"""A line on the terminal for whatever takes longer than a second: what is being done, and for how long already.

Enters a text, leaves nothing behind: the line is erased when the work is done, and never written where nobody watches.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from trine.clock import SystemClock

PATIENCE_SECONDS = 1.0
TURN_SECONDS = 0.2
_WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@contextmanager
def progress(doing: str) -> Iterator[None]:
    """Say `doing …` on stderr while the block runs, once it has taken a second; only on a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    turning = threading.Thread(target=_turn, args=(doing, done), daemon=True)
    turning.start()
    try:
        yield
    finally:
        done.set()
        turning.join()


def _turn(doing: str, done: threading.Event) -> None:
    if done.wait(PATIENCE_SECONDS):
        return
    clock, turn = SystemClock(), 0
    began_ns = clock.monotonic_ns() - int(PATIENCE_SECONDS * 1e9)
    while True:
        seconds = (clock.monotonic_ns() - began_ns) / 1e9
        sys.stderr.write(f"\r{_WHEEL[turn % len(_WHEEL)]} {doing} … {seconds:.0f} s\x1b[K")
        sys.stderr.flush()
        turn += 1
        if done.wait(TURN_SECONDS):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            return
