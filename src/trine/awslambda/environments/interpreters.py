"""The zygote of each Python interpreter that a function asks for.

Enters a runtime's name (`python3.12`), leaves the zygote whose interpreter fits best: the asked version where it is
installed, else the one that runs Trine. A zygote starts when a function first wants it, or had a head start; without
functions there is none.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from trine.awslambda.environments.zygote import SandboxLayers, Zygote
from trine.awslambda.head_start import Started
from trine.awslambda.runtimes.known import runtime_of
from trine.awslambda.runtimes.python import version_of
from trine.awslambda.runtimes.pythons import find, lent_sdk
from trine.clock import Clock


class Interpreters:
    """The zygotes of one service, by interpreter."""

    def __init__(
        self,
        clock: Clock,
        state: Path,
        *,
        sandboxed: bool,
        quick_sdk: bool,
        head_starts: Mapping[str, Started] | None = None,
    ) -> None:
        self._clock = clock
        self._state = state
        self._sandboxed = sandboxed
        self._quick_sdk = quick_sdk
        self.tries_networks = False
        """Zygotes find out, before anything else, whether environments can have networks of their own."""
        self._is_started = False
        self._head_starts = dict(head_starts or {})
        """Interpreters that were started early and that no function has asked for yet, by executable."""
        self._found: dict[str, str | None] = {}
        self._zygotes: dict[str, Zygote] = {}

    @property
    def own(self) -> Zygote:
        """The zygote of the Python that runs Trine; started now when no function has asked for it yet."""
        return self._zygote_of(sys.executable)

    @property
    def layers_are_known(self) -> bool:
        """Whether a zygote has told by now."""
        return any(zygote.is_ready for zygote in self._zygotes.values())

    @property
    def layers(self) -> SandboxLayers:
        """What keeps functions apart here; every layer off as long as no zygote has tried."""
        return next(
            (zygote.layers for zygote in self._zygotes.values() if zygote.is_ready), SandboxLayers(False, 0, False)
        )

    @property
    def own_networks(self) -> bool | None:
        """Whether environments can have networks of their own; None as long as no zygote was asked."""
        known = [zygote.own_networks for zygote in self._zygotes.values() if zygote.own_networks is not None]
        return all(known) if known else None

    def start(self) -> None:
        """Start the zygotes that functions asked for already; returns at once."""
        self._is_started = True
        for zygote in self._zygotes.values():
            zygote.start()

    async def ready(self, patience_seconds: float) -> list[str]:
        """Wait until every zygote has loaded; the executables of those that take longer than `patience_seconds`.

        Interpreters that were started early and that nobody asked for end here: the functions are known now.
        """
        await self._end_head_starts()
        waiting = {asyncio.ensure_future(zygote.ready()): zygote.python for zygote in self._zygotes.values()}
        if not waiting:
            return []
        _, late = await asyncio.wait(waiting, timeout=patience_seconds)
        for wait in late:
            wait.cancel()
        return [waiting[wait] for wait in late]

    def prepare(self, runtime: str) -> None:
        """A function of this runtime exists: its zygote starts now, or with the others."""
        self.zygote(runtime)

    def executable(self, runtime: str) -> str:
        """The interpreter for a runtime; Trine's own when it is not installed. Who only needs to be forked and
        executed (Node.js, custom runtimes) takes what is there already."""
        version = version_of(runtime)
        if version is None:
            return next(iter((*self._zygotes, *self._head_starts)), sys.executable)
        if version not in self._found:
            self._found[version] = find(version)
        return self._found[version] or sys.executable

    def note(self, runtime: str) -> str | None:
        """What the manifest should say about a runtime; None when it is exactly there."""
        return runtime_of(runtime).note(runtime, self.executable(runtime))

    def zygote(self, runtime: str) -> Zygote:
        """The zygote for a runtime, started now when it is the first of its kind."""
        return self._zygote_of(self.executable(runtime), runtime)

    def _zygote_of(self, executable: str, runtime: str = "") -> Zygote:
        zygote = self._zygotes.get(executable)
        if zygote is None:
            zygote = self._zygotes[executable] = Zygote(
                self._clock,
                executable,
                sandboxed=self._sandboxed,
                sdk=lent_sdk(executable, self._state),
                quick_sdk=self._quick_sdk,
                on_hopeless=lambda: self._give_up(runtime),
                started=self._head_starts.pop(executable, None),
                tries_networks=self.tries_networks,
            )
            if self._is_started:
                zygote.start()
        return zygote

    def _give_up(self, runtime: str) -> None:
        # An interpreter that does not even start counts as not installed.
        version = version_of(runtime)
        executable = None if version is None else self._found.get(version)
        if version is not None and executable is not None and executable != sys.executable:
            self._found[version] = None
            self._zygotes.pop(executable, None)

    async def _end_head_starts(self) -> None:
        unasked, self._head_starts = self._head_starts, {}
        await asyncio.gather(*(asyncio.to_thread(started.end) for started in unasked.values()))

    async def close(self) -> None:
        """End every zygote."""
        await self._end_head_starts()
        await asyncio.gather(*(zygote.close() for zygote in self._zygotes.values()))
