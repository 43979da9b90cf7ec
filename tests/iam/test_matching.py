"""Wildcards against a regular expression as oracle, ARN segments, and the cost of hostile patterns."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trine.iam.matching import arn_glob, bind, glob, tokenize


def _oracle(pattern: str, text: str) -> bool:
    source = "".join({"*": "(?s:.*)", "?": "(?s:.)"}.get(one, re.escape(one)) for one in pattern)
    return re.fullmatch(source, text) is not None


@example("a*a", "a")
@example("ab*ba", "aba")
@given(st.text("ab*?\n", max_size=8), st.text("ab\n", max_size=10))
def test_globs_are_what_a_regular_expression_says(pattern: str, text: str) -> None:
    assert glob(tokenize(pattern))(text) is _oracle(pattern, text)


def test_many_stars_stay_cheap() -> None:
    pattern = tokenize("*a" * 2_000 + "*b")
    assert not glob(pattern)("a" * 20_000)
    assert not glob(tokenize("*?a" * 500 + "*b"))("a" * 5_000)


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("*", "anything", True),
        ("*", "*", True),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/T", "arn:aws:dynamodb:us-east-1:123456789012:table/T", True),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/T", "arn:aws:dynamodb:us-east-1:123456789012:table/t", False),
        (
            "arn:aws:dynamodb:us-east-1:123456789012:table/T",
            "arn:aws:dynamodb:us-east-1:123456789012:table/T/index/i",
            False,
        ),
        (
            "arn:aws:dynamodb:us-east-1:123456789012:table/T/*",
            "arn:aws:dynamodb:us-east-1:123456789012:table/T/index/i",
            True,
        ),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/T*", "arn:aws:dynamodb:us-east-1:123456789012:table/Tx", True),
        ("arn:aws:dynamodb:*:*:table/T", "arn:aws:dynamodb:eu-west-1:999999999999:table/T", True),
        ("arn:aws:dynamodb:*:table/T", "arn:aws:dynamodb:us-east-1:123456789012:table/T", True),
        ("arn:aws:dynamodb:us-*:table/T", "arn:aws:dynamodb:us-east-1:123456789012:table/T", True),
        ("arn:aws:dynamodb:us-*:table/T", "arn:aws:dynamodb:eu-west-1:123456789012:table/T", False),
        ("arn:aws:dynamodb:*t-1:table/T", "arn:aws:dynamodb:us-east-1:123456789012:table/T", False),
        ("arn:aws:dynamodb:*t-1:*:table/T", "arn:aws:dynamodb:us-east-1:123456789012:table/T", True),
        ("arn:aws:dynamodb:*", "arn:aws:dynamodb:us-east-1:123456789012:table/T", True),
        ("arn:aws:dynamodb", "arn:aws:dynamodb:us-east-1:123456789012:table/T", False),
        ("arn:*", "arn:aws:dynamodb:us-east-1:123456789012:table/T", True),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "arn:aws:lambda:us-east-1:123456789012:function:f:live",
            False,
        ),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:f:*",
            "arn:aws:lambda:us-east-1:123456789012:function:f:live",
            True,
        ),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:*",
            "arn:aws:lambda:us-east-1:123456789012:function:f:live",
            True,
        ),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a:b/c", True),
        ("arn:aws:dynamodb:us-east-?:123456789012:table/T", "arn:aws:dynamodb:us-east-1:123456789012:table/T", True),
        ("arn:aws:dynamodb:us*1:123456789012:table/T", "arn:aws:dynamodb:us:x:1:123456789012:table/T", False),
        ("arn:aws:dynamodb:us?east-1:123456789012:table/T", "arn:aws:dynamodb:us:east-1:123456789012:table/T", False),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/T", "*", False),
    ],
)
def test_arns_segment_by_segment(pattern: str, resource: str, matches: bool) -> None:
    assert arn_glob(tokenize(pattern))(resource) is matches


class TestVariables:
    def _match(self, pattern: str, resource: str, **values: tuple[str, ...]) -> bool:
        bound = bind(tokenize(pattern), {f"aws:{key}": value for key, value in values.items()}.get)
        return bound is not None and arn_glob(bound)(resource)

    def test_a_value_takes_the_place(self) -> None:
        assert self._match("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/ann/x", username=("ann",))
        assert not self._match("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/bob/x", username=("ann",))

    def test_names_are_not_case_sensitive_and_may_have_space(self) -> None:
        assert self._match("arn:aws:s3:::${ AWS:UserName }", "arn:aws:s3:::ann", username=("ann",))

    def test_without_a_value_nothing_matches_but_a_default_serves(self) -> None:
        assert not self._match("arn:aws:s3:::${aws:username}*", "arn:aws:s3:::x")
        assert self._match("arn:aws:s3:::${aws:username, 'public'}", "arn:aws:s3:::public")
        assert not self._match("arn:aws:s3:::${aws:username, 'public'}", "arn:aws:s3:::public", username=("ann",))

    def test_two_values_are_none(self) -> None:
        assert not self._match("arn:aws:s3:::${aws:username, 'a'}", "arn:aws:s3:::a", username=("a", "b"))

    def test_a_value_is_never_a_wildcard_nor_a_separator(self) -> None:
        assert not self._match("arn:aws:s3:::${aws:username}", "arn:aws:s3:::anything", username=("*",))
        assert self._match("arn:aws:s3:::${aws:username}", "arn:aws:s3:::*", username=("*",))
        tricky = {"username": ("us-east-1:123456789012",)}
        assert not self._match(
            "arn:aws:dynamodb:${aws:username}:table/T", "arn:aws:dynamodb:us-east-1:123456789012:table/T", **tricky
        )
        assert not self._match(
            "arn:aws:dynamodb:${aws:username}:table/T:*", "arn:aws:dynamodb:us-east-1:123456789012:table/T", **tricky
        )

    def test_escaped_signs_are_themselves(self) -> None:
        assert self._match("arn:aws:s3:::a${*}b", "arn:aws:s3:::a*b")
        assert not self._match("arn:aws:s3:::a${*}b", "arn:aws:s3:::axb")
        assert self._match("arn:aws:s3:::a${?}${$}", "arn:aws:s3:::a?$")
