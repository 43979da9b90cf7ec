"""What AWS's Node.js runtimes bring along beside the function's own packages: the AWS SDK for JavaScript, version 3,
and version 2 in runtimes before Node.js 18.

Enters a function's code, leaves the packages of the SDK that it names and does not bring, and the recipe that installs
them. Code is read, never run; what is read is bounded. Bundlers leave these names unbundled for the same reason (the
CDK's NodejsFunction by default), so built code is read too.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html ("Runtime-included SDK versions")
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trine.awslambda.building.dependencies import Recipe, declared, named_recipe
from trine.awslambda.runtimes.known import runtime_of

SUFFIXES = (".js", ".mjs", ".cjs")
FILES_MAX, FILE_MAX_BYTES = 2_000, 8_000_000
"""Files of one function that are looked at, and the most of one that is read."""
PACKAGES_MAX = 100
_NAMED = re.compile(
    rb"""(?:\b(?:from|import)|\b_*(?:require(?:\.resolve)?|import)\s*\(|(?<![\w.$])[\w$]{1,3}\()\s*"""
    rb"""["'`](@(?:aws-sdk|smithy)/[a-z0-9][a-z0-9._-]{0,80}|aws-sdk)["'`/]"""
)
"""Where modules are imported, also by the one letter that a bundler makes of `require`. Bundles have such names in
other places: symbols, messages, lists of packages."""
_OLD = "aws-sdk"
"""Version 2, which the runtimes before Node.js 18 bring."""
_OLD_RUNTIMES = re.compile(r"nodejs(?:[468]|1[0246])?(?:\.|$)")
_BROUGHT = re.compile(rb"(@(?:aws-sdk|smithy)/[a-z0-9._-]+)")


def named_packages(code: Path | None, inline: object = None) -> frozenset[str]:
    """The packages of the SDK that a folder, a zip package or inline code names in quotes. Raises OSError."""
    found: set[str] = set()
    texts = _texts(code) if code is not None else iter([str(inline or "").encode()])
    for text in texts:
        found.update(name.decode() for name in _NAMED.findall(text))
    return frozenset(sorted(found)[:PACKAGES_MAX])


def missing_packages(code: Path | None, properties: Mapping[str, Any]) -> frozenset[str]:
    """Those that a Node.js function names and brings neither in `node_modules` nor by its own list. Raises OSError."""
    runtime = str(properties.get("Runtime", ""))
    if runtime_of(runtime).installer != "npm":
        return frozenset()
    given = properties.get("Code")
    named = named_packages(code, given.get("ZipFile") if isinstance(given, Mapping) else None)
    if not _OLD_RUNTIMES.match(runtime):
        named -= {_OLD}
    if code is None or not code.is_dir():
        return named
    own = declared(code) if not (code / "node_modules").exists() else frozenset()
    return frozenset(name for name in named if name not in own and not (code / "node_modules" / name).exists())


def packages_recipe(packages: frozenset[str], source: Path) -> Recipe:
    """The installation of some packages in their newest versions, as a runtime brings them; known by their names."""
    return named_recipe(tuple(packages), source)


def _texts(code: Path) -> Iterator[bytes]:
    if code.is_file():
        yield from _packed(code)
        return
    looked_at = 0
    for folder, names, files in os.walk(code):
        names[:] = sorted(name for name in names if name != "node_modules" and not name.startswith("."))
        for name in sorted(files):
            if name.endswith(SUFFIXES) and looked_at < FILES_MAX:
                looked_at += 1
                with (Path(folder) / name).open("rb") as file:
                    yield file.read(FILE_MAX_BYTES)


def _packed(package: Path) -> Iterator[bytes]:
    if not zipfile.is_zipfile(package):
        yield package.read_bytes()[:FILE_MAX_BYTES] if package.suffix in SUFFIXES else b""
        return
    try:
        with zipfile.ZipFile(package) as archive:
            names = [name for name in archive.namelist() if name.endswith(SUFFIXES)]
            brought = {"/".join(name.split("/")[1:3]) for name in names if name.startswith("node_modules/@")}
            for name in [name for name in names if "node_modules/" not in name][:FILES_MAX]:
                with archive.open(name) as file:
                    text = file.read(FILE_MAX_BYTES)
                yield _BROUGHT.sub(lambda found: b"" if found[1].decode() in brought else found[0], text)
    except (zipfile.BadZipFile, RuntimeError, ValueError):
        return  # what cannot be unpacked is told when the function is made
