"""The documents are alive: links lead somewhere, commands and options exist, samples run, tables say what is."""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from trine.cli.main import COMMANDS, trine

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "trine"
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "benchmarks/**/*.md")
    for path in ROOT.glob(pattern)
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND = re.compile(r"(?:^|[`$(\s])trine ((?:-{0,2}[a-z][a-z-]*)[^`#|\n)\"]*)")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _prose(path: Path) -> str:
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def _anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    titles = (title.strip().lower() for title in _HEADING.findall(_prose(path)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_a_link_leads_somewhere(path: Path) -> None:
    dead = []
    for target in _LINK.findall(_prose(path)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        if not page.exists() or (anchor and page.suffix == ".md" and anchor not in _anchors(page)):
            dead.append(target)
    assert not dead


def test_every_page_is_found_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in _LINK.findall(_prose(index))}
    pages = {path for path in (ROOT / "docs").glob("*.md") if path != index}
    assert not {_name(page) for page in pages - linked}
    assert ROOT / "docs" / "adr" in linked


def test_a_decision_bears_the_number_of_its_file() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert len(pages) >= 12
    assert not [page.name for page in pages if not page.read_text("utf-8").startswith(f"# {int(page.name[:4])}. ")]


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    for words in (match.split() for match in _COMMAND.findall(text)):
        if words[0] in COMMANDS:
            yield words[0], [word.partition("=")[0] for word in words if word.startswith("--")]


def _code(path: Path) -> str:
    """What stands in a page as code: fenced, or between backticks."""
    text = path.read_text(encoding="utf-8")
    fenced = "\n".join(code for _, code in _FENCE.findall(text))
    return fenced + "\n" + "\n".join(f"`{code}`" for code in re.findall(r"`([^`\n]+)`", _prose(path)))


def _options(command: str) -> set[str]:
    group = trine.get_command(click.Context(trine), command)
    assert group is not None
    members = [group, *(group.commands.values() if isinstance(group, click.Group) else ())]
    return {option for one in members for each in one.params for option in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_commands_and_their_options_exist(path: Path) -> None:
    unknown = [
        f"trine {command} {option}"
        for command, options in _commands(_code(path))
        for option in options
        if option not in _options(command) | {"--help"}
    ]
    assert not unknown
    words = re.findall(r"`trine ([a-z]+)", path.read_text(encoding="utf-8"))
    assert not {word for word in words if word not in COMMANDS}


def test_commands_are_found_in_the_pages_at_all() -> None:
    found = [one for path in DOCUMENTS for one in _commands(_code(path))]
    assert {command for command, _ in found} == set(COMMANDS)
    assert sum(bool(options) for _, options in found) > 20


@pytest.mark.parametrize(
    ("path", "code"),
    [(path, code) for path in DOCUMENTS for kind, code in _FENCE.findall(path.read_text("utf-8")) if kind == "python"],
    ids=lambda value: _name(value) if isinstance(value, Path) else "",
)
def test_a_sample_of_python_is_python_and_its_imports_exist(path: Path, code: str) -> None:
    compile(textwrap.dedent(code), _name(path), "exec", flags=0x2000)  # PyCF_ALLOW_TOP_LEVEL_AWAIT
    room: dict[str, object] = {}
    for line in code.splitlines():
        if line.startswith(("from ", "import ")):
            exec(line, room)
    assert all(value is not None for value in room.values())


def test_the_table_of_dependencies_is_the_list_of_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(one for group in project["optional-dependencies"].values() for one in group)]
    names = {re.split(r"[\[><=;~ ]", one, maxsplit=1)[0].lower() for one in asked}
    table = (ROOT / "README.md").read_text().partition("## Dependencies")[2].partition("\n## ")[0]
    told = {
        name.strip().lower()
        for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
        for name in re.sub(r"\(.*?\)", "", row).split(",")
    } - {"package", "---"}
    assert {name for name in names if not any(name == one or name.startswith(f"{one}-") for one in told)} == set()
    assert {one for one in told if not any(name == one or name.startswith(f"{one}-") for name in names)} == set()


def test_the_map_names_rooms_that_are_there() -> None:
    table = (ROOT / "docs" / "map.md").read_text().partition("## Where to look")[2]
    named = [
        re.sub(r"<\w+>", "*", word.rstrip("/"))
        for row in table.splitlines()
        if row.startswith("|")
        for word in re.findall(r"`([\w/<>*.-]+(?:\.py|/))`", row)
    ]
    assert len(named) > 30
    assert not [word for word in named if not any(SOURCE.glob(word if "/" in word else f"**/{word}"))]


def test_make_has_the_targets_that_are_spoken_of() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    spoken = {word for path in DOCUMENTS for word in re.findall(r"(?:`|\$ )make ([a-z]+)", path.read_text("utf-8"))}
    assert {"run", "test", "check", "bench"} <= spoken <= targets
