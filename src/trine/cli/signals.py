"""Signals that end a server, before and while its event loop listens for them. `trine up` imports this first of all."""

from __future__ import annotations

import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interruptible() -> None:
    """From now on each of them is a KeyboardInterrupt, until the event loop listens."""
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)
