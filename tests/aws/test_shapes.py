"""Members of properties: right, missing, or refused with their name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trine.aws.errors import AwsError
from trine.aws.shapes import Misshapen, bounded_in, list_in, number_in, object_in, objects_in, text_in, texts_in


@pytest.mark.parametrize(
    ("read", "value", "wanted"),
    [
        (object_in, {"a": 1}, {"a": 1}), (object_in, None, {}), (list_in, [1], [1]), (list_in, None, ()),
        (objects_in, [{}], [{}]), (objects_in, None, []), (text_in, "x", "x"), (text_in, 5, "5"),
        (text_in, True, "true"), (text_in, None, None), (texts_in, ["a", 1], ["a", "1"]), (number_in, "7", 7),
        (number_in, None, None),
    ],
)  # fmt: skip
def test_values_come_in_their_type(read: Callable[..., Any], value: Any, wanted: Any) -> None:
    assert read({"m": value}, "m") == wanted


@pytest.mark.parametrize(
    ("read", "value"),
    [(object_in, []), (object_in, "x"), (list_in, {}), (list_in, "x"), (objects_in, ["x"]), (text_in, []),
     (text_in, {}), (texts_in, [[]]), (number_in, "x"), (number_in, [])],
)  # fmt: skip
def test_other_types_are_refused_by_name(read: Callable[..., Any], value: Any) -> None:
    with pytest.raises(Misshapen, match="Member"):
        read({"Member": value}, "Member")


@pytest.mark.parametrize(("value", "number"), [(None, 7), (3, 3), ("3", 3), (3.0, 3), (10, 10), ("1", 1)])
def test_a_number_within_its_bounds(value: object, number: int) -> None:
    assert bounded_in({"Size": value}, "Size", 7, 1, 10) == number


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "Value '0' at 'size' failed to satisfy constraint: Member must have value greater than or equal to 1"),
        ("11", "Value '11' at 'size' failed to satisfy constraint: Member must have value less than or equal to 10"),
        ("many", "Size must be a number, not 'many'"),
        (2.5, "Size must be a number, not '2.5'"),
        (True, "Size must be a number, not 'True'"),
        ([], "Size must be a number"),
        ("9" * 5_000, "Size must be a number"),
        (float("inf"), "Size must be a number"),
    ],
)
def test_a_number_out_of_its_bounds(value: object, said: str) -> None:
    class Refused(AwsError):
        """The wing's own."""

    with pytest.raises(Refused) as refused:
        bounded_in({"Size": value}, "Size", 7, 1, 10, Refused)
    assert said in refused.value.message
