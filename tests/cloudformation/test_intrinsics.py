"""Intrinsic functions, each by itself, in a small world of made-up names."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.cloudformation.document import Positions
from trine.cloudformation.evaluation import NO_VALUE, Evaluation, Path, Unresolvable
from trine.cloudformation.intrinsics import FUNCTIONS
from trine.cloudformation.places import Places


class World:
    values: Mapping[str, Any] = {
        "Text": "t",
        "List": ["a", "b", "c"],
        "AWS::Region": "eu-west-1",
        "AWS::NoValue": NO_VALUE,
        "Truth": True,
        "Unmodelled": "app-Unmodelled-1",
    }

    def ref(self, name: str, path: Path) -> Any:
        if name not in self.values:
            raise Unresolvable(path, f"no {name}")
        return self.values[name]

    def attribute(self, logical_id: str, name: str, path: Path) -> Any:
        return f"trine-placeholder-{logical_id}-{name}" if logical_id == "Odd" else f"<{logical_id}.{name}>"

    def is_of_unknown_form(self, text: str) -> bool:
        return "app-Unmodelled-1" in text

    def condition(self, name: str, path: Path) -> bool:
        if name not in ("Yes", "No"):
            raise Unresolvable(path, f"no condition {name}")
        return name == "Yes"

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        return {"eu-west-1": {"Size": 5, "Zones": ["x", "y"]}} if name == "Map" else None

    def zones(self, region: str) -> list[str]:
        return [f"{region}a", f"{region}b"]


def evaluation() -> Evaluation:
    return Evaluation(World(), Places(Positions(["t"]), {}, {}), FUNCTIONS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Text"}, "t"),
        ({"Fn::GetAtt": ["R", "Arn"]}, "<R.Arn>"),
        ({"Fn::GetAtt": "R.Outputs.X"}, "<R.Outputs.X>"),
        ({"Fn::GetAtt": ["R", {"Ref": "Text"}]}, "<R.t>"),
        ({"Fn::Sub": "${Text}-${R.Arn}-${!Text}-${AWS::Region}-$x-{y}"}, "t-<R.Arn>-${Text}-eu-west-1-$x-{y}"),
        ({"Fn::Sub": ["${A}${Text}", {"A": {"Fn::Join": ["", ["1", 2]]}}]}, "12t"),
        ({"Fn::Sub": "${Truth}"}, "true"),
        ({"Fn::Join": ["-", ["a", 1, True, {"Ref": "Text"}]]}, "a-1-true-t"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b,c"),
        ({"Fn::Join": [",", ["a", {"Ref": "AWS::NoValue"}]]}, "a"),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
        ({"Fn::Select": [0, {"Fn::Split": ["|", "a|b"]}]}, "a"),
        ({"Fn::Split": [",", "a,,b"]}, ["a", "", "b"]),
        ({"Fn::Select": [2, {"Fn::GetAtt": ["Odd", "List"]}]}, "trine-placeholder-Odd-List"),
        ({"Fn::Select": [1, {"Fn::Split": [":", {"Fn::GetAtt": ["Odd", "List"]}]}]}, "trine-placeholder-Odd-List"),
        ({"Fn::Join": [",", {"Fn::GetAtt": ["Odd", "List"]}]}, "trine-placeholder-Odd-List"),
        ({"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Unmodelled"}]}]}, "app-Unmodelled-1"),
        ({"Fn::Select": [0, {"Ref": "Unmodelled"}]}, "app-Unmodelled-1"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", {"Ref": "Nobody"}, 2]}, 2),
        ({"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "Size"]}, 5),
        ({"Fn::FindInMap": ["Map", "eu-west-1", "Zones"]}, ["x", "y"]),
        ({"Fn::FindInMap": ["Map", "mars-1", "Size", {"DefaultValue": {"Ref": "Text"}}]}, "t"),
        ({"Fn::Equals": [True, "true"]}, True),
        ({"Fn::Equals": ["a", {"Ref": "Text"}]}, False),
        ({"Fn::Equals": [["a", "b", "c"], {"Ref": "List"}]}, True),
        ({"Fn::And": [{"Condition": "Yes"}, {"Fn::Not": [{"Condition": "No"}]}]}, True),
        ({"Fn::Or": [{"Condition": "No"}, {"Fn::Equals": [1, 2]}]}, False),
        ({"Fn::Or": [{"Condition": {"Condition": "Yes"}}, {"Condition": "No"}]}, True),
        ({"Fn::Base64": {"Fn::Sub": "ü${Text}"}}, base64.b64encode("üt".encode()).decode()),
        ({"Fn::Cidr": ["10.0.0.0/16", 3, 8]}, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ({"Fn::Cidr": ["2001:db8::/56", 2, 64]}, ["2001:db8::/64", "2001:db8:0:1::/64"]),
        ({"Fn::GetAZs": ""}, ["a", "b"]),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["eu-west-1a", "eu-west-1b"]),
        ({"Fn::Length": {"Ref": "List"}}, 3),
        ({"Fn::ToJsonString": {"a": [{"Ref": "Text"}, 1]}}, '{"a":["t",1]}'),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}}, {}),
        ({"Condition": {"StringEquals": {"a": {"Ref": "Text"}}}, "Effect": "Allow"},
         {"Condition": {"StringEquals": {"a": "t"}}, "Effect": "Allow"}),
    ],
)  # fmt: skip
def test_functions(value: Any, expected: Any) -> None:
    evaluated = evaluation()
    assert evaluated.resolve(value, ()) == expected
    assert evaluated.faults == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Ref": ["a"]}, "Ref takes the name"),
        ({"Ref": "Nobody"}, "no Nobody"),
        ({"Fn::GetAtt": "R"}, "names no attribute"),
        ({"Fn::GetAtt": 5}, "takes a logical id"),
        ({"Fn::Sub": 5}, "takes a string"),
        ({"Fn::Sub": ["${A}"]}, "takes a list of 2"),
        ({"Fn::Sub": ["x", "y"]}, "map of variables"),
        ({"Fn::Sub": "${Nobody}"}, "no Nobody"),
        ({"Fn::Join": ["-", "text"]}, "joins a list"),
        ({"Fn::Join": [5, []]}, "delimiter"),
        ({"Fn::Join": ["-", [{"a": 1}]]}, "not a map"),
        ({"Fn::Select": [3, {"Ref": "List"}]}, "cannot select index 3 of 3"),
        ({"Fn::Select": ["x", {"Ref": "List"}]}, "is a number"),
        ({"Fn::Select": [0, "text"]}, "needs a list"),
        ({"Fn::Split": ["", "a"]}, "not empty"),
        ({"Fn::If": ["Maybe", 1, 2]}, "no condition Maybe"),
        ({"Fn::If": ["Yes", 1]}, "takes a list of 3"),
        ({"Fn::FindInMap": ["Other", "a", "b"]}, "no mapping 'Other'"),
        ({"Fn::FindInMap": ["Map", "a", "b"]}, "has no entry 'a'"),
        ({"Fn::FindInMap": ["Map", "eu-west-1", "b"]}, "has no entry 'eu-west-1' → 'b'"),
        ({"Fn::And": [{"Condition": "Yes"}]}, "2 to 10"),
        ({"Fn::Not": ["perhaps"]}, "a condition was expected"),
        ({"Fn::Cidr": ["10.0.0.0/30", 8, 8]}, "do not fit"),
        ({"Fn::Cidr": ["nonsense", 8, 8]}, "Fn::Cidr"),
        ({"Fn::Length": "abc"}, "counts a list"),
        ({"Fn::ImportValue": "x"}, "another stack's export"),
        ({"Fn::Transform": {"Name": "Mine"}}, "macro 'Mine'"),
        ({"Fn::Nonsense": 1}, "unknown intrinsic function"),
    ],
)
def test_what_cannot_be_evaluated_is_named(value: Any, message: str) -> None:
    with pytest.raises(Unresolvable, match=message.replace("(", r"\(")):
        evaluation().resolve(value, ("x",))


def test_one_mistake_does_not_hide_the_next() -> None:
    evaluated = evaluation()
    value = {"a": {"Ref": "X"}, "b": [{"Ref": "Y"}, {"Fn::Sub": "${Z}"}], "c": {"Ref": "Text"}, "Fn::If": [], "d": 1}
    assert evaluated.resolve(value, ()) == {"b": [], "c": "t", "d": 1}
    assert len(evaluated.faults) == 4


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["Text", "List", "${Text}"]),
    lambda children: st.lists(children, max_size=4)
    | st.dictionaries(st.text(max_size=4), children, max_size=3)
    | st.tuples(
        st.sampled_from(["Ref", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::If", "Fn::Split", "Fn::GetAtt", "Fn::Cidr",
                         "Fn::FindInMap", "Fn::Equals", "Fn::And", "Fn::Base64", "Fn::Length", "Fn::ToJsonString"]),
        children,
    ).map(lambda pair: {pair[0]: pair[1]}),
    max_leaves=25,
)  # fmt: skip


@given(_ANY)
def test_any_value_is_evaluated_or_refused_by_name(value: Any) -> None:
    evaluated = evaluation()
    try:
        result = evaluated.resolve({"root": value}, ())
    except Unresolvable:
        return
    json.dumps(result)
    assert "NoValue" not in repr(result)


_LITERAL = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.from_regex(r"[a-z]{1,6}"), children, max_size=3)
    ),
    max_leaves=15,
)


@given(_LITERAL)
def test_values_without_intrinsics_are_left_alone(value: Any) -> None:
    evaluated = evaluation()
    assert evaluated.resolve(value, ()) == value
    assert evaluated.faults == []


@given(st.lists(st.text(st.characters(exclude_characters="|"), max_size=5), min_size=1, max_size=6))
def test_split_undoes_join(items: list[str]) -> None:
    assert evaluation().resolve({"Fn::Split": ["|", {"Fn::Join": ["|", items]}]}, ()) == items
