"""Signals that end a server, before and while its event loop listens for them. `trine up` imports this first of all."""

from __future__ import annotations

import signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ending_signals() -> list[signal.Signals]:
    """The signals that end a server: not SIGHUP where it is ignored, since `nohup` promises that it goes on."""
    return [one for one in _SIGNALS if one != signal.SIGHUP or signal.getsignal(one) is not signal.SIG_IGN]


def interruptible() -> None:
    """From now on each of them is a KeyboardInterrupt, until the event loop listens."""
    for number in ending_signals():
        signal.signal(number, signal.default_int_handler)
