"""Condition operators, row by row as the IAM User Guide describes them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from trine.iam.conditions import compile_condition
from trine.iam.errors import MalformedPolicy


def holds(operator: str, wanted: Any, *given: str, key: str = "k:x", **others: str) -> bool:
    context = {key.lower(): given} if given else {}
    context |= {f"aws:{name}": (value,) for name, value in others.items()}
    return compile_condition(operator, key, wanted, "here").holds(context.get)


@pytest.mark.parametrize(
    ("operator", "wanted", "yes", "no"),
    [
        ("StringEquals", "a*", ["a*"], ["ab", "A*", ""]),
        ("StringEquals", ["a", "b"], ["a", "b"], ["c"]),
        ("StringNotEquals", ["a", "b"], ["c"], ["a", "b"]),
        ("StringEqualsIgnoreCase", "aB", ["Ab", "AB"], ["abc"]),
        ("StringNotEqualsIgnoreCase", "aB", ["abc"], ["Ab"]),
        ("StringLike", ["a*c", "?"], ["abbc", "ac", "x"], ["abcd", ""]),
        ("StringNotLike", "a*", ["b"], ["a", "ab"]),
        ("NumericEquals", "10", ["10", "10.0", " 10 "], ["11", "ten"]),
        ("NumericNotEquals", 10, ["11"], ["10.0"]),
        ("NumericLessThan", "10", ["9.99", "-1"], ["10", "x"]),
        ("NumericLessThanEquals", "10", ["10"], ["10.01"]),
        ("NumericGreaterThan", "10", ["10.1"], ["10"]),
        ("NumericGreaterThanEquals", "10", ["10"], ["9"]),
        ("DateEquals", "2026-01-01T00:00:00Z", ["2026-01-01T00:00:00Z", "1767225600"], ["2026-01-02T00:00:00Z"]),
        ("DateNotEquals", "2026-01-01", ["2026-01-01T00:00:01Z"], ["2026-01-01T00:00:00Z"]),
        ("DateLessThan", "2026-01-01T00:00:00Z", ["2025-12-31T23:59:59Z"], ["2026-01-01T00:00:00Z", "never"]),
        ("DateLessThanEquals", "1767225600", ["2026-01-01T00:00:00Z"], ["2026-01-01T00:00:01Z"]),
        ("DateGreaterThan", "2026-01-01T01:00:00+01:00", ["2026-01-01T00:00:01Z"], ["2026-01-01T00:00:00Z"]),
        ("DateGreaterThanEquals", "2026-01-01T00:00:00Z", ["2026-01-01T00:00:00Z"], ["2025-01-01T00:00:00Z"]),
        ("Bool", True, ["true", "TRUE"], ["false", "yes"]),
        ("Bool", "false", ["false"], ["true"]),
        ("BinaryEquals", base64.b64encode(b"x").decode(), ["eA=="], ["eQ==", "!"]),
        ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], ["10.1.2.3", "2001:db8::1"], ["11.0.0.1", "::1", "nowhere"]),
        ("IpAddress", "127.0.0.1", ["127.0.0.1"], ["127.0.0.2"]),
        ("NotIpAddress", "10.0.0.0/8", ["11.0.0.1"], ["10.0.0.1"]),
        (
            "ArnEquals",
            "arn:aws:sns:*:123456789012:t*",
            ["arn:aws:sns:eu-west-1:123456789012:topic"],
            ["arn:aws:sns:x:y:t"],
        ),
        (
            "ArnLike",
            "arn:aws:lambda:*:*:function:f?",
            ["arn:aws:lambda:a:b:function:f1"],
            ["arn:aws:lambda:a:b:function:f"],
        ),
        ("ArnNotEquals", "arn:aws:s3:::b", ["arn:aws:s3:::c"], ["arn:aws:s3:::b"]),
        ("ArnNotLike", "arn:aws:s3:::b*", ["arn:aws:s3:::c"], ["arn:aws:s3:::bc"]),
    ],
)
def test_operators(operator: str, wanted: Any, yes: list[str], no: list[str]) -> None:
    for value in yes:
        assert holds(operator, wanted, value), value
        assert holds(operator.lower(), wanted, value)
    for value in no:
        assert not holds(operator, wanted, value), value


def test_a_missing_key() -> None:
    for operator in ("StringEquals", "NumericEquals", "ArnLike", "IpAddress", "ForAnyValue:StringLike"):
        wanted = "1" if operator != "IpAddress" else "1.1.1.1"
        assert not holds(operator, wanted)
        assert holds(f"{operator}IfExists", wanted)
    for operator in ("StringNotEquals", "NumericNotEquals", "ArnNotLike", "ForAllValues:StringEquals"):
        assert holds(operator, "1")
        assert holds(f"{operator}IfExists", "1")
    assert not holds("ForAnyValue:StringNotEquals", "1")
    assert not holds("StringEqualsIfExists", "1", "2")


def test_null() -> None:
    assert holds("Null", "true")
    assert not holds("Null", True, "x")
    assert holds("Null", ["false"], "x")
    assert not holds("Null", "false")


def test_sets() -> None:
    for_all, for_any = "ForAllValues:StringEquals", "ForAnyValue:StringEquals"
    assert holds(for_all, ["a", "b"], "a", "b", "a")
    assert not holds(for_all, ["a", "b"], "a", "c")
    assert holds(for_any, ["a", "b"], "c", "b")
    assert not holds(for_any, ["a", "b"], "c", "d")
    assert holds("ForAllValues:StringNotEquals", ["a", "b"], "c", "d")
    assert not holds("ForAllValues:StringNotEquals", ["a", "b"], "c", "a")
    assert holds("ForAnyValue:StringNotEquals", ["a", "b"], "a", "c")
    assert not holds("ForAnyValue:StringNotEquals", ["a", "b"], "a", "b")


def test_many_values_without_a_quantifier() -> None:
    assert holds("StringEquals", "a", "b", "a"), "one that fits is enough"
    assert not holds("StringNotEquals", "a", "b", "a"), "none may fit"
    assert holds("StringNotEquals", "a", "b", "c")


def test_variables_in_values() -> None:
    assert holds("StringEquals", "${aws:username}", "ann", username="ann")
    assert not holds("StringEquals", "${aws:username}", "bob", username="ann")
    assert not holds("StringEquals", "${aws:username}", "${aws:username}")
    assert holds("StringLike", "${aws:username}-*", "ann-7", username="ann")
    assert not holds("StringLike", "${aws:username}", "anything", username="*"), "a value is no wildcard"
    assert holds("StringEquals", "${aws:username, 'none'}", "none")
    condition = compile_condition("StringLike", "dynamodb:LeadingKeys", "${aws:userid}", "here")
    assert condition.keys == {"dynamodb:leadingkeys", "aws:userid"}


@pytest.mark.parametrize(
    ("operator", "key", "wanted"),
    [
        ("StringIs", "k:x", "a"),
        ("ForSomeValue:StringEquals", "k:x", "a"),
        ("StringEquals", "nocolon", "a"),
        ("NumericEquals", "k:x", "ten"),
        ("NumericEquals", "k:x", "NaN"),
        ("DateEquals", "k:x", "tomorrow"),
        ("Bool", "k:x", "maybe"),
        ("IpAddress", "k:x", "10.0.0.0/99"),
        ("BinaryEquals", "k:x", "!"),
        ("Null", "k:x", "maybe"),
        ("StringEquals", "k:x", {"a": 1}),
    ],
)
def test_what_iam_would_not_take(operator: str, key: str, wanted: Any) -> None:
    with pytest.raises(MalformedPolicy) as refused:
        compile_condition(operator, key, wanted, "Statement[0].Condition")
    assert refused.value.place == "Statement[0].Condition"
