"""Bundles that follow their sources: a saved file of a function's TypeScript is bundled, and runs from the next call.

Enters what was bundled at the start, leaves folders that are made anew; the function's own reloader sees those. While a
bundle is made, further changes wait for one more; a bundle that fails leaves the last one running and is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from trine.awslambda.building.bundling import make_bundle
from trine.awslambda.building.tool import InstallFailed
from trine.awslambda.reload import Reloader
from trine.clock import Clock
from trine.stack.readied import Built

_log = logging.getLogger("trine.stack.rebuilding")


class Rebuilding:
    """Watches the sources of one stack's bundles."""

    def __init__(self, built: Mapping[str, Built], clock: Clock, state_directory: Path) -> None:
        self._built = {name: one for name, one in built.items() if one.bundle is not None}
        self._reloader = Reloader(clock, self._changed, state_directory)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stale: set[str] = set()

    def start(self) -> None:
        """Begin; needs the running event loop. Without bundles nothing is watched."""
        if not self._built:
            return
        self._reloader.start()
        for name, one in self._built.items():
            assert one.bundle is not None
            self._reloader.watch(one.bundle.code, name)

    async def close(self) -> None:
        """End the watching, and what is being made."""
        self._reloader.close()
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _changed(self, name: str) -> None:
        self._stale.add(name)
        if name not in self._running:
            self._running[name] = asyncio.get_running_loop().create_task(self._follow(name))

    async def _follow(self, name: str) -> None:
        try:
            while name in self._stale:
                self._stale.discard(name)
                await self._remake(name, self._built[name])
        finally:
            del self._running[name]

    async def _remake(self, name: str, one: Built) -> None:
        assert one.bundle is not None
        try:
            await make_bundle(one.bundle, one.program, one.packages, one.folder)
        except InstallFailed as failure:
            _log.warning("%s could not be bundled; the bundle before it runs on. %s", name, failure)
