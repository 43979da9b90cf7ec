"""The house tests itself: sizes, names, docstrings, one clock, one source of randomness."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "trine"
MODULES = sorted(SOURCE.rglob("*.py"))
SCRIPTS = sorted(path for pattern in ("*.js", "*.cjs", "*.mjs") for path in SOURCE.rglob(pattern))
LINES_MAX = 400
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "core", "misc"}
TIME_READERS = {
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "monotonic"),
    ("time", "monotonic_ns"),
    ("time", "perf_counter"),
    ("time", "perf_counter_ns"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
}
RANDOM_MAKERS = {("os", "urandom"), ("uuid", "uuid4"), ("uuid", "uuid1"), ("secrets", "*"), ("random", "*")}


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _attributes(path: Path) -> Iterator[tuple[str, str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr, node.lineno


def _is_guest(path: Path) -> bool:
    # The guest runs inside the function's process: it has no clock to be handed and imports nothing of the house.
    return "bootstrap" in path.relative_to(SOURCE).parts


def test_there_is_a_house() -> None:
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=_name)
def test_a_room_is_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LINES_MAX, f"{_name(path)} has {lines} lines; give it a wall"


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_a_script_says_what_it_is_before_anything_else(path: Path) -> None:
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("// ")
    assert len(first + second) > 80
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_room_has_a_telling_name_and_says_what_it_is(path: Path) -> None:
    parts = {part.removesuffix(".py") for part in path.relative_to(SOURCE).parts}
    assert not parts & FORBIDDEN_NAMES
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{_name(path)} does not say what it is"


@pytest.mark.parametrize("path", [p for p in MODULES if p.name != "clock.py" and not _is_guest(p)], ids=_name)
def test_only_the_clock_reads_time(path: Path) -> None:
    readers = [(line, f"{owner}.{name}") for owner, name, line in _attributes(path) if (owner, name) in TIME_READERS]
    assert not readers, f"{_name(path)} reads the time itself: {readers}"


@pytest.mark.parametrize("path", [p for p in MODULES if p.name != "ids.py" and not _is_guest(p)], ids=_name)
def test_only_ids_makes_randomness(path: Path) -> None:
    makers = [
        (line, f"{owner}.{name}")
        for owner, name, line in _attributes(path)
        if (owner, name) in RANDOM_MAKERS or ((owner, "*") in RANDOM_MAKERS and name != "Random")
    ]
    assert not makers, f"{_name(path)} makes randomness itself: {makers}"


def test_nothing_promises_to_be_written_later() -> None:
    markers = ("TODO", "FIXME", "XXX", "NotImplementedError")
    found = [
        f"{_name(path)}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if any(marker in line for marker in markers)
    ]
    assert not found


def test_tests_mirror_the_source() -> None:
    wings = {path.name for path in SOURCE.iterdir() if path.is_dir() and any(path.glob("*.py")) and _has_code(path)}
    missing = {wing for wing in wings if not (ROOT / "tests" / wing).is_dir()}
    assert not missing, f"wings without tests: {missing}"


def _has_code(wing: Path) -> bool:
    return any(path.name != "__init__.py" for path in wing.rglob("*.py"))
