"""JSONPath: what definite and indefinite paths find."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.apigateway.mapping.jsonpath import PathInvalid, find

STORE = {
    "book": [
        {"title": "A", "price": 8, "tags": ["x"]},
        {"title": "B", "price": 12.5, "isbn": "1"},
        {"title": "C", "price": 9},
    ],
    "odd name": {"a.b": 1},
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", STORE),
        ("$.book[0].title", "A"),
        ("$['book'][1]['title']", "B"),
        ('$["odd name"]["a.b"]', 1),
        ("$.book[-1].title", "C"),
        ("$.book[9]", None),
        ("$.missing.deeper", None),
        ("$.none", None),
        ("book[0].title", "A"),
        ("$.book[*].title", ["A", "B", "C"]),
        ("$..title", ["A", "B", "C"]),
        ("$.book[0:2].title", ["A", "B"]),
        ("$.book[0,2].title", ["A", "C"]),
        ("$.book[?(@.price > 8.5)].title", ["B", "C"]),
        ("$.book[?(@.isbn)].title", ["B"]),
        ("$.book[?(@.title == 'A')].price", [8]),
        ("$.book.length()", 3),
        ("$.book[0]['title','price']", {"title": "A", "price": 8}),
        ("$.book[0]['title','price'][0]", []),
        ("$.*", list(STORE.values())),
        ("$.nothing[*]", None),
        ("$.book[*].nothing", []),
        ("$.book[0:3:2].title", ["A", "C"]),
        ("['book'][0].title", "A"),
        ("$.book[?(@.price > 8.5 && @.isbn)].title", ["B"]),
        ("$.book[?(@.price > 12 || @.title == 'A')].title", ["A", "B"]),
        ("$.book[?(!@.isbn)].title", ["A", "C"]),
        ("$.book[?(!(@.isbn || @.price == 8))].title", ["C"]),
        ("$.book[?(@['price'] >= $.book[2].price)].title", ["B", "C"]),
        ("$.book[?(@.title in ['A', \"C\"])].price", [8, 9]),
        ("$.book[?(@.title nin ['A'])].price", [12.5, 9]),
        ("$.book[?(@.tags contains 'x')].title", ["A"]),
        ("$.book[?(@.title =~ /[ab]/i)].title", ["A", "B"]),
        ("$.book[?(@.isbn != null)].title", ["A", "B", "C"]),
        ("$.book[?(@.isbn == null)].title", []),
        ("$.book[*].price.length()", []),
        ("$.book[0].tags.size()", 1),
        ("$.book[0].keys()", ["title", "price", "tags"]),
        ("$['odd name'].keys()", ["a.b"]),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    assert find(path, STORE) == expected


@pytest.mark.parametrize(
    "path",
    [
        "$.",
        "$[",
        "$[abc]",
        "$.a b",
        "$.[",
        "$[?(@.a =~ x)]",
        "$[?(@.a =~ /(a+/)]",
        "$.stddev()",
        "$[?(@.a",
        "$[?(" + "(" * 50,
        "$[?(" + "!" * 50,
        "$[?(@.a ==)]",
        "$" * 5_000,
    ],
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(PathInvalid):
        find(path, STORE)


def test_a_pattern_that_explodes_is_refused_when_it_does() -> None:
    assert find("$[?(@ =~ /(a|a)*/)]", ["aaa", "b"]) == ["aaa"]
    with pytest.raises(PathInvalid, match="takes too long"):
        find("$[?(@ =~ /(a|a)*/)]", ["a" * 60 + "!"])


def test_deep_search_is_bounded() -> None:
    with pytest.raises(PathInvalid):
        find("$..a", [[0] * 1000] * 200)


@given(st.text(alphabet="$.[]*'\"abc012:,?(@)=<> ", max_size=25))
@settings(max_examples=300)
def test_any_path_finds_or_is_refused(path: str) -> None:
    with contextlib.suppress(PathInvalid):
        find(path, {"a": [{"b": 1}, {"c": "x"}], "b": {"a": None}})
