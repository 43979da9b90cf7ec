"""A sound template with one value replaced by any other: it is read, or refused by TemplateFaults; nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trine.cloudformation.advice import advise
from trine.cloudformation.code_advice import advise_on_code
from trine.cloudformation.faults import TemplateFaults
from trine.cloudformation.manifest import manifest
from trine.cloudformation.template import Template

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


@given(st.sampled_from(PATHS), ANYTHING)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=EXAMPLES)
def test_any_one_value_may_be_anything(load: Callable[..., Template], path: tuple[Any, ...], value: Any) -> None:
    mutated = {"root": copy.deepcopy(PLAIN)}
    holder: Any = mutated
    for step in ("root", *path)[:-1]:
        holder = holder[step]
    holder[("root", *path)[-1]] = value
    try:
        template = load(json.dumps(mutated["root"]), "template.json")
    except TemplateFaults:
        return
    manifest(template, {})
    advise(template)
    list(advise_on_code(template))
    assert json.dumps([resource.properties for resource in template.resources.values()]).startswith("[")
