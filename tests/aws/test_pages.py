"""Pages by position: together they are the list, and a token of nobody's is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.pages import page


@given(st.lists(st.integers()), st.integers(min_value=1, max_value=7))
def test_the_pages_are_the_list(items: list[int], count: int) -> None:
    found: list[int] = []
    token: str | None = None
    while True:
        part, token = page(items, token, count)
        assert len(part) <= count
        found += part
        if token is None:
            break
        assert len(part) == count
    assert found == items


@pytest.mark.parametrize("token", ["-1", "x", "1.0", "٣", "9" * 10, "9" * 5_000, " 1", "0x1"])
def test_a_token_of_nobody(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        page([1, 2, 3], token, 2)


def test_a_token_beyond_the_end_is_an_empty_page() -> None:
    assert page([1, 2, 3], "7", 2) == ([], None)
