"""Python: forked from a zygote that has loaded what all functions load, or executed where that would not do.

A fork shares the zygote's modules. Code that brings one of them itself (its own boto3) or shared libraries, a wrapper
and a debugger need an interpreter of their own; both look for imports in the same places.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from trine.awslambda.head_start import START
from trine.awslambda.runtimes.pythons import OWN
from trine.awslambda.runtimes.runtime import WRAPPER, Runtime, Scene

if TYPE_CHECKING:
    from trine.awslambda.environments.process import Launch
    from trine.awslambda.function import DebugPort, Function

_SHARED_LIBRARY = re.compile(r"lib.+\.so(\.\d+)*").fullmatch


class Python(Runtime):
    """The asked version where it is installed, else the one that runs Trine."""

    family = "python"
    speaks_by_link = True
    takes_snapshots = True
    snap_start_since = (3, 12)
    has_own_libraries = True
    inline_file = "index.py"
    installer = "pip"
    layer_folder = "python"
    debugger = "debugpy"

    def program(self, scene: Scene) -> Launch:
        """A fork of the zygote, or a fresh interpreter with the same client."""
        function, env, place, zygote = scene.function, scene.env, scene.place, scene.zygote
        folders, paths = _places_of_imports(scene)
        if function.runtime_packages is not None:
            place = replace(place, visible=(*place.visible, str(function.runtime_packages)))
        if function.debug is not None:
            place = _debugged(function.debug, env, place)
        elif not (
            WRAPPER in env or _brings_libraries(function) or any(shadows(one, zygote.modules) for one in folders)
        ):
            return replace(place, env=env, paths=tuple(paths))
        env["_TRINE_RUNTIME_FD"] = "3"
        env["_TRINE_PATHS"] = ":".join([*paths, zygote.sdk_folder])
        quiet = () if zygote.layers.namespaces else ("-B",)  # nothing is written beside the code
        return replace(place, env=env, argv=(zygote.python, "-X", "utf8", *quiet, str(START)))

    def note(self, name: str, python: str) -> str | None:
        """Which version runs instead."""
        is_there = name == f"python{OWN}" or python != sys.executable
        return None if is_there else f"{name} is not installed; python{OWN} runs instead"


def version_of(runtime: str) -> str | None:
    """`3.12` of `python3.12`; None of other runtimes."""
    return runtime.removeprefix("python") if runtime.startswith("python") else None


def _places_of_imports(scene: Scene) -> tuple[list[Path], list[str]]:
    """(the folders that may bring modules which the zygote has loaded, the places of imports after the code)."""
    function, opt = scene.function, scene.opt
    folders = [function.code_directory]
    paths = [entry for entry in scene.env.get("PYTHONPATH", "").split(":") if entry]
    if function.layers_directory is not None:
        version = ".".join(map(str, scene.zygote.version[:2]))
        paths = [f"{opt}/python/lib/python{version}/site-packages", f"{opt}/python", *paths]
    if function.dependencies_directory is not None:
        paths.insert(0, str(function.dependencies_directory))  # as if they lay beside the code
        folders.append(function.dependencies_directory)
    if function.runtime_packages is not None:
        paths.append(str(function.runtime_packages))
    if function.layers_directory is not None:
        folders.append(function.layers_directory / "python")
    return folders, paths


def _brings_libraries(function: Function) -> bool:
    # Shared libraries that are found by LD_LIBRARY_PATH, which the loader reads when a program starts and never again.
    folders = [function.code_directory, function.code_directory / "lib"]
    if function.layers_directory is not None:
        folders.append(function.layers_directory / "lib")
    return any(_SHARED_LIBRARY(name) for folder in folders for name in _names(folder))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _debugged(debug: DebugPort, env: dict[str, str], place: Launch) -> Launch:
    env["_TRINE_DEBUG"] = f"{debug.host}:{debug.port}"
    env["_TRINE_DEBUGPY"] = str(debug.debugpy)
    env.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # what it would warn of is the interpreter's own modules
    if place.directory != place.code:
        env.setdefault("PATHS_FROM_ECLIPSE_TO_PYTHON", json.dumps([[place.code, place.directory]]))  # for breakpoints
    return replace(place, visible=(*place.visible, str(debug.debugpy)))


def shadows(directory: Path, preloaded: frozenset[str]) -> bool:
    """Whether the folder brings a module that the zygote has loaded already (its own boto3, say): it must win."""
    try:
        with os.scandir(directory) as entries:
            return any(_module_name(entry) in preloaded for entry in entries)
    except OSError:
        return False


def _module_name(entry: os.DirEntry[str]) -> str:
    name = entry.name
    if name.endswith(".py"):
        return name[:-3]
    if name.endswith(".so"):
        return name.partition(".")[0]
    return name if entry.is_dir() else ""
