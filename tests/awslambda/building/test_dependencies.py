"""Functions' own packages: what asks for an installation, installed once, found again, and how it may fail."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.waiting import still_running
from trine.awslambda.building import dependencies
from trine.awslambda.building.dependencies import DependencyCache, Recipe, recipe_for, sdk_recipe
from trine.awslambda.building.tool import InstallFailed


def wheel(folder: Path, name: str, source: str) -> Path:
    """A wheel with one module, so that pip needs no network."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def tarball(folder: Path, name: str, source: str) -> Path:
    """An npm package with one module, so that npm needs no network."""
    path = folder / f"{name}.tgz"
    files = {"package.json": json.dumps({"name": name, "version": "1.0.0", "main": "index.js"}), "index.js": source}
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            entry = tarfile.TarInfo(f"package/{file}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def requires(folder: Path, text: str) -> Recipe:
    """A code folder with requirements.txt, and its recipe."""
    folder.mkdir(exist_ok=True)
    (folder / "requirements.txt").write_text(text)
    recipe = recipe_for(folder, "python3.11", sys.executable)
    assert recipe is not None
    return recipe


def install(cache: DependencyCache, recipe: Recipe, seconds: float = 60) -> Path:
    return asyncio.run(cache.install(recipe, seconds))


def test_what_asks_for_nothing(tmp_path: Path) -> None:
    def recipe(runtime: str, folder: Path = tmp_path) -> Recipe | None:
        return recipe_for(folder, runtime, sys.executable)

    assert recipe("python3.11") is None
    (tmp_path / "requirements.txt").write_text("# nothing yet\n\n")
    assert recipe("python3.11") is None
    (tmp_path / "package.json").write_text('{"name": "x", "devDependencies": {"a": "1"}}')
    assert recipe("nodejs20.x") is None
    (tmp_path / "package.json").write_text("no json")
    assert recipe("nodejs20.x") is None
    (tmp_path / "package.json").write_text('{"dependencies": {"a": "1"}}')
    (tmp_path / "requirements.txt").write_text("a\n")
    assert recipe("provided.al2023") is None
    assert recipe("nodejs20.x") is not None
    (tmp_path / "node_modules").mkdir()
    assert recipe("nodejs20.x") is None
    built = tmp_path / ".aws-sam" / "build" / "F"
    built.mkdir(parents=True)
    shutil.copy(tmp_path / "requirements.txt", built)
    assert recipe("python3.11", built) is None
    assert recipe("python3.11", tmp_path / "missing") is None


def test_the_key_follows_the_lists_and_the_interpreter(tmp_path: Path) -> None:
    first = requires(tmp_path, "-r more.txt\na\n")
    (tmp_path / "more.txt").write_text("b\n")
    second = requires(tmp_path, "-r more.txt\na\n")
    assert second.files == ("requirements.txt", "more.txt")
    (tmp_path / "more.txt").write_text("c\n")
    third = requires(tmp_path, "-r more.txt\na\n")
    other = recipe_for(tmp_path, "python3.11", "/another/python")
    assert other is not None
    assert len({first.key, second.key, third.key, other.key}) == 4


def test_pip_installs_once(tmp_path: Path) -> None:
    made = wheel(tmp_path, "shouts", "WORD = 'loud'\n")
    recipe = requires(tmp_path / "code", f"{made}\n")
    cache = DependencyCache(tmp_path / "cache")
    assert cache.find(recipe) is None
    folder = install(cache, recipe)
    assert (folder / "shouts.py").read_text() == "WORD = 'loud'\n"
    made.unlink()
    assert install(cache, recipe) == folder == cache.find(recipe)  # nothing is run again
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [recipe.key]


def test_a_failure_tells_the_last_lines_and_leaves_nothing(tmp_path: Path) -> None:
    recipe = requires(tmp_path / "code", f"{tmp_path}/missing-1.0-py3-none-any.whl\n")
    with pytest.raises(InstallFailed, match="pip ended with 1") as failed:
        install(DependencyCache(tmp_path / "cache"), recipe)
    assert "missing-1.0-py3-none-any.whl" in str(failed.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_installer_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    slow = tmp_path / "python"
    slow.write_text(f"#!/bin/sh\necho working\nsleep 60 &\necho $! > {tmp_path}/child\nwait\n")
    slow.chmod(0o755)
    (tmp_path / "requirements.txt").write_text("a\n")
    recipe = recipe_for(tmp_path, "python3.11", str(slow))
    assert recipe is not None
    with pytest.raises(InstallFailed, match=r"was ended after 1 s\n    working"):
        install(DependencyCache(tmp_path / "cache"), recipe, 1)
    child = int((tmp_path / "child").read_text())
    assert still_running({child}) == set()


def test_an_installer_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a\n")
    recipe = recipe_for(tmp_path, "python3.11", "/no/such/python")
    assert recipe is not None
    with pytest.raises(InstallFailed, match="`/no/such/python` was not found"):
        install(DependencyCache(tmp_path / "cache"), recipe)


def test_the_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "ENTRIES_MAX", 2)
    cache = DependencyCache(tmp_path / "cache")
    recipes = []
    for number, name in enumerate(("one", "two", "three")):
        recipe = requires(tmp_path / name, f"{wheel(tmp_path, name, '')}\n")
        done = install(cache, recipe) / ".installed"
        os.utime(done, (1_000 + number, 1_000 + number))
        recipes.append(recipe)
    assert [cache.find(recipe) is not None for recipe in recipes] == [False, True, True]


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_npm_installs_without_touching_the_code(tmp_path: Path) -> None:
    made = tarball(tmp_path, "shouts", "module.exports = 'loud';\n")
    code = tmp_path / "code"
    code.mkdir()
    (code / "package.json").write_text(json.dumps({"name": "f", "dependencies": {"shouts": f"file:{made}"}}))
    recipe = recipe_for(code, "nodejs20.x", sys.executable)
    assert recipe is not None
    folder = install(DependencyCache(tmp_path / "cache"), recipe)
    assert (folder / "node_modules" / "shouts" / "index.js").is_file()
    assert [path.name for path in code.iterdir()] == ["package.json"]


def test_the_sdk_of_an_older_python_is_installed_by_its_own_pip(tmp_path: Path) -> None:
    """A script stands for that Python: it writes down what it was asked for."""
    python = tmp_path / "python3.9"
    python.write_text('#!/bin/sh\nfor each; do into="$last"; last="$each"; done\necho "$@" > "$into/called"\n')
    python.chmod(0o755)
    recipe = sdk_recipe(str(python), tmp_path)
    assert recipe.what == "boto3"
    called = (install(DependencyCache(tmp_path / "cache"), recipe) / "called").read_text()
    assert called.startswith("-m pip install ")
    assert called.endswith(" boto3\n")
