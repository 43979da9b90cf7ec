"""The event-pattern language, by the examples of AWS's documentation and by properties."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.event_pattern import InvalidPattern, compile_pattern

MATCHES: list[tuple[Any, Any, bool]] = [
    ({"a": ["x"]}, {"a": "x"}, True),
    ({"a": ["x"]}, {"a": "y"}, False),
    ({"a": ["x"]}, {}, False),
    ({"a": ["x"]}, {"a": ["y", "x"]}, True),
    ({"a": [1]}, {"a": 1.0}, True),
    ({"a": [1]}, {"a": "1"}, False),
    ({"a": [1]}, {"a": True}, False),
    ({"a": [None]}, {"a": None}, True),
    ({"a": [None]}, {}, False),
    ({"a": [""]}, {"a": ""}, True),
    ({"a": [{"prefix": "us-"}]}, {"a": "us-east-1"}, True),
    ({"a": [{"prefix": {"equals-ignore-case": "US-"}}]}, {"a": "us-east-1"}, True),
    ({"a": [{"suffix": ".png"}]}, {"a": "x.png"}, True),
    ({"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"a": "x.png"}, True),
    ({"a": [{"equals-ignore-case": "ALICE"}]}, {"a": "alice"}, True),
    ({"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
    ({"a": [{"anything-but": "x"}]}, {"a": "x"}, False),
    ({"a": [{"anything-but": "x"}]}, {}, False),
    ({"a": [{"anything-but": ["x", "y"]}]}, {"a": "y"}, False),
    ({"a": [{"anything-but": [100, 200]}]}, {"a": 300}, True),
    ({"a": [{"anything-but": {"prefix": "us-"}}]}, {"a": "us-1"}, False),
    ({"a": [{"anything-but": {"suffix": [".png", ".gif"]}}]}, {"a": "a.txt"}, True),
    ({"a": [{"anything-but": {"equals-ignore-case": "X"}}]}, {"a": "x"}, False),
    ({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "/usr/lib/x"}, False),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 0}, False),
    ({"a": [{"numeric": ["=", 3.018e2]}]}, {"a": 301.8}, True),
    ({"a": [{"numeric": [">", 0]}]}, {"a": "1"}, False),
    ({"a": [{"exists": True}]}, {"a": 0}, True),
    ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
    ({"a": [{"exists": False}]}, {"b": 0}, True),
    ({"a": {"b": [{"exists": False}]}}, {}, True),
    ({"a": [{"exists": False}, "x"]}, {"a": "x"}, True),
    ({"a": [{"exists": False}]}, {"a": [{"b": 1}, "x"]}, False),
    ({"a": [{"exists": False}]}, {"a": [{"b": 1}]}, True),
    ({"a": {"b": ["x"]}}, {"a": [[{"b": "x"}], 1]}, True),
    ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [[{"b": "x"}], {"c": "y"}]}, False),
    ({"a.b": ["x"]}, {"a": {"b": "x"}}, True),
    ({"a": {"b": ["x"]}}, {"a.b": "x"}, True),
    ({"a.b": ["x"]}, {"a.b": "x"}, True),
    ({"a.b": ["x"]}, {"a": "x"}, False),
    ({"a": [{"anything-but": {"wildcard": ""}}]}, {"a": "x"}, True),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, True),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.1"}, False),
    ({"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/a/b.png"}, True),
    ({"a": [{"wildcard": "a*b*a"}]}, {"a": "aba"}, True),
    ({"a": [{"wildcard": "aba*ba"}]}, {"a": "aba"}, False),
    ({"a": [{"wildcard": "\\*x"}]}, {"a": "*x"}, True),
    ({"$or": [{"a": ["x"]}, {"b": [{"numeric": ["<", 10]}]}]}, {"b": 9}, True),
    ({"c": ["z"], "$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"a": "x"}, False),
    ({"d": {"$or": [{"a": ["x"]}, {"b": ["y"]}]}}, {"d": {"b": "y"}}, True),
    ({"l": {"a": ["x"], "b": ["y"]}}, {"l": [{"a": "x"}, {"b": "y"}]}, False),
    ({"l": {"a": ["x"], "b": ["y"]}}, {"l": [{"a": "x", "b": "y"}]}, True),
    (
        {"dynamodb": {"NewImage": {"age": {"N": [{"prefix": "4"}]}}}, "eventName": ["INSERT"]},
        {"eventName": "INSERT", "dynamodb": {"NewImage": {"age": {"N": "42"}}}},
        True,
    ),
]


@pytest.mark.parametrize(("pattern", "event", "matches"), MATCHES)
def test_matching(pattern: Any, event: Any, matches: bool) -> None:
    assert compile_pattern(json.dumps(pattern)).matches(event) is matches


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "3", '{"a": "x"}', '{"a": []}', '{"a": {}}', '{"a": [{"unknown": 1}]}', '{"a": [["x"]]}',
     '{"a": [{"prefix": 1}]}', '{"a": [{"numeric": [">"]}]}', '{"a": [{"numeric": [">", 9, "<", 1]}]}',
     '{"a": [{"numeric": ["~", 9]}]}', '{"a": [{"numeric": ["=", 6e9]}]}', '{"a": [{"anything-but": ["x", 1]}]}',
     '{"a": [{"anything-but": []}]}', '{"a": [{"anything-but": {"numeric": ["=", 1]}}]}', '{"a": [{"exists": 1}]}',
     '{"a": [{"cidr": "10.0.0.0/99"}]}', '{"a": [{"wildcard": "a**"}]}', '{"a": [{"prefix": "a", "suffix": "b"}]}',
     '{"a": ["' + "x" * 5000 + '"]}', '{"a":' * 70 + '["x"]' + "}" * 70],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(InvalidPattern):
        compile_pattern(text)


def test_too_many_combinations_are_refused() -> None:
    five = [{f"f{number}": ["x"]} for number in range(5)]
    nested = {"a": {"$or": five}, "b": {"$or": five}, "c": {"$or": five}, "d": {"$or": five}, "e": {"$or": five}}
    with pytest.raises(InvalidPattern, match="combinations"):
        compile_pattern(json.dumps(nested))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab*", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(event=VALUES)
def test_any_event_is_answered(event: Any) -> None:
    """Exactly one of `exists: true` and `exists: false` holds for a scalar field, whatever the event."""
    present = compile_pattern('{"a":[{"exists":true}]}').matches({"a": event})
    absent = compile_pattern('{"a":[{"exists":false}]}').matches({"a": event})
    assert present or absent
    if not isinstance(event, list | dict):
        assert present
        assert not absent


def test_arrays_in_arrays_match_however_deep_they_are() -> None:
    nested: Any = ["x"]
    empty: Any = []
    for _ in range(5_000):
        nested, empty = ["y", nested], [empty]
    assert compile_pattern('{"a":["x"]}').matches({"a": nested})
    assert not compile_pattern('{"a":["z"]}').matches({"a": nested})
    assert compile_pattern('{"a":[{"exists":false}]}').matches({"a": empty})


@given(text=st.text("ab*\\", max_size=8), value=st.text("ab", max_size=8))
def test_a_wildcard_agrees_with_fnmatch(text: str, value: str) -> None:
    if "**" in text or "\\" in text:
        return
    import fnmatch

    pattern = compile_pattern(json.dumps({"a": [{"wildcard": text}]}))
    assert pattern.matches({"a": value}) is fnmatch.fnmatchcase(value, text)


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ({"a": [{"cidr": "1.2.3.4"}]}, "Malformed CIDR, one '/' required\n at a"),
        ({"a": [{"cidr": "1.2.3.4/x"}]}, "Malformed CIDR, mask bits must be an integer\n at a"),
        ({"a": [{"cidr": "1.2.3.4/32"}]}, "IPv4 mask bits must be < 32\n at a"),
        ({"a": [{"cidr": "xx.11.xx/8"}]}, "Nonstandard IP address: xx.11.xx\n at a"),
        ({"a": {"b": []}}, "Empty arrays are not allowed\n at a.b"),
        ({"a": [{"numeric": 10}]}, "Value of numeric must be an array.\n at a"),
        ({"a": [{"numeric": [">", 0, "<"]}]}, "Value of < must be numeric\n at a"),
        ({"a": [{"numeric": [">", 0, ">", 0]}]}, "Bad numeric range operator: >\n at a"),
        ({"a": [{"wildcard": "x**"}]}, "Consecutive wildcard characters at pos 2\n at a"),
        (
            {"a": [{"anything-but": {"suffix": 1}}]},
            "prefix/suffix match pattern must be a string\n at a",
        ),
        ({"a": [{"anything-but": {"prefix": ""}}]}, "Null prefix/suffix not allowed\n at a"),
        (
            {"a": [{"anything-but": ["x", None]}]},
            "Inside anything but list, start|null|boolean is not supported.\n at a",
        ),
    ],
)
def test_refusals_are_in_the_words_of_awss_matcher(pattern: Any, sentence: str) -> None:
    with pytest.raises(InvalidPattern) as refused:
        compile_pattern(json.dumps(pattern))
    assert str(refused.value) == sentence
