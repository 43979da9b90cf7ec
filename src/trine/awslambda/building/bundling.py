"""`BuildMethod: esbuild`: TypeScript and modern JavaScript as one file an entry point, as `sam build` makes them.

Enters a function's `Metadata` and code folder, leaves the command of esbuild, and of a run the folder that is the
function's code. Sources are read where they lie, packages also from where they were installed (NODE_PATH).
Defaults and names of properties as of aws-lambda-builders (nodejs_npm_esbuild) and SAM CLI:
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-using-build-typescript.html
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from trine.awslambda.building.dependencies import PACKAGE, Recipe, named_recipe
from trine.awslambda.building.tool import InstallFailed, disk_faults, run_tool
from trine.awslambda.fresh_folder import made_anew

BUNDLE_SECONDS = 120.0
"""Time for one bundle; esbuild takes a fraction of a second."""
_DEFAULTS = {"target": "--target=es2020", "format": "--format=cjs", "minify": "--minify"}
_OURS = frozenset({"bundle", "platform", "outdir", "entry-points", "use-npm-ci"})
"""Properties that are no options of esbuild, or that a function's code leaves no choice about."""
_BUILT = (".js", ".mjs", ".cjs")


class Bundle(Struct, frozen=True):
    """What esbuild is asked to make."""

    code: Path
    """Where the sources lie; entry points are named from here."""
    arguments: tuple[str, ...]
    """Entry points and options; the folder it writes to comes with the run."""
    source_maps: bool
    """Stack traces shall name the sources."""


def bundle_of(code: Path, properties: Any, variables: Mapping[str, Any]) -> Bundle:
    """What the `BuildProperties` of a function ask for. `variables` are its environment's. Raises InstallFailed."""
    given = properties if isinstance(properties, Mapping) else {}
    options = {_kebab(str(name)): value for name, value in given.items()}
    entries = options.get("entry-points")
    if not isinstance(entries, list) or not entries:
        raise InstallFailed("BuildProperties has to name the files to bundle: EntryPoints, a list")
    if "sourcemap" not in options and _shows_sources(variables):
        options["sourcemap"] = True
    arguments = [_entry(code, str(entry)) for entry in entries]
    arguments += [flag for name, flag in _DEFAULTS.items() if name not in options]
    for name, value in options.items():
        if name not in _OURS:
            arguments += _flags(name, value)
    return Bundle(code, tuple(arguments), bool(options.get("sourcemap")))


def find_esbuild(code: Path, packages: Path | None) -> str | None:
    """The program: among the packages of the code or of a folder above it, those installed for it, or on PATH."""
    places = [folder / "node_modules" for folder in (code, *code.parents)]
    places += [packages / "node_modules"] if packages is not None else []
    for place in places:
        program = place / ".bin" / "esbuild"
        if os.access(program, os.X_OK):
            return str(program)
    return shutil.which("esbuild")


def esbuild_recipe(code: Path) -> Recipe:
    """Its installation where nobody has it: the version that the code's list of packages names, else the newest."""
    version = ""
    try:
        document = json.loads((code / PACKAGE).read_bytes())
        for name in ("devDependencies", "dependencies"):
            version = version or str(document.get(name, {}).get("esbuild", ""))
    except (OSError, ValueError, AttributeError):
        version = ""  # the list's own faults are told by whoever installs from it
    wanted = f"esbuild@{version}" if re.fullmatch(r"[\w.^~<>=|* -]+", version) else "esbuild"
    return named_recipe((wanted,), code)


async def make_bundle(bundle: Bundle, program: str, packages: Path | None, into: Path) -> None:
    """Run esbuild; `into` is the function's code then, and as it was before when it fails. Raises InstallFailed."""
    environment = dict(os.environ)
    if packages is not None:
        folders = (str(packages / "node_modules"), environment.get("NODE_PATH", ""))
        environment["NODE_PATH"] = os.pathsep.join(folder for folder in folders if folder)
    with disk_faults("esbuild"), made_anew(into) as fresh:
        command = [
            program,
            *bundle.arguments,
            "--bundle",
            "--platform=node",
            f"--outdir={fresh}",
            "--log-level=warning",
        ]
        await run_tool(command, bundle.code, BUNDLE_SECONDS, environment)


def built_handler(handler: str, folder: Path) -> str:
    """Where a handler lies in a bundle: esbuild leaves out the folders that all entry points share, and so does
    SAM CLI in the name of a handler that is not found otherwise."""
    module = handler.rpartition(".")[0]
    if any((folder / (module + suffix)).is_file() for suffix in _BUILT):
        return handler
    return handler.rpartition("/")[2]


def with_source_maps(variables: Mapping[str, Any]) -> dict[str, Any]:
    """A function's variables, with Node.js told to read source maps."""
    options = variables.get("NODE_OPTIONS", "")
    if _shows_sources(variables) or not isinstance(options, str):
        return dict(variables)
    return {**variables, "NODE_OPTIONS": f"{options} --enable-source-maps".strip()}


def _shows_sources(variables: Mapping[str, Any]) -> bool:
    return "--enable-source-maps" in str(variables.get("NODE_OPTIONS", "")).split()


def _entry(code: Path, entry: str) -> str:
    found = [entry] if Path(entry).suffix else [entry + suffix for suffix in (".ts", ".js")]
    for name in found:
        if (code / name).is_file():
            return name if name.startswith((".", "/")) else f"./{name}"
    raise InstallFailed(f"entry point {entry} does not exist below {code}")


def _flags(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}"] if value else []
    if isinstance(value, list):
        return [f"--{name}:{item}" for item in value]
    return [f"--{name}={value}"]


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name.replace("_", "-")).lower()
