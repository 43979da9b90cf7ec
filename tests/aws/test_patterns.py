"""Patterns of templates: Java's meaning where it differs, and none that explodes."""

from __future__ import annotations

import contextlib

import pytest

from trine.aws.patterns import Pattern, PatternRefused, compile_pattern


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
    ("source", "fits", "does_not"),
    [
        (r"^([a-z0-9]+-)*[a-z0-9]+$", "a-slug-of-words", "a--slug"),
        (r"^[\w.+-]+@([\w-]+\.)+[\w-]{2,}$", "ada@mail.example.com", "ada@mail."),
        (r"^(GET|POST|PUT)(,(GET|POST|PUT))*$", "GET,PUT", "GET,"),
        (r"(?:Bad Request|Not Found: (?:a|b)+).*", "Not Found: ab", "Found"),
    ],
)
def test_repetitions_in_repetitions_are_taken(source: str, fits: str, does_not: str) -> None:
    assert compile_pattern(source).matches(fits)
    assert compile_pattern(source).found_in(fits)
    assert not compile_pattern(source).matches(does_not)


@pytest.mark.parametrize("source", [r"^(a|a)*$", r"(a|aa)+$", r"(a|a?)+b", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_match_that_explodes_ends(source: str) -> None:
    pattern = compile_pattern(source)
    evil = "a" * 1_000 + "!"
    for work in (pattern.matches, pattern.found_in, lambda text: pattern.replace(text, "x"), pattern.split):
        with contextlib.suppress(PatternRefused):  # it has an answer in time, or none
            work(evil)
    with pytest.raises(PatternRefused, match="too long"):
        compile_pattern(r"^(a|a)*$").matches("a" * 60 + "!")
    with pytest.raises(PatternRefused, match="too long"):
        pattern.matches("a" * 3_000)


@pytest.mark.parametrize("source", ["(", "[", "(a+", "a" * 3_000])
def test_broken_patterns_are_refused(source: str) -> None:
    with pytest.raises(PatternRefused):
        compile_pattern(source)


def test_matches_means_the_whole_text() -> None:
    assert compile_pattern("a.c").matches("abc")
    assert not compile_pattern("a.c").matches("abcd")


@pytest.mark.parametrize("source", [".*.*=", ".*.*.*x=", "a*a*a*a*b", "[a-z]*[a-y]*[a-x]*!"])
@pytest.mark.parametrize("length", [500, 2_000, 20_000, 400_000])
def test_repetitions_side_by_side_end(source: str, length: int) -> None:
    """Each of them costs Python's engine minutes to years on the longer of these texts."""
    pattern = compile_pattern(source)
    for work in (pattern.matches, pattern.found_in, lambda text: pattern.replace(text, "y"), pattern.split):
        with contextlib.suppress(PatternRefused):  # it has an answer in time, or none
            work("a" * length)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$", "a" * 100_000 + "!"),  # DynamoDB's S3Bucket
        (r"^[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*$", " " * 512 + "\x01"),  # EventBridge's HeaderValue
    ],
)
def test_a_pattern_of_a_model_ends_on_any_text(source: str, text: str) -> None:
    assert not Pattern(source).fits(text)
    assert Pattern(source).fits("my-bucket.1")
    assert Pattern(source).fits("a" * 500)


def test_one_repetition_is_searched_in_long_texts() -> None:
    text = "a" * 300_000
    assert compile_pattern("a+").found_in(text)
    assert compile_pattern("^a+$").matches(text)
    with pytest.raises(PatternRefused, match="too long"):
        compile_pattern("a").found_in("a" * 1_000_001)


def test_replace_and_split_as_java() -> None:
    assert compile_pattern("(b)(c)").replace("abcbc", "<$2$1>") == "a<cb><cb>"
    assert compile_pattern("b").replace("abcb", r"\$", 1) == "a$cb"
    assert compile_pattern(",").split("a,b,,") == ["a", "b"]
