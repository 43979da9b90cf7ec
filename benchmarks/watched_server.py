"""`trine` with two switches: SIGUSR1 has it note requests, SIGUSR2 has it note nothing, as `--observe nothing` does.

What being watched costs is measured within one process like that: two processes of one program differ by up to five
percent for as long as they live (where their memory happens to lie), which is as much as is looked for.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from trine.cli.main import main
from trine.trace import TraceBook

WATCH, LOOK_AWAY = signal.SIGUSR1, signal.SIGUSR2
WATCHED_TRINE = (sys.executable, "-P", str(Path(__file__).resolve()))
"""What to start instead of `trine`."""


def switchable() -> None:
    """From now on both signals reach every book that this process makes."""
    books: list[TraceBook] = []
    make = TraceBook.__init__

    def making(self: TraceBook, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        if self.recording:
            books.append(self)

    def switch(number: int, _frame: FrameType | None) -> None:
        for book in books:
            book.recording = number == WATCH

    TraceBook.__init__ = making  # type: ignore[method-assign]
    for number in (WATCH, LOOK_AWAY):
        signal.signal(number, switch)


if __name__ == "__main__":
    switchable()
    main()
