"""Members of properties: right, missing, or refused with their name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trine.aws.shapes import Misshapen, list_in, number_in, object_in, objects_in, text_in, texts_in


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
