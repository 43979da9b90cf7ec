"""The order of making, and circles."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trine.cloudformation.graph import dependencies, in_order, references


def test_references_are_found_in_every_form() -> None:
    value = {
        "a": {"Ref": "A"},
        "b": [{"Fn::GetAtt": ["B", "Arn"]}, {"Fn::GetAtt": "C.Arn"}],
        "c": {"Fn::Sub": "${D} ${E.Arn} ${!F} ${ G }"},
        "d": {"Fn::Sub": ["${H} ${x}", {"x": {"Ref": "I"}}]},
        "e": {"Fn::Join": ["", [{"Fn::If": ["Condition", {"Ref": "J"}, "k"]}]]},
    }
    assert list(references(value)) == ["A", "B", "C", "D", "E", "G", "I", "H", "J"]


def test_only_resources_count() -> None:
    resources = {
        "A": {"Properties": {"x": [{"Ref": "B"}, {"Ref": "A"}, {"Ref": "AWS::Region"}]}, "DependsOn": ["C", "Nobody"]},
        "B": {},
        "C": {"DependsOn": "B"},
    }
    assert {name: list(needed) for name, needed in dependencies(resources).items()} == {
        "A": ["B", "A", "C"],
        "B": [],
        "C": ["B"],
    }


def test_a_long_chain_is_no_recursion() -> None:
    needs = {str(number): [str(number + 1)] for number in range(5000)} | {"5000": []}
    order, circles = in_order(needs)
    assert order[0] == "5000"
    assert circles == []


def test_a_circle_is_named_as_it_goes_round() -> None:
    _, circles = in_order({"A": ["B"], "B": ["C"], "C": ["B"], "D": ["D"]})
    assert circles == [["B", "C", "B"], ["D", "D"]]


_NAMES = st.sampled_from("ABCDEFGH")


@given(st.dictionaries(_NAMES, st.lists(_NAMES, max_size=4)))
def test_each_comes_after_what_it_needs_unless_in_a_circle(needs: dict[str, list[str]]) -> None:
    complete = {**{name: [] for names in needs.values() for name in names}, **needs}
    order, circles = in_order(complete)
    assert sorted(order) == sorted(complete)
    if not circles:
        for name, needed in complete.items():
            assert all(order.index(other) < order.index(name) for other in needed)
    for circle in circles:
        assert circle[0] == circle[-1]
        assert all(after in complete[before] for before, after in pairwise(circle))
