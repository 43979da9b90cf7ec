"""The tests test themselves: each of them can fail, each has a name of its own, every fixture is used."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
FILES = sorted(TESTS.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef
BY_CALLING = {"raises", "warns", "fail", "run_state_machine_as_test"}
"""Calls that fail a test without an `assert` of its own."""
RUN_BY_OTHERS = {"test_a_sample_passes"}
"""The assertions of documentation's samples stand in the documentation."""


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(_tree(path)) if isinstance(node, Function))


def _called(node: ast.AST) -> set[str]:
    found = (call.func for call in ast.walk(node) if isinstance(call, ast.Call))
    return {
        one.id if isinstance(one, ast.Name) else one.attr for one in found if isinstance(one, ast.Name | ast.Attribute)
    }


@cache
def _checking() -> frozenset[str]:
    """Names of the tests' own functions that assert, themselves or through one another."""
    every = [function for path in FILES for function in _functions(path)]
    found = {one.name for one in every if any(isinstance(node, ast.Assert) for node in ast.walk(one))}
    found |= {one.name for one in every if _called(one) & BY_CALLING}
    while more := {one.name for one in every if one.name not in found and _called(one) & found}:
        found |= more
    return frozenset(found)


def _name(path: Path) -> str:
    return path.relative_to(TESTS).as_posix()


@pytest.mark.parametrize("path", [path for path in FILES if path.name.startswith("test_")], ids=_name)
def test_every_test_can_fail_and_none_hides_another(path: Path) -> None:
    tests = [one for one in _functions(path) if one.name.startswith("test_") and one.name not in RUN_BY_OTHERS]
    names = Counter(one.name for one in _tree(path).body if isinstance(one, Function))
    assert not {name for name, count in names.items() if count > 1}
    checking = {name for name in _checking() if not name.startswith("test_")}
    idle = [
        one.name
        for one in tests
        if not any(isinstance(node, ast.Assert) for node in ast.walk(one))
        and not _called(one) & (BY_CALLING | checking)
    ]
    assert not idle


def test_every_fixture_is_used() -> None:
    fixtures, asked = set(), set()
    for path in FILES:
        for one in _functions(path):
            marks = " ".join(ast.unparse(mark) for mark in one.decorator_list)
            if "pytest.fixture" in marks and "autouse=True" not in marks:
                fixtures.add(one.name)
            asked |= {argument.arg for argument in (*one.args.args, *one.args.kwonlyargs)}
            asked |= {
                node.value for node in ast.walk(one) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
        asked |= {
            node.value
            for mark in ast.walk(_tree(path))
            if isinstance(mark, ast.Call) and "usefixtures" in ast.unparse(mark.func)
            for node in mark.args
            if isinstance(node, ast.Constant)
        }
    assert len(fixtures) > 50
    assert not fixtures - asked
