"""Builds by a tool of this machine: what is called, where it writes, and when it is called again."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from trine.awslambda.building.compiling import Compilation, compile_code, is_made, tool_of
from trine.awslambda.building.tool import InstallFailed

HAS_MAKE = shutil.which("make") is not None
MAKEFILE = """
build-Made:
\tcp app.txt $(ARTIFACTS_DIR)/app.txt
\ttouch left-over
build-Broken:
\tfalse
"""
GO = """#!/bin/sh
[ "$1 $2 $4" = "build -o ." ] || exit 1
echo "$GOOS $CGO_ENABLED $PWD" > "$3"
"""


CARGO = """#!/bin/sh
[ "$1 $2 $3 $4" = "build --release --quiet --target-dir" ] || exit 1
mkdir -p "$5/release"
for name in $(cat programs); do echo "$name" > "$5/release/$name"; chmod +x "$5/release/$name"; done
echo > "$5/release/one.d"
echo > Cargo.lock
"""


MAVEN = """#!/bin/sh
for each; do case "$each" in -DoutputDirectory=*) into="${each#-DoutputDirectory=}";; esac; done
mkdir -p "$into"
case "$*" in
  *" compile "*)
    mkdir -p target/classes
    echo > target/classes/App.class
    for jar in $(cat jars); do echo > "$into/$jar"; done;;
  *) grep -q aws-lambda-java-runtime-interface-client pom.xml && echo > "$into/fetched.jar";;
esac
"""


def _stand_in(tool: str, script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on `tool` is a script."""
    program = tmp_path / "bin" / tool
    program.parent.mkdir()
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source with a Makefile."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "Makefile").write_text(MAKEFILE)
    (folder / "app.txt").write_text("first")
    return folder


def test_methods() -> None:
    methods = ("go1.x", "makefile", "makefile ", "rust-cargolambda", "java21", None)
    assert [tool_of(method) for method in methods] == ["go", "make", "make", "cargo", None, None]


@pytest.mark.skipif(not HAS_MAKE, reason="needs make")
def test_make_runs_in_a_copy_and_fills_the_folder(source: Path, tmp_path: Path) -> None:
    step, into = Compilation(source, "makefile", "Made"), tmp_path / "built" / "Made"
    into.parent.mkdir()
    assert not is_made(step, into)
    asyncio.run(compile_code(step, into))
    assert (into / "app.txt").read_text() == "first"
    assert not (source / "left-over").exists()
    assert sorted(path.name for path in into.parent.iterdir()) == ["Made", "Made.made-of"]
    assert is_made(step, into)


@pytest.mark.skipif(not HAS_MAKE, reason="needs make")
def test_it_is_made_again_when_its_source_changed(source: Path, tmp_path: Path) -> None:
    step, into = Compilation(source, "makefile", "Made"), tmp_path / "built" / "Made"
    asyncio.run(compile_code(step, into))
    (source / "node_modules").mkdir()
    (source / "node_modules" / "x").write_text("no source")
    assert is_made(step, into)
    os.utime(source / "app.txt", (100, 100))
    assert not is_made(step, into)
    asyncio.run(compile_code(step, into))
    assert is_made(step, into)
    shutil.rmtree(into)
    assert not is_made(step, into)


@pytest.mark.skipif(not HAS_MAKE, reason="needs make")
@pytest.mark.parametrize(("target", "said"), [("Broken", "make ended with 2"), ("Absent", "No rule to make target")])
def test_a_failure_is_told_and_leaves_what_was_there(source: Path, tmp_path: Path, target: str, said: str) -> None:
    into = tmp_path / "built" / target
    into.mkdir(parents=True)
    (into / "before").write_text("")
    with pytest.raises(InstallFailed, match=said):
        asyncio.run(compile_code(Compilation(source, "makefile", target), into))
    assert (into / "before").exists()
    assert [path.name for path in into.parent.iterdir()] == [target]


def test_go_programs_become_bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script stands for Go."""
    _stand_in("go", GO, tmp_path, monkeypatch)
    monkeypatch.delenv("CGO_ENABLED", raising=False)
    source = tmp_path / "module" / "cmd" / "get"
    source.mkdir(parents=True)
    (source / "main.go").write_text("package main\n")
    (tmp_path / "module" / "go.mod").write_text("module x\n")
    step, into = Compilation(source, "go1.x", "Get"), tmp_path / "built" / "Get"
    asyncio.run(compile_code(step, into))
    assert (into / "bootstrap").read_text() == f"linux 0 {source}\n"
    (tmp_path / "module" / "shared.go").write_text("package x\n")  # the module around it is its source, too
    assert not is_made(step, into)


def test_rust_programs_become_bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script stands for cargo."""
    _stand_in("cargo", CARGO, tmp_path, monkeypatch)
    source, into = tmp_path / "source", tmp_path / "built" / "App"
    source.mkdir()
    (source / "programs").write_text("one")
    step = Compilation(source, "rust-cargolambda", "App")
    asyncio.run(compile_code(step, into))
    assert (into / "bootstrap").read_text() == "one\n"
    assert is_made(step, into)
    (source / "programs").write_text("one two")
    with pytest.raises(InstallFailed, match="one, two; name one"):
        asyncio.run(compile_code(step, into))
    named = Compilation(source, "rust-cargolambda", "App", "two")
    asyncio.run(compile_code(named, into))
    assert (into / "bootstrap").read_text() == "two\n"


@pytest.mark.parametrize(
    ("jars", "libraries"),
    [
        ("g.core.jar", {"g.core.jar", "fetched.jar"}),
        (
            "com.amazonaws.aws-lambda-java-runtime-interface-client-2.6.0.jar",
            {"com.amazonaws.aws-lambda-java-runtime-interface-client-2.6.0.jar"},
        ),
    ],
)
def test_maven_projects_become_classes_and_jars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jars: str, libraries: set[str]
) -> None:
    """A script stands for Maven. The runtime client is fetched where the project has none."""
    _stand_in("mvn", MAVEN, tmp_path, monkeypatch)
    source, into = tmp_path / "source", tmp_path / "built" / "App"
    source.mkdir()
    (source / "pom.xml").write_text("<project/>")
    (source / "jars").write_text(jars)
    step = Compilation(source, "maven", "App")
    asyncio.run(compile_code(step, into))
    assert (into / "App.class").is_file()
    assert {path.name for path in (into / "lib").iterdir()} == libraries
    assert not (source / "target").exists()
    assert is_made(step, into)
