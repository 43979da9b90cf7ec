"""What a function's own list of dependencies asks for, installed once into a cache that all stacks of a user share.

Enters a code folder and its runtime, leaves a `Recipe` (nothing when there is nothing to install), and for a recipe
the folder of its packages. Installing is pip's and npm's work.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from trine.awslambda.building.tool import disk_faults, run_tool
from trine.awslambda.fresh_folder import made_anew
from trine.awslambda.runtimes.known import runtime_of

REQUIREMENTS, PACKAGE = "requirements.txt", "package.json"
LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
INSTALL_SECONDS = 300.0
"""Time for one installation."""
NETWORK_SECONDS = 15
"""Time for one connection of pip; npm's own limit is set to it too."""
ENTRIES_MAX = 64
"""Installations kept; those unused for longest make room for new ones."""
_INCLUDE = re.compile(r"\s*(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)")
_RUN_LISTS = ("dependencies", "optionalDependencies")
DONE = ".installed"
"""In a folder of packages: it is complete."""


class Recipe(Struct, frozen=True):
    """One installation."""

    kind: str
    """`pip` or `npm`."""
    source: Path
    """The code folder with the list."""
    files: tuple[str, ...]
    """The files that decide what is installed; their content is part of the key."""
    interpreter: str
    """The Python whose packages they are, or the `npm` that installs them."""
    key: str
    """The hash by which the installation is known."""
    packages: tuple[str, ...] = ()
    """Packages that are installed by their names (and versions, after `@`), where no list does it."""

    @property
    def what(self) -> str:
        """For people: `requirements.txt`."""
        return ", ".join(self.packages) or self.files[0]


def recipe_for(code: Path, runtime: str, python: str) -> Recipe | None:
    """What has to be installed for the code in a folder; None when there is nothing, or it is there already.

    What `sam build` and the CDK leave is complete and taken as it is; so is a `node_modules` beside `package.json`.
    """
    if not code.is_dir() or {".aws-sam", "cdk.out"} & set(code.parts):
        return None
    installer = runtime_of(runtime).installer
    if installer == "pip" and (code / REQUIREMENTS).is_file():
        files = _requirement_files(code)
        text = "\n".join((code / name).read_text("utf-8", "replace") for name in files)
        wanted = any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())
        return _recipe("pip", code, files, python) if wanted else None
    if installer == "npm" and not (code / "node_modules").exists() and declared(code):
        locks = [name for name in LOCKS if (code / name).is_file()]
        return _recipe("npm", code, (PACKAGE, *locks[:1]), shutil.which("npm") or "npm")
    return None


def named_recipe(packages: Sequence[str], source: Path) -> Recipe:
    """The installation of packages of npm by their names, in their newest versions where a name has none; known by
    the names."""
    names = tuple(sorted(packages))
    key = hashlib.sha256("\0".join(("runtime", *names)).encode()).hexdigest()[:40]
    return Recipe("npm", source, (PACKAGE,), shutil.which("npm") or "npm", key, packages=names)


def sdk_recipe(python: str, source: Path) -> Recipe:
    """The installation of boto3 for a Python that the SDK which is there does not load in."""
    key = hashlib.sha256(f"runtime\0boto3\0{python}".encode()).hexdigest()[:40]
    return Recipe("pip", source, (REQUIREMENTS,), python, key, packages=("boto3",))


def declared(code: Path) -> frozenset[str]:
    """The packages that a folder's `package.json` asks for when the function runs; none when there is no such list."""
    try:
        document = json.loads((code / PACKAGE).read_bytes())
    except (FileNotFoundError, ValueError):
        return frozenset()
    lists = [document.get(name) for name in _RUN_LISTS] if isinstance(document, dict) else []
    return frozenset(name for found in lists if isinstance(found, dict) for name in found)


def _requirement_files(code: Path) -> tuple[str, ...]:
    names: list[str] = []
    waiting = [REQUIREMENTS]
    while waiting and len(names) < 50:
        name = waiting.pop(0)
        path = code / name
        if name in names or not path.is_file():
            continue
        names.append(name)
        text = path.read_text("utf-8", "replace")
        waiting += [found[1] for found in map(_INCLUDE.match, text.splitlines()) if found is not None]
    return tuple(names)


def _recipe(kind: str, code: Path, files: Sequence[str], interpreter: str) -> Recipe:
    digest = hashlib.sha256(f"{kind}\0{interpreter}\0{sys.platform}\0{os.uname().machine}\0".encode())
    for name in files:
        digest.update(name.encode() + b"\0" + (code / name).read_bytes() + b"\0")
    return Recipe(kind, code, tuple(files), interpreter, digest.hexdigest()[:40])


class DependencyCache:
    """Installations below a folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def find(self, recipe: Recipe) -> Path | None:
        """The installation of a recipe, when it is there."""
        folder = self.directory / recipe.key
        if not (folder / DONE).is_file():
            return None
        with contextlib.suppress(OSError):
            os.utime(folder / DONE)  # what is used is not what makes room
        return folder

    async def install(self, recipe: Recipe, seconds: float = INSTALL_SECONDS) -> Path:
        """Install what a recipe asks for; its folder. Raises InstallFailed."""
        found = self.find(recipe)
        if found is not None:
            return found
        folder = self.directory / recipe.key
        with disk_faults(recipe.what), made_anew(folder) as fresh:
            await run_tool(*_command(recipe, fresh), seconds)
            (fresh / DONE).write_text(f"{recipe.source}\n")
        self._make_room(folder)
        return folder

    def _make_room(self, keep: Path) -> None:
        done = sorted(self.directory.glob(f"*/{DONE}"), key=lambda path: path.stat().st_mtime)
        for path in done[: max(0, len(done) - ENTRIES_MAX)]:
            if path.parent != keep:
                shutil.rmtree(path.parent, ignore_errors=True)


def _command(recipe: Recipe, into: Path) -> tuple[list[str], Path]:
    # (the command, the folder to run it in)
    if recipe.kind == "pip":
        wanted = recipe.packages or ("-r", REQUIREMENTS)
        command = [recipe.interpreter, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet",
                   "--retries", "1", "--timeout", str(NETWORK_SECONDS), "--target", str(into), *wanted]  # fmt: skip
        return command, into if recipe.packages else recipe.source
    for name in (*recipe.files, ".npmrc"):
        if (recipe.source / name).is_file():
            shutil.copy(recipe.source / name, into / name)
    if recipe.packages:
        (into / PACKAGE).write_text("{}\n")  # or npm would look for a project in the folders above
    verb = "ci" if len(recipe.files) > 1 else "install"
    milliseconds = str(NETWORK_SECONDS * 1000)
    return [recipe.interpreter, verb, "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1",
            f"--fetch-timeout={milliseconds}", *recipe.packages], into  # fmt: skip
