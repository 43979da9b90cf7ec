"""A function's configuration: every bound of AWS, and the forms of a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.arn import Place
from trine.awslambda.errors import InvalidParameterValue
from trine.awslambda.function import Function, function_from_properties, split_name

PLACE = Place()
GOOD = {"FunctionName": "f", "Runtime": "python3.12", "Handler": "app.handler", "Role": "arn:aws:iam::1:role/r"}


def make(**properties: Any) -> Function:
    """A function with `properties` over good ones."""
    return function_from_properties({**GOOD, **properties}, Path("/code"), PLACE)


def test_defaults() -> None:
    function = make()
    assert (function.timeout_seconds, function.memory_mb, function.tmp_mb) == (3, 128, 512)
    assert function.arn == "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert function.log_group == "/aws/lambda/f"


def test_values_may_be_text_as_cloudformation_hands_them_over() -> None:
    function = make(Timeout="30", MemorySize="1024", EphemeralStorage={"Size": "1024"})
    assert (function.timeout_seconds, function.memory_mb, function.tmp_mb) == (30, 1024, 1024)


@pytest.mark.parametrize(
    "properties",
    [
        {"Timeout": 901},
        {"Timeout": 0},
        {"Timeout": "soon"},
        {"Timeout": True},
        {"MemorySize": 127},
        {"MemorySize": 10241},
        {"EphemeralStorage": {"Size": 511}},
        {"FunctionName": "with space"},
        {"FunctionName": "x" * 65},
        {"FunctionName": None},
        {"Runtime": ""},
        {"Handler": ""},
        {"Handler": "x" * 129},
        {"Handler": "has space.handler"},
        {"Description": "x" * 257},
        {"PackageType": "Image"},
        {"Layers": ["a"] * 6},
        {"Layers": "a"},
        {"ReservedConcurrentExecutions": -1},
        {"LoggingConfig": {"LogFormat": "XML"}},
        {"Environment": {"Variables": {"AWS_REGION": "x"}}},
        {"Environment": {"Variables": {"1A": "x"}}},
        {"Environment": {"Variables": {"AB": "x\0"}}},
        {"Environment": {"Variables": {"AB": ["x"]}}},
        {"Environment": {"Variables": {"AB": "x" * 4088}}},  # with its JSON one byte more than 4 KB
    ],
    ids=str,
)
def test_what_aws_refuses(properties: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterValue):
        make(**properties)


def test_a_handler_with_spaces_is_named() -> None:
    with pytest.raises(InvalidParameterValue, match=r"Value 'app\.handler ' at 'handler' failed to satisfy"):
        make(Handler="app.handler ")
    with pytest.raises(InvalidParameterValue, match="Handler is mandatory"):
        make(Handler="")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["x86_64", "arm64"], r"'\[x86_64, arm64\]' at 'architectures' .* length less than or equal to 1"),
        ([], "length greater than or equal to 1"),
        (["riscv"], r"enum value set: \[x86_64, arm64\]"),
    ],
)
def test_one_architecture_of_two(given: list[str], said: str) -> None:
    assert make(Architectures=["arm64"]).name
    with pytest.raises(InvalidParameterValue, match=said):
        make(Architectures=given)


def test_a_timeout_above_900_is_refused_in_awss_words() -> None:
    with pytest.raises(InvalidParameterValue) as refused:
        make(Timeout=901)
    assert "'901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900" in str(
        refused.value
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f", ("f", None)),
        ("f:prod", ("f", "prod")),
        ("f:$LATEST", ("f", "$LATEST")),
        ("123456789012:function:f", ("f", None)),
        ("123456789012:f", ("f", None)),
        ("function:f", ("f", None)),
        ("arn:aws:lambda:us-east-1:123456789012:function:f", ("f", None)),
        ("arn:aws:lambda:us-east-1:123456789012:function:f:3", ("f", "3")),
    ],
)
def test_forms_of_a_name(text: str, expected: tuple[str, str | None]) -> None:
    assert split_name(text, PLACE) == expected


@pytest.mark.parametrize(
    "text", ["", "a b", "arn:aws:lambda:eu-west-1:123456789012:function:f", "arn:aws:s3:::b", "f:1:2", "arn:nonsense"]
)
def test_names_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        split_name(text, PLACE)


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_a_value_error(text: str) -> None:
    try:
        name, _ = split_name(text, PLACE)
    except ValueError:
        return
    assert 0 < len(name) <= 64
