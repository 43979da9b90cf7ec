"""The owner of the folding process: starts it, hears what it has folded, knows when it failed.

In: "segment N is complete". Out, on the event loop: `folded(N)` per segment, `ended(error)` when the process is gone.
One process at a time; it inherits the lock of the state directory, which therefore stays owned until it has ended.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from pathlib import Path

from trine.kv.errors import StoreError, StoreFull
from trine.kv.fold import EXIT_FULL

_END_SECONDS = 0.5  # a fold in progress may finish; being killed only means doing it again


class Checkpointer:
    """At most one folding process."""

    def __init__(
        self,
        directory: Path,
        owner_descriptor: int,
        folded: Callable[[int], None],
        ended: Callable[[Exception | None], None],
    ) -> None:
        self._directory = directory
        self._owner_descriptor = owner_descriptor
        self._folded = folded
        self._ended = ended
        self._process: subprocess.Popen[bytes] | None = None
        self._loop: AbstractEventLoop | None = None
        self._heard = b""
        self._gone: list[Future[None]] = []

    @property
    def running(self) -> bool:
        """Whether a folding process is at work."""
        return self._process is not None

    def start(self, last_segment: int) -> None:
        """Fold up to that segment. Must not be running; StoreError when the process cannot be started."""
        assert self._process is None
        self._loop = asyncio.get_running_loop()
        command = [sys.executable, "-m", "trine.kv.fold", str(self._directory), str(last_segment)]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(self._owner_descriptor,),
                env=_environment(),
                process_group=0,  # a Ctrl-C of the terminal is for its parent, which ends it
            )
        except OSError as error:
            raise StoreError(f"the folding process cannot be started: {error}") from error
        self._process = process
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._heard = b""
        self._loop.add_reader(process.stdout.fileno(), self._hear)

    def _hear(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        try:
            said = os.read(process.stdout.fileno(), 4096)
        except BlockingIOError:
            return
        if not said:
            self._end()
            return
        *lines, self._heard = (self._heard + said).split(b"\n")
        for line in lines:
            word, _, number = line.partition(b" ")
            if word == b"folded":
                self._folded(int(number))

    def _end(self) -> None:
        """Its output has ended, so it is ending: the wait is for the kernel to tidy up."""
        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert self._loop is not None
        self._loop.remove_reader(process.stdout.fileno())
        process.stdout.close()
        with process.stderr as stderr:
            said = stderr.read().decode("utf-8", "replace").strip()
        status = process.wait()
        error: Exception | None = None
        if status == EXIT_FULL:
            error = StoreFull(said)
        elif status:
            error = StoreError(f"folding the log failed (status {status}): {said or 'no message'}")
        gone, self._gone = self._gone, []
        self._ended(error)
        for waiter in gone:
            if not waiter.done():
                waiter.set_result(None)

    async def finished(self) -> None:
        """Wait until no process is at work."""
        if self._process is not None:
            gone: Future[None] = asyncio.get_running_loop().create_future()
            self._gone.append(gone)
            await gone

    async def close(self) -> None:
        """Wait for the process at work, bounded; after that it is killed, which costs nothing but its work."""
        if self._process is None:
            return
        killer = asyncio.get_running_loop().call_later(_END_SECONDS, self._process.kill)
        try:
            await self.finished()
        finally:
            killer.cancel()


def _environment() -> dict[str, str]:
    """The child imports the same Trine as its parent, wherever that was imported from."""
    root = str(Path(__file__).resolve().parents[2])
    rest = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": root if not rest else f"{root}{os.pathsep}{rest}"}
