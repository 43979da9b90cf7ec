"""JSON: the standard library's values, with places."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.cloudformation.document import Positions, flatten
from trine.cloudformation.json_document import read_json

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=20,
)


@given(_JSON, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_it_reads_what_the_standard_library_writes(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    node, faults = read_json(text, "t.json")
    assert faults == []
    assert node is not None
    assert flatten(node, Positions(["t.json"])) == value


@given(st.text(max_size=100))
def test_it_refuses_what_the_standard_library_refuses(text: str) -> None:
    node, _ = read_json(text, "t.json")
    try:
        json.loads(text, parse_constant=lambda _: 1 / 0)
        readable = True
    except (ValueError, ZeroDivisionError):
        readable = False
    assert (node is not None) == readable


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{\n "a": 1,\n}', 3, 1),
        ('{\n "a" 1}', 2, 6),
        ('{"a": [1 2]}', 1, 10),
        ('{"a": nul}', 1, 7),
        ('{"a": 1} x', 1, 10),
        ('{"a": "\n"}', 1, 8),
        ("[" * 300, 1, 102),
    ],
)
def test_a_fault_knows_its_place(text: str, line: int, column: int) -> None:
    node, faults = read_json(text, "t.json")
    assert node is None
    assert (faults[0].line, faults[0].column) == (line, column)


def test_duplicates_are_reported_and_places_counted() -> None:
    node, faults = read_json('{\n  "a": 1,\n  "b": {"c": [1,\n 2]},\n  "a": 2\n}', "t.json")
    assert [(fault.line, fault.column, fault.rule) for fault in faults] == [(5, 3, "template/duplicate-key")]
    assert node is not None
    positions = Positions(["t.json"])
    flatten(node, positions)
    assert (positions.of("b", "c", 1).line, positions.of("b", "c", 1).column) == (4, 2)
