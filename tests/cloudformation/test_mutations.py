"""A sound template with one value replaced by any other: it is read, or refused by TemplateFaults; nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trine.cloudformation import template as corridor
from trine.cloudformation.advice import advise
from trine.cloudformation.expand import expand
from trine.cloudformation.expansion import Expansion, _expansion
from trine.cloudformation.faults import TemplateFaults
from trine.cloudformation.manifest import manifest

PLAIN = json.loads((Path(__file__).parent / "templates" / "plain.json").read_text())


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from _paths(member, (*path, key))


PATHS = list(_paths(PLAIN))
EXAMPLES = 300
NAMES = [
    "Ref",
    "Fn::GetAtt",
    "Fn::Sub",
    "Fn::Join",
    "Fn::If",
    "Fn::Select",
    "Fn::Transform",
    "Fn::ForEach::L",
    "Condition",
]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["Function", "Table.Arn", "${Api}", "AWS::NoValue", "AWS::Lambda::Function", "${Function.Nope}"]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(NAMES), children, max_size=2)
    ),
    max_leaves=8,
)


@pytest.fixture(autouse=True)
def expand_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No SAM here, so the child process would only cost time."""

    def expand_here(path: Path, parameters: dict[str, str], region: str, cache: Path | None) -> Expansion:
        answer = json.loads(json.dumps(expand(path, parameters, region)))
        return _expansion(path, answer, False)

    monkeypatch.setattr(corridor, "expand_template", expand_here)


@given(st.sampled_from(PATHS), ANYTHING)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=EXAMPLES)
def test_any_one_value_may_be_anything(tmp_path: Path, path: tuple[Any, ...], value: Any) -> None:
    mutated = {"root": copy.deepcopy(PLAIN)}
    holder: Any = mutated
    for step in ("root", *path)[:-1]:
        holder = holder[step]
    holder[("root", *path)[-1]] = value
    file = tmp_path / "template.json"
    file.write_text(json.dumps(mutated["root"]))
    try:
        template = corridor.load_template(file)
    except TemplateFaults:
        return
    manifest(template, {})
    advise(template, {})
    json.dumps([resource.properties for resource in template.resources.values()])
