"""What `BuildMethod` asks for, done as `sam build` does it: bundles, programs, layers.

Enters a resource and the folder that its code or content shall lie in; what was made, or why not, stands in the
finder's `Readied`. A build that fails stops no other function.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from trine.awslambda.building.tool import InstallFailed
from trine.awslambda.runtimes.known import runtime_of
from trine.cloudformation.resources import Resource
from trine.stack.finder import Finder
from trine.stack.readied import Built
from trine.stack.recipes import is_source, layer_recipe, name_of, variables_of

ESBUILD = "esbuild"


async def bundle_source(resource: Resource, packages: Path | None, finder: Finder, into: Path) -> None:
    """`esbuild`, where the function names it for a source."""
    if resource.metadata.get("BuildMethod") != ESBUILD or not is_source(resource, "Code"):
        return
    from trine.awslambda.building.bundling import bundle_of, esbuild_recipe, find_esbuild, make_bundle

    made, name, code = finder.made, name_of(resource), resource.local_files["Code"]
    try:
        bundle = bundle_of(code, resource.metadata.get("BuildProperties"), variables_of(resource.properties))
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


async def build_layer(resource: Resource, finder: Finder, into: Path) -> None:
    """A layer's packages and files, or what a tool makes of it."""
    made, name, method = finder.made, name_of(resource), resource.metadata.get("BuildMethod")
    if method is None or not is_source(resource, "Content"):
        return
    from trine.awslambda.building.compiling import tool_of
    from trine.awslambda.building.layer import layer_folder, make_layer

    if tool_of(method) is not None:
        content = await compile_source(resource, "Content", finder, into)
        if content is not None:
            made.layers[resource.logical_id] = content
        return
    subfolder = layer_folder(method)
    if subfolder is None:
        made.problems.append(f"{name}: {_not_run(method)}")
        return
    source = resource.local_files["Content"]
    try:
        recipe = layer_recipe(resource)
        packages = None if recipe is None else await finder.folder(recipe, name)
        make_layer(source, packages, subfolder, into)
    except (OSError, InstallFailed) as failure:
        made.failed += 1
        made.problems.append(f"{name} could not be built; its files are the layer as they are. {failure}")
    else:
        made.layers[resource.logical_id] = into


async def compile_source(resource: Resource, place: str, finder: Finder, into: Path) -> Path | None:
    """What a tool of this machine makes of a function or layer; None when there is nothing to make, or it failed."""
    method, name = resource.metadata.get("BuildMethod"), name_of(resource)
    projects = runtime_of(str(resource.properties.get("Runtime", ""))).projects
    if (method is None and not projects) or not is_source(resource, place):
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


def notes(resource: Resource) -> Iterator[str]:
    """What people must know of a function's `BuildMethod`."""
    method = resource.metadata.get("BuildMethod")
    if method is None or ("Code" in resource.local_files and not is_source(resource, "Code")):
        return
    from trine.awslambda.building.compiling import tool_of

    if method != ESBUILD and runtime_of(str(method)).installer is None and tool_of(method) is None:
        yield _not_run(method)


def _not_run(method: object) -> str:
    return f"its BuildMethod {method!r} is not run here; run `sam build`, and what it leaves in .aws-sam/build is used"
