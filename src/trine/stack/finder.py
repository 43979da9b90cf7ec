"""Finds in the user's cache what functions ask for, installs or builds what is not there, and says so meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from trine.awslambda.building.dependencies import DependencyCache, Recipe
from trine.awslambda.building.tool import InstallFailed
from trine.clock import Clock
from trine.stack.readied import Readied

if TYPE_CHECKING:
    from trine.awslambda.building.compiling import Compilation

INSTALLERS_MAX = 4
"""Installers that run at once."""


class Finder:
    # Looks in the cache, installs what is not there, and remembers both.

    def __init__(self, cache: DependencyCache, clock: Clock, tell: Callable[[str], None], install: bool) -> None:
        self.made = Readied()
        self._cache, self._clock, self._tell, self._install = cache, clock, tell, install
        self._done: dict[str, Path | None] = {}

    async def fetch(self, wanted: Iterable[tuple[Recipe, str]]) -> None:
        """Find or install what is known to be needed, several at a time: installers wait for the network mostly."""
        turns = asyncio.Semaphore(INSTALLERS_MAX)

        async def one(recipe: Recipe, name: str) -> None:
            async with turns:
                await self.folder(recipe, name)

        unique = {recipe.key: (recipe, name) for recipe, name in wanted}
        async with asyncio.TaskGroup() as group:
            for recipe, name in unique.values():
                group.create_task(one(recipe, name))

    async def compiled(self, step: Compilation, name: str, into: Path) -> None:
        """Make a function's code or a layer, with progress. Raises InstallFailed."""
        from trine.awslambda.building.compiling import compile_code, is_made

        if is_made(step, into):
            return
        if not self._install:
            raise InstallFailed("`trine build` does it")
        self._tell(f"{name}: building with {step.tool} …")
        began_ns = self._clock.monotonic_ns()
        await compile_code(step, into)
        self._tell(f"{name}: built in {(self._clock.monotonic_ns() - began_ns) / 1e9:.1f} s")

    async def folder(self, recipe: Recipe, name: str) -> Path | None:
        """The packages of a recipe; None when they are missing, with the reason among the problems."""
        if recipe.key not in self._done:
            found = self._cache.find(recipe)
            if found is None and self._install:
                found = await _install(self._cache, recipe, name, self._clock, self._tell, self.made)
            elif found is None:
                self.made.problems.append(f"{name}: {recipe.what} is not installed; `trine build` does it")
            self._done[recipe.key] = found
        return self._done[recipe.key]


async def _install(
    cache: DependencyCache, recipe: Recipe, name: str, clock: Clock, tell: Callable[[str], None], made: Readied
) -> Path | None:
    tell(f"{name}: installing {recipe.what} with {recipe.kind} …")
    began_ns = clock.monotonic_ns()
    try:
        folder = await cache.install(recipe)
    except InstallFailed as failure:
        made.failed += 1
        made.problems.append(f"{name}: {recipe.what} could not be installed; it runs without. {failure}")
        tell(f"{name}: {recipe.kind} failed")
        return None
    tell(f"{name}: installed in {(clock.monotonic_ns() - began_ns) / 1e9:.1f} s")
    return folder
