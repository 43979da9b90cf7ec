"""Which runtime a name means, and what is known of it."""

from __future__ import annotations

import pytest

from trine.awslambda.runtimes.known import has_snap_start, runtime_of


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("python3.12", "python"),
        ("nodejs22.x", "nodejs"),
        ("java8.al2", "java"),
        ("dotnet8", "dotnet"),
        ("provided", "provided"),
        ("provided.al2023", "provided"),
        ("ruby3.3", ""),
        ("", ""),
    ],
)
def test_a_name_means_a_family(name: str, family: str) -> None:
    assert runtime_of(name).family == family


@pytest.mark.parametrize(
    ("name", "needs_handler", "inline_file"),
    [
        ("python3.12", True, "index.py"),
        ("nodejs22.x", True, "index.js"),
        ("java21", True, None),
        ("ruby3.3", True, None),
        ("provided.al2", False, None),
    ],
)
def test_what_a_function_of_it_has_to_give_and_may_give(
    name: str, needs_handler: bool, inline_file: str | None
) -> None:
    assert (runtime_of(name).needs_handler, runtime_of(name).inline_file) == (needs_handler, inline_file)


@pytest.mark.parametrize("name", ["python3.12", "python3.14", "java11", "java21", "dotnet8"])
def test_snap_start_is_for_newer_versions(name: str) -> None:
    assert has_snap_start(name)


@pytest.mark.parametrize("name", ["python3.11", "java8.al2", "dotnet6", "nodejs22.x", "provided.al2023", "ruby3.3"])
def test_snap_start_is_for_nobody_else(name: str) -> None:
    assert not has_snap_start(name)
