"""What a template's functions run with, before any of them runs: their packages, found in the cache or installed with
progress, what `BuildMethod` makes of their code and their layers, and the debugger of the one that is debugged.

Enters a template, leaves for each function what was found, and what people must know: a failed installation stops no
other function, and methods of `sam build` that are not ours are named.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from trine.awslambda.building.dependencies import DependencyCache, Recipe, recipe_for, sdk_recipe
from trine.awslambda.building.runtime_packages import missing_packages, packages_recipe
from trine.awslambda.building.tool import InstallFailed
from trine.awslambda.debugging import DebuggerMissing, debug_port
from trine.awslambda.function import DebugPort
from trine.awslambda.runtimes.known import runtime_of
from trine.awslambda.runtimes.python import version_of
from trine.awslambda.runtimes.pythons import find, takes_sdk
from trine.clock import Clock
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template
from trine.stack.settings import Settings

if TYPE_CHECKING:  # what builds loads when there is something to build
    from trine.awslambda.building.bundling import Bundle
    from trine.awslambda.building.compiling import Compilation

FUNCTION, LAYER = "AWS::Lambda::Function", "AWS::Lambda::LayerVersion"
FOLDER = "dependencies"
INSTALLERS_MAX = 4
"""Installers that run at once."""
BUILT = "built"
"""Below the state directory: what was built from a template's functions and layers."""
ESBUILD = "esbuild"


class Built(Struct, frozen=True):
    """A function's code as it was built, and with what."""

    folder: Path
    bundle: Bundle | None = None
    """What esbuild was asked for; None where another tool made the code."""
    program: str = ""
    packages: Path | None = None

    def of(self, properties: dict[str, Any]) -> dict[str, Any]:
        """The function's properties for it: handler and variables, as SAM CLI changes them in the built template."""
        if self.bundle is None:
            return properties
        from trine.awslambda.building.bundling import built_handler, with_source_maps

        changed = {**properties, "Handler": built_handler(str(properties.get("Handler", "")), self.folder)}
        if self.bundle.source_maps:
            changed["Environment"] = {"Variables": with_source_maps(_variables(properties))}
        return changed


class Readied(Struct):
    """What was found, installed or built."""

    folders: dict[str, Path] = field(default_factory=dict)
    """Logical id of a function → its folder of packages."""
    runtime_folders: dict[str, Path] = field(default_factory=dict)
    """Logical id of a function → the folder of packages that its runtime brings on AWS."""
    built: dict[str, Built] = field(default_factory=dict)
    """Logical id of a function → what its code was built to."""
    layers: dict[str, Path] = field(default_factory=dict)
    """Logical id of a layer → the content that was built."""
    problems: list[str] = field(default_factory=list)
    debug: dict[str, DebugPort] = field(default_factory=dict)
    """Logical id of the function that is debugged → where its debugger listens."""
    failed: int = 0
    """Installations that did not succeed."""


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
    template: Template,
    cache_directory: Path,
    built_directory: Path,
    clock: Clock,
    tell: Callable[[str], None],
    *,
    install: bool = True,
) -> Readied:
    """Find, install or build what every function needs. Never raises for what an installer says."""
    finder = _Finder(DependencyCache(cache_directory / FOLDER), clock, tell, install)
    made = finder.made
    await finder.fetch(_wanted(template))
    wanted: list[tuple[frozenset[str], Resource]] = []
    for resource in template.of_type(FUNCTION):
        name = resource.source_id or resource.logical_id
        made.problems += [f"{name}: {note}" for note in _notes(resource)]
        recipe = _recipe(resource)
        folder = None if recipe is None else await finder.folder(recipe, name)
        if resource.metadata.get("BuildMethod") == ESBUILD and _is_source(resource, "Code"):
            await _bundle(resource, folder, finder, built_directory / resource.logical_id)
        folder_made = await _compile(resource, "Code", finder, built_directory / resource.logical_id)
        if folder_made is not None:
            made.built[resource.logical_id] = Built(folder_made)
        if folder is not None and resource.logical_id not in made.built:
            made.folders[resource.logical_id] = folder
        if (recipe := _sdk(resource)) is not None and (folder := await finder.folder(recipe, name)) is not None:
            made.runtime_folders[resource.logical_id] = folder
        if packages := _missing(resource, made.built.get(resource.logical_id)):
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
    for resource in template.of_type(LAYER):
        await _build_layer(resource, finder, built_directory / resource.logical_id)
    return made


async def _bundle(resource: Resource, packages: Path | None, finder: _Finder, into: Path) -> None:
    from trine.awslambda.building.bundling import bundle_of, esbuild_recipe, find_esbuild, make_bundle

    made, name, code = finder.made, resource.source_id or resource.logical_id, resource.local_files["Code"]
    try:
        bundle = bundle_of(code, resource.metadata.get("BuildProperties"), _variables(resource.properties))
        program = find_esbuild(code, packages)
        if program is None:
            tools = await finder.folder(esbuild_recipe(code), name)
            program = None if tools is None else find_esbuild(tools, None)
        if program is None:
            raise InstallFailed("esbuild is not installed")
        await make_bundle(bundle, program, packages, into)
    except InstallFailed as failure:
        made.failed += 1
        made.problems.append(f"{name} could not be bundled; its sources run as they are. {failure}")
    else:
        made.built[resource.logical_id] = Built(into, bundle, program, packages)


async def _build_layer(resource: Resource, finder: _Finder, into: Path) -> None:
    made, name, method = finder.made, resource.source_id or resource.logical_id, resource.metadata.get("BuildMethod")
    if method is None or not _is_source(resource, "Content"):
        return
    from trine.awslambda.building.compiling import tool_of
    from trine.awslambda.building.layer import layer_folder, make_layer

    if tool_of(method) is not None:
        content = await _compile(resource, "Content", finder, into)
        if content is not None:
            made.layers[resource.logical_id] = content
        return
    subfolder = layer_folder(method)
    if subfolder is None:
        made.problems.append(f"{name}: {_not_run(method)}")
        return
    source = resource.local_files["Content"]
    try:
        recipe = _layer_recipe(resource)
        packages = None if recipe is None else await finder.folder(recipe, name)
        make_layer(source, packages, subfolder, into)
    except (OSError, InstallFailed) as failure:
        made.failed += 1
        made.problems.append(f"{name} could not be built; its files are the layer as they are. {failure}")
    else:
        made.layers[resource.logical_id] = into


async def _compile(resource: Resource, place: str, finder: _Finder, into: Path) -> Path | None:
    """What a tool of this machine makes of a function or layer; None when there is nothing to make, or it failed."""
    method, name = resource.metadata.get("BuildMethod"), resource.source_id or resource.logical_id
    projects = runtime_of(str(resource.properties.get("Runtime", ""))).projects
    if (method is None and not projects) or not _is_source(resource, place):
        return None
    from trine.awslambda.building.compiling import MAKEFILE, Compilation, tool_of

    source = resource.local_files[place]
    if method is None:
        method = next((how for file, how in projects.items() if (source / file).is_file()), None)
    tool = tool_of(method)
    if tool is None:
        return None
    if shutil.which(tool) is None:
        finder.made.problems.append(f"{name}: {_not_run(method)}: there is no `{tool}` on PATH")
        return None
    if tool == "make" and not (source / MAKEFILE).is_file():
        finder.made.problems.append(f"{name}: there is no {MAKEFILE} in {source}; it runs as it is")
        return None
    try:
        given = resource.metadata.get("BuildProperties")
        binary = str(given.get("Binary") or "") if isinstance(given, Mapping) else ""
        await finder.compiled(Compilation(source, str(method).strip(), name, binary), name, into)
    except InstallFailed as failure:
        finder.made.failed += 1
        finder.made.problems.append(f"{name} could not be built; it runs as it is. {failure}")
        return None
    return into


class _Finder:
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


def _wanted(template: Template) -> Iterator[tuple[Recipe, str]]:
    """What functions and layers ask for by lists of their own, with whose it is."""
    for resource in template.of_type(FUNCTION):
        name = resource.source_id or resource.logical_id
        for recipe in (_recipe(resource), _sdk(resource)):
            if recipe is not None:
                yield recipe, name
    for resource in template.of_type(LAYER):
        recipe = _layer_recipe(resource)
        if recipe is not None:
            yield recipe, resource.source_id or resource.logical_id


def _layer_recipe(resource: Resource) -> Recipe | None:
    if "BuildMethod" not in resource.metadata or not _is_source(resource, "Content"):
        return None
    from trine.awslambda.building.layer import layer_folder

    method = str(resource.metadata["BuildMethod"])
    if layer_folder(method) is None:
        return None
    try:
        return recipe_for(resource.local_files["Content"], method, _python_of(method))
    except OSError:
        return None  # what cannot be read is told when the layer is laid out


def _recipe(resource: Resource) -> Recipe | None:
    code = resource.local_files.get("Code")
    runtime = str(resource.properties.get("Runtime", ""))
    if code is None:
        return None
    try:
        return recipe_for(code, runtime, _python_of(runtime))
    except OSError:
        return None  # what cannot be read is told when the function is made


def _missing(resource: Resource, built: Built | None) -> frozenset[str]:
    try:
        return missing_packages(built.folder if built else resource.local_files.get("Code"), resource.properties)
    except OSError:
        return frozenset()  # what cannot be read is told when the function is made


def _sdk(resource: Resource) -> Recipe | None:
    """What brings boto3 to a function whose Python is installed and too old for the one that all others are lent."""
    runtime = str(resource.properties.get("Runtime", ""))
    version = version_of(runtime)
    python = None if version is None else find(version)
    return None if version is None or python is None or takes_sdk(version) else sdk_recipe(python, Path(python))


def _python_of(runtime: str) -> str:
    version = version_of(runtime)
    return (None if version is None else find(version)) or sys.executable


def _variables(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    variables: Mapping[str, Any] = (properties.get("Environment") or {}).get("Variables") or {}
    return variables


def _is_source(resource: Resource, name: str) -> bool:
    """Whether a property names a folder that `sam build` has not made."""
    folder = resource.local_files.get(name)
    return folder is not None and folder.is_dir() and ".aws-sam" not in folder.parts


def _notes(resource: Resource) -> Iterator[str]:
    method = resource.metadata.get("BuildMethod")
    if method is None or ("Code" in resource.local_files and not _is_source(resource, "Code")):
        return
    from trine.awslambda.building.compiling import tool_of

    if method != ESBUILD and runtime_of(str(method)).installer is None and tool_of(method) is None:
        yield _not_run(method)


def _not_run(method: object) -> str:
    return f"its BuildMethod {method!r} is not run here; run `sam build`, and what it leaves in .aws-sam/build is used"
