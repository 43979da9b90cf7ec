"""What a template's functions run with, before any of them runs: their packages, found in the cache or installed with
progress, what `BuildMethod` makes of their code and their layers, and the debugger of the one that is debugged.

Enters a template, leaves for each function what was found, and what people must know: a failed installation stops no
other function, and methods of `sam build` that are not ours are named.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trine.awslambda.building.dependencies import DependencyCache
from trine.awslambda.building.runtime_packages import packages_recipe
from trine.awslambda.debugging import DebuggerMissing, debug_port
from trine.clock import Clock
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template
from trine.stack.builds import build_layer, bundle_source, compile_source, notes
from trine.stack.finder import Finder
from trine.stack.readied import Built, Readied
from trine.stack.recipes import (
    FUNCTION,
    LAYER,
    missing_sdk,
    name_of,
    own_recipe,
    python_of,
    python_sdk,
    wanted_recipes,
)
from trine.stack.settings import Settings

FOLDER = "dependencies"
BUILT = "built"
"""Below the state directory: what was built from a template's functions and layers."""


async def ready_functions(template: Template, settings: Settings, clock: Clock, tell: Callable[[str], None]) -> Readied:
    """All that the settings ask for."""
    built = settings.state_directory / BUILT
    made = await prepare_dependencies(template, settings.cache_directory, built, clock, tell, install=settings.install)
    wanted = settings.debug_function
    if wanted is None:
        return made
    for resource in template.of_type(FUNCTION):
        if wanted in (resource.logical_id, resource.source_id, resource.name):
            runtime = str(resource.properties.get("Runtime", ""))
            cache = DependencyCache(settings.cache_directory / FOLDER)
            try:
                port = await debug_port(runtime, python_of(runtime), settings.debug_port, cache)
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
    template: Template,
    cache_directory: Path,
    built_directory: Path,
    clock: Clock,
    tell: Callable[[str], None],
    *,
    install: bool = True,
) -> Readied:
    """Find, install or build what every function needs. Never raises for what an installer says."""
    finder = Finder(DependencyCache(cache_directory / FOLDER), clock, tell, install)
    await finder.fetch(wanted_recipes(template))
    for resource in template.of_type(FUNCTION):
        await _ready(resource, finder, built_directory / resource.logical_id)
    await _ready_sdks(template, finder)
    for resource in template.of_type(LAYER):
        await build_layer(resource, finder, built_directory / resource.logical_id)
    return finder.made


async def _ready(resource: Resource, finder: Finder, into: Path) -> None:
    """The packages of one function, and what its code is built to."""
    name, made = name_of(resource), finder.made
    made.problems += [f"{name}: {note}" for note in notes(resource)]
    recipe = own_recipe(resource)
    folder = None if recipe is None else await finder.folder(recipe, name)
    await bundle_source(resource, folder, finder, into)
    compiled = await compile_source(resource, "Code", finder, into)
    if compiled is not None:
        made.built[resource.logical_id] = Built(compiled)
    if folder is not None and resource.logical_id not in made.built:
        made.folders[resource.logical_id] = folder
    if (recipe := python_sdk(resource)) is not None and (folder := await finder.folder(recipe, name)) is not None:
        made.runtime_folders[resource.logical_id] = folder


async def _ready_sdks(template: Template, finder: Finder) -> None:
    """The packages of AWS's SDK that functions name without bringing them; one installation serves those
    that ask less."""
    made = finder.made
    wanted: list[tuple[frozenset[str], Resource]] = []
    for resource in template.of_type(FUNCTION):
        built = made.built.get(resource.logical_id)
        if packages := missing_sdk(resource, None if built is None else built.folder):
            wanted.append((packages, resource))
    ready: list[tuple[frozenset[str], Path]] = []
    for packages, resource in sorted(wanted, key=lambda one: -len(one[0])):
        folder = next((folder for offered, folder in ready if packages <= offered), None)
        if folder is None:
            source = resource.local_files.get("Code", Path())
            folder = await finder.folder(packages_recipe(packages, source), name_of(resource))
            if folder is not None:
                ready.append((packages, folder))
        if folder is not None:
            made.runtime_folders[resource.logical_id] = folder
