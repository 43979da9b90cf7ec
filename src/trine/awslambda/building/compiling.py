"""Build steps of `sam build` that need no more than a tool of this machine: `BuildMethod: go1.x`, `rust-cargolambda`
and `makefile`, and Java with a `pom.xml`.

Enters a function's or layer's source, leaves the command that makes its code and, of a run, the folder with it. What
was made is made again only when a file of the source has changed. As aws-lambda-builders does it (go_modules,
rust_cargo, custom_make): Go and Rust programs become `bootstrap`, of this machine's own processor and by their plain
tools; `make build-LOGICAL_ID` finds the folder to fill in ARTIFACTS_DIR and runs in a copy of the source; of a Maven
project (java_maven) the classes and the jars that they need, with the runtime client that AWS's image has.
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/building-custom-runtimes.html
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from trine.awslambda.building.tool import InstallFailed, disk_faults, run_tool
from trine.awslambda.fresh_folder import made_anew

BUILD_SECONDS = 600.0
"""Time for one build: a first one may fetch all its packages."""
FILES_MAX = 20_000
"""Files of a source that are looked at to see whether it has changed; a larger one is built at every start."""
MAKEFILE = "Makefile"
GO, RUST = "go1.x", "rust-cargolambda"
MAVEN, PROJECT = "maven", "pom.xml"
_TOOLS = {GO: "go", RUST: "cargo", "makefile": "make", MAVEN: "mvn"}
_CLIENT = "aws-lambda-java-runtime-interface-client"
_CLIENT_PROJECT = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>trine</groupId><artifactId>client</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>com.amazonaws</groupId><artifactId>{_CLIENT}</artifactId><version>[2.0,3.0)</version>
  </dependency></dependencies>
</project>
"""
_MODULES = {GO: "go.mod", RUST: "Cargo.lock"}
"""What marks the folder that a program is made of: its own, or one above it."""
_NO_SOURCE = (".aws-sam", ".git", ".trine", "node_modules")
_STAMP = ".made-of"


class Compilation(Struct, frozen=True):
    """One build step."""

    source: Path
    method: str
    target: str
    """The logical id, as Makefiles name it."""
    binary: str = ""
    """The program that is meant, of a Rust package with several."""

    @property
    def tool(self) -> str:
        """The program that it needs: `go`, `make`."""
        return _TOOLS[self.method]


def tool_of(method: object) -> str | None:
    """The program that a `BuildMethod` needs; None for methods that are not run here."""
    return _TOOLS.get(str(method).strip())


def is_made(step: Compilation, into: Path) -> bool:
    """Whether `into` is what the source, as it is now, was made to."""
    stamp = _state_of(step)
    return stamp is not None and into.is_dir() and _text(_stamp_of(into)) == stamp


async def compile_code(step: Compilation, into: Path) -> None:
    """Make `into` the code; it is as it was before when that fails. Raises InstallFailed."""
    stamp = _state_of(step)
    with disk_faults(step.tool):
        with made_anew(into) as made, TemporaryDirectory(dir=into.parent, prefix=f"{into.name}.") as scratch:
            await _make(step, Path(scratch), made, _target_of(into))
        if step.method == RUST:
            stamp = _state_of(step)  # a first build has written Cargo.lock
        _stamp_of(into).write_text(stamp or "")


async def _make(step: Compilation, scratch: Path, made: Path, target: Path) -> None:
    await run_tool(*_command(step, scratch, made, target), BUILD_SECONDS, _environment(step, made))
    if step.method == MAVEN:
        await _gather_java(scratch, made)
    if step.method == RUST:
        shutil.copy2(_program(step, target), made / "bootstrap")


def _command(step: Compilation, scratch: Path, made: Path, target: Path) -> tuple[list[str], Path]:
    program = shutil.which(step.tool) or step.tool
    if step.method == RUST:
        only = ["--bin", step.binary] if step.binary else []
        return [program, "build", "--release", "--quiet", "--target-dir", str(target), *only], step.source
    if step.method == GO:
        return [program, "build", "-o", str(made / "bootstrap"), "."], step.source
    copy = scratch / "source"
    shutil.copytree(step.source, copy, symlinks=True, ignore=shutil.ignore_patterns(*_NO_SOURCE))
    if step.method == MAVEN:
        return _maven(made, "compile", "-DskipTests", "-Dmdep.prependGroupId=true"), copy
    return [program, "--makefile", str(copy / MAKEFILE), f"build-{step.target}"], copy


def _maven(made: Path, *wanted: str) -> list[str]:
    into = f"-DoutputDirectory={made / 'lib'}"
    copied = ["dependency:copy-dependencies", "-DincludeScope=runtime", into]
    return [shutil.which("mvn") or "mvn", "--batch-mode", "--quiet", "-Dstyle.color=never", *wanted, *copied]


async def _gather_java(scratch: Path, made: Path) -> None:
    """Lay the classes beside their jars, and the runtime client with them where the project has none."""
    shutil.copytree(scratch / "source" / "target" / "classes", made, dirs_exist_ok=True)
    if not _has_client(made):
        client = scratch / "client"
        client.mkdir()
        (client / PROJECT).write_text(_CLIENT_PROJECT)
        await run_tool(_maven(made), client, BUILD_SECONDS)


def _has_client(made: Path) -> bool:
    return any(made.glob(f"lib/*{_CLIENT}*.jar"))


def _environment(step: Compilation, made: Path) -> Mapping[str, str]:
    if step.method == GO:
        return {**os.environ, "GOOS": "linux", "CGO_ENABLED": os.environ.get("CGO_ENABLED", "0")}
    return {**os.environ, "ARTIFACTS_DIR": str(made)}


def _target_of(into: Path) -> Path:
    """What cargo keeps, so that the next build is a short one."""
    return into.with_name(f"{into.name}.cargo")


def _program(step: Compilation, target: Path) -> Path:
    found = [path for path in (target / "release").iterdir() if path.is_file() and os.access(path, os.X_OK)]
    programs = {path.name: path for path in found if not path.suffix}
    if step.binary in programs:
        return programs[step.binary]
    if len(programs) != 1:
        names = ", ".join(sorted(programs)) or "none"
        raise InstallFailed(f"cargo made these programs: {names}; name one (BuildProperties: Binary)")
    return next(iter(programs.values()))


def _stamp_of(into: Path) -> Path:
    return into.with_name(f"{into.name}{_STAMP}")


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None


def _state_of(step: Compilation) -> str | None:
    """A hash of the names, sizes and times of a source's files; None when they are too many to look at. Programs may be
    made of a whole module, or of a workspace."""
    root, mark = step.source, _MODULES.get(step.method)
    if mark is not None:
        root = next((folder for folder in (root, *root.parents) if (folder / mark).is_file()), root)
    digest = hashlib.sha256(f"{step.method}\0{step.target}\0{step.binary}\0{step.source}\0".encode())
    count = 0
    for path in _files(root, (*_NO_SOURCE, "target") if step.method in (RUST, MAVEN) else _NO_SOURCE):
        count += 1
        if count > FILES_MAX:
            return None
        try:
            status = os.stat(path)
        except OSError:
            continue
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(root: Path, without: Sequence[str]) -> Iterator[str]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in without)
        yield from (os.path.join(folder, name) for name in sorted(files))
