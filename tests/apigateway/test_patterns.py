"""Patterns of templates: Java's meaning where it differs, and none that explodes."""

from __future__ import annotations

import pytest

from trine.apigateway.patterns import PatternRefused, compile_pattern


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r".*Error.*", "an Error here"),
        (r"4\d{2}", "404"),
        (r"^[a-z]+@[a-z.]+$", "ada@example.com"),
        (r"(?:Bad Request|Not Found).*", "Not Found: 7"),
        (r"[^.]+\.[^.]+", "a.b"),
    ],
)
def test_usual_patterns_are_taken(source: str, text: str) -> None:
    assert compile_pattern(source).matches(text)


@pytest.mark.parametrize(
    "source", [r"(a+)+", r"(a*)*b", r"(a|aa)+$", r"(.*)*", r"((ab)*c?)*", r"(a{1,9}){1,99}", "(", "[", "a" * 3_000]
)
def test_exploding_and_broken_patterns_are_refused(source: str) -> None:
    with pytest.raises(PatternRefused):
        compile_pattern(source)


def test_matches_means_the_whole_text() -> None:
    assert compile_pattern("a.c").matches("abc")
    assert not compile_pattern("a.c").matches("abcd")


def test_long_texts_are_refused_where_they_would_be_slow() -> None:
    pattern = compile_pattern(".*a.*b.*c.*d")
    assert pattern.matches("xaxbxcxd")
    with pytest.raises(PatternRefused):
        pattern.matches("a" * 10_000)


def test_replace_and_split_as_java() -> None:
    assert compile_pattern("(b)(c)").replace("abcbc", "<$2$1>") == "a<cb><cb>"
    assert compile_pattern("b").replace("abcb", r"\$", 1) == "a$cb"
    assert compile_pattern(",").split("a,b,,") == ["a", "b"]
