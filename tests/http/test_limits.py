"""Limits are above zero, and the watch looks often enough for the shortest of them."""

from __future__ import annotations

import pytest

from trine.http.limits import Limits


@pytest.mark.parametrize("name", Limits.__slots__)
def test_a_limit_of_nothing_is_a_mistake(name: str) -> None:
    for value in (0, -1):
        with pytest.raises(ValueError, match=name):
            Limits(**{name: value})


def test_the_watch_looks_twice_within_the_shortest_wait() -> None:
    assert Limits().tick_seconds == 1.0
    assert Limits(head_timeout_seconds=0.5).tick_seconds == 0.25
