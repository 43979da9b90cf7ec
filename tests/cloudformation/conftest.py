"""Templates for the tests of this wing: the fixtures under `templates/`, each read once, and text given inline."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from trine.cloudformation import template as corridor
from trine.cloudformation.expand import expand
from trine.cloudformation.expansion import Expansion, _expansion
from trine.cloudformation.faults import Fault, TemplateFaults
from trine.cloudformation.template import Template, load_template

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _read(name: str) -> Template:
    return load_template(TEMPLATES / name, stack_name="app")


@pytest.fixture(scope="session")
def template() -> Callable[[str], Template]:
    """Read a fixture by its name; a name is read once in a test run."""
    return _read


def expand_here(path: Path, parameters: dict[str, str], region: str, cache: Path | None) -> Expansion:
    """What the child process answers, without the child: for templates that need no SAM."""
    return _expansion(path, json.loads(json.dumps(expand(path, parameters, region))), False)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Template]:
    """Read a template given as text; only SAM ones cost a child process."""

    def load(text: str, name: str = "template.yaml", **overrides: str) -> Template:
        file = tmp_path / name
        file.write_text(text)
        if "AWS::Serverless" not in text:
            monkeypatch.setattr(corridor, "expand_template", expand_here)
        return load_template(file, overrides, stack_name="app")

    return load


@pytest.fixture
def faults(load: Callable[..., Template]) -> Callable[..., list[Fault]]:
    """The faults of a template given as text; the test fails when it has none."""

    def faults(text: str, name: str = "template.yaml", **overrides: str) -> list[Fault]:
        with pytest.raises(TemplateFaults) as caught:
            load(text, name, **overrides)
        return caught.value.faults

    return faults
