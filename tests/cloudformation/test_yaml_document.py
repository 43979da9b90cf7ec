"""YAML: values as CloudFormation types them, places, and every way in which a text can be broken."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trine.cloudformation.document import Positions, TooLarge, flatten
from trine.cloudformation.yaml_document import plain_scalar, read_yaml


def read(text: str) -> tuple[Any, Positions]:
    node, faults = read_yaml(text, "t.yaml")
    assert node is not None, faults
    assert faults == []
    positions = Positions(["t.yaml"])
    return flatten(node, positions), positions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("012", 10),
        ("123456789012", 123456789012),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("true", True),
        ("Yes", True),
        ("off", False),
        ("~", None),
        ("", None),
        ("2012-10-17", "2012-10-17"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("08", "08"),
        ("-", [None]),
        ("python3.12", "python3.12"),
    ],
)
def test_scalars_follow_yaml_1_1_and_dates_stay_text(text: str, value: Any) -> None:
    assert read(f"a: {text}" if text != "-" else "a:\n  -")[0] == {"a": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("!Sub '${A}'", {"Fn::Sub": "${A}"}),
        ("!Join [',', [!Ref A, b]]", {"Fn::Join": [",", [{"Ref": "A"}, "b"]]}),
        ("!If [C, 1, !Ref AWS::NoValue]", {"Fn::If": ["C", 1, {"Ref": "AWS::NoValue"}]}),
        ("!Condition C", {"Condition": "C"}),
        ("!Base64\n  Fn::Sub: x", {"Fn::Base64": {"Fn::Sub": "x"}}),
    ],
)
def test_short_forms_become_long_ones(text: str, value: Any) -> None:
    assert read(f"a: {text}")[0] == {"a": value}


def test_keys_are_always_text() -> None:
    assert read("200: a\nyes: b\n2012-10-17: c")[0] == {"200": "a", "yes": "b", "2012-10-17": "c"}


def test_every_node_knows_its_place() -> None:
    _, positions = read("a:\n  b: 1\n  c:\n    - x\n    - !Sub y\n  '/users/{id}': 2\n")
    assert positions.of("a", "b").line == 2
    assert (positions.of("a", "c", 1).line, positions.of("a", "c", 1).column) == (5, 7)
    assert positions.of("a", "c", 1, "Fn::Sub").line == 5
    assert positions.of("a", "/users/{id}").line == 6
    assert positions.of("a", "b", "unknown", "below").line == 2, "the nearest ancestor answers"


def test_anchors_and_merge_keys_are_resolved_into_separate_values() -> None:
    value, _ = read("x: &x {a: 1, b: [2]}\ny: *x\nz: {<<: *x, a: 3}\nw: {<<: [*x, {c: 4}]}")
    assert value["y"] == {"a": 1, "b": [2]}
    assert value["z"] == {"a": 3, "b": [2]}
    assert value["w"] == {"a": 1, "b": [2], "c": 4}
    value["y"]["b"].append(9)
    assert value["x"]["b"] == [2]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a: [1\nb: 2", "YAML cannot be read", 2),
        ("a:\n\t- b", "YAML cannot be read", 2),
        ("a: b: c", "mapping values are not allowed", 1),
        ("a: *nowhere", "has no anchor", 1),
        ("a: &a [*a]", "inside its own anchor", 1),
        ("---\na: 1\n---\nb: 2", "second YAML document", 3),
        ("", "empty", 1),
        ("a: !!binary aGk=", "!!binary", 1),
        ("? [a]\n: b", "key must be plain text", 1),
        ("a: {<<: 5}", "merges maps only", 1),
        ("a: " + "[" * 150 + "]" * 150, "nested deeper", 1),
    ],
)
def test_what_cannot_be_read_is_a_fault_with_its_line(text: str, message: str, line: int) -> None:
    node, faults = read_yaml(text, "t.yaml")
    assert node is None
    assert message in faults[-1].message
    assert faults[-1].line == line


def test_duplicate_keys_and_unknown_tags_are_all_reported() -> None:
    _, faults = read_yaml("a: 1\na: 2\nb: !Reff x\nc: {d: 1, d: 2}", "t.yaml")
    assert [(fault.line, fault.rule) for fault in faults] == [
        (2, "template/duplicate-key"),
        (3, "template/yaml-tag"),
        (4, "template/duplicate-key"),
    ]


def test_a_yaml_bomb_is_stopped_by_its_size() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    node, faults = read_yaml("\n".join(lines), "t.yaml")
    assert faults == []
    assert node is not None
    with pytest.raises(TooLarge):
        flatten(node, Positions(["t.yaml"]))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    node, faults = read_yaml(text, "t.yaml")
    assert (node is None) <= bool(faults)


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=20,
)


@given(_PLAIN)
def test_what_pyyaml_writes_is_read_back(value: Any) -> None:
    text = yaml.safe_dump({"root": value})
    assert read(text)[0] == {"root": value}


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_scalars_agree_with_json(value: Any) -> None:
    text = json.dumps(value)
    if "e" not in text or value in (True, False):
        assert plain_scalar(text) == value or len(text) > 40
