"""What a template's functions run with, before any of them runs: their packages, found in the cache or installed with
progress, and the debugger of the one that is debugged.

Enters a template, leaves for each function what was found, and what people must know: a failed installation stops no
other function, and methods of `sam build` that are not ours are named.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct, field

from trine.awslambda.debugging import DebuggerMissing, debug_port
from trine.awslambda.dependencies import DependencyCache, InstallFailed, Recipe, recipe_for
from trine.awslambda.function import DebugPort
from trine.awslambda.pythons import find
from trine.awslambda.runtime_packages import missing_packages, packages_recipe
from trine.clock import Clock
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template
from trine.stack.settings import Settings

FUNCTION = "AWS::Lambda::Function"
FOLDER = "dependencies"
OWN_METHODS = frozenset({"python", "nodejs"})
"""Values of `BuildMethod` that ask for what is done here; those of runtimes are recognised by their family."""


class Readied(Struct):
    """What was found or installed."""

    folders: dict[str, Path] = field(default_factory=dict)
    """Logical id of a function → its folder of packages."""
    runtime_folders: dict[str, Path] = field(default_factory=dict)
    """Logical id of a function → the folder of packages that its runtime brings on AWS."""
    problems: list[str] = field(default_factory=list)
    debug: dict[str, DebugPort] = field(default_factory=dict)
    """Logical id of the function that is debugged → where its debugger listens."""
    failed: int = 0
    """Installations that did not succeed."""


async def ready_functions(template: Template, settings: Settings, clock: Clock, tell: Callable[[str], None]) -> Readied:
    """All that the settings ask for."""
    made = await prepare_dependencies(template, settings.cache_directory, clock, tell, install=settings.install)
    wanted = settings.debug_function
    if wanted is None:
        return made
    for resource in template.of_type(FUNCTION):
        if wanted in (resource.logical_id, resource.source_id, resource.name):
            runtime = str(resource.properties.get("Runtime", ""))
            cache = DependencyCache(settings.cache_directory / FOLDER)
            try:
                port = await debug_port(runtime, _python_of(runtime), settings.debug_port, cache)
            except DebuggerMissing as missing:
                made.problems.append(f"{wanted} cannot be debugged: {missing}")
                return made
            made.debug[resource.logical_id] = port
            tell(
                f"{wanted} waits for a debugger at {port.host}:{port.port} when it is first invoked; it has no timeout"
            )
            return made
    made.problems.append(f"--debug {wanted}: there is no such function in this template")
    return made


async def prepare_dependencies(
    template: Template, cache_directory: Path, clock: Clock, tell: Callable[[str], None], *, install: bool = True
) -> Readied:
    """Find or install what every function needs. Never raises for what an installer says."""
    finder = _Finder(DependencyCache(cache_directory / FOLDER), clock, tell, install)
    made = finder.made
    wanted: list[tuple[frozenset[str], Resource]] = []
    for resource in template.of_type(FUNCTION):
        name = resource.source_id or resource.logical_id
        made.problems += [f"{name}: {note}" for note in _notes(resource)]
        recipe = _recipe(resource)
        folder = None if recipe is None else await finder.folder(recipe, name)
        if folder is not None:
            made.folders[resource.logical_id] = folder
        if packages := _missing(resource):
            wanted.append((packages, resource))
    ready: list[tuple[frozenset[str], Path]] = []
    for packages, resource in sorted(wanted, key=lambda one: -len(one[0])):  # what has more serves those that ask less
        folder = next((folder for offered, folder in ready if packages <= offered), None)
        if folder is None:
            source = resource.local_files.get("Code", Path())
            folder = await finder.folder(packages_recipe(packages, source), resource.source_id or resource.logical_id)
            if folder is not None:
                ready.append((packages, folder))
        if folder is not None:
            made.runtime_folders[resource.logical_id] = folder
    return made


class _Finder:
    # Looks in the cache, installs what is not there, and remembers both.

    def __init__(self, cache: DependencyCache, clock: Clock, tell: Callable[[str], None], install: bool) -> None:
        self.made = Readied()
        self._cache, self._clock, self._tell, self._install = cache, clock, tell, install
        self._done: dict[str, Path | None] = {}

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


def _recipe(resource: Resource) -> Recipe | None:
    code = resource.local_files.get("Code")
    runtime = str(resource.properties.get("Runtime", ""))
    if code is None:
        return None
    try:
        return recipe_for(code, runtime, _python_of(runtime))
    except OSError:
        return None  # what cannot be read is told when the function is made


def _missing(resource: Resource) -> frozenset[str]:
    try:
        return missing_packages(resource.local_files.get("Code"), resource.properties)
    except OSError:
        return frozenset()  # what cannot be read is told when the function is made


def _python_of(runtime: str) -> str:
    return find(runtime.removeprefix("python")) or sys.executable


def _notes(resource: Resource) -> Iterator[str]:
    code = resource.local_files.get("Code")
    method = resource.metadata.get("BuildMethod")
    if method is None or (code is not None and ".aws-sam" in code.parts):
        return
    family = str(method).rstrip("0123456789.x")
    if family not in OWN_METHODS:
        yield (
            f"its BuildMethod {method!r} is not run here; run `sam build`, and what it leaves in .aws-sam/build is used"
        )
