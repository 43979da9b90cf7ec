"""The memory of recent writes, and lags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.clock import ManualClock
from trine.dynamodb.consistency.lag import Lag, parsed_lag
from trine.dynamodb.consistency.recent import RecentWrites
from trine.dynamodb.limits import RECENT_WRITES_MAX_COUNT


def _key(index: int, place: int, rest: bytes = b"") -> bytes:
    return b"i\0\0\0\1" + index.to_bytes(2, "big") + place.to_bytes(4, "big") + rest


def test_an_item_is_recent_for_a_second() -> None:
    clock, recent = ManualClock(), RecentWrites()
    assert recent.until <= clock.now()
    recent.wrote(_key(0, 1, b"a"), clock.now())
    clock.advance(0.5)
    assert recent.until > clock.now()
    assert recent.age(_key(0, 1, b"a"), clock.now) == pytest.approx(0.5)
    assert recent.age(_key(0, 1, b"b"), clock.now) is None
    clock.advance(0.5)
    assert recent.age(_key(0, 1, b"a"), clock.now) is None
    assert recent.until <= clock.now()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 700)), max_size=60))
def test_as_a_memory_without_generations(steps: list[tuple[int, int]]) -> None:
    clock, recent, written = ManualClock(), RecentWrites(), dict[bytes, float]()
    for place, millis in steps:
        clock.advance(millis / 1000)
        for other in range(10):
            key = _key(0, other)
            age = clock.now() - written[key] if key in written else 9.0
            assert recent.age(key, clock.now) == (age if age < 1.0 else None)
        key = _key(0, place)
        recent.wrote(key, clock.now())
        written[key] = clock.now()


def test_a_partition_and_a_space_know_their_newest_write() -> None:
    clock, recent = ManualClock(), RecentWrites()
    recent.wrote(_key(0, 1, b"a"), clock.now())
    clock.advance(0.25)
    recent.wrote(_key(2, 5, b"b"), clock.now())
    partition = _key(0, 1, b"p"), _key(0, 1, b"q")
    assert recent.in_range(*partition, clock.now) == (_key(0, 1, b"a"), pytest.approx(0.25))
    assert recent.in_range(_key(0, 2, b"p"), _key(0, 2, b"q"), clock.now) is None
    assert recent.in_range(_key(2, 0)[:7], _key(3, 0)[:7], clock.now) == (_key(2, 5, b"b"), 0.0)
    assert recent.in_range(_key(1, 0)[:7], _key(2, 0)[:7], clock.now) is None


def test_memory_is_bounded() -> None:
    clock, recent = ManualClock(), RecentWrites()
    for number in range(3 * RECENT_WRITES_MAX_COUNT):
        recent.wrote(_key(0, number), clock.now())
    assert recent.age(_key(0, 3 * RECENT_WRITES_MAX_COUNT - 1), clock.now) == 0.0
    assert recent.age(_key(0, 0), clock.now) is None
    assert len(recent._items) + len(recent._older_items) <= 2 * RECENT_WRITES_MAX_COUNT


def test_lags_are_fixed_or_drawn_from_a_seed() -> None:
    assert Lag(0.5).draw() == Lag(0.5).draw() == 0.5
    one, other = parsed_lag("0.1-1.5", 7), parsed_lag("0.1-1.5", 7)
    drawn = [one.draw() for _ in range(200)]
    assert drawn == [other.draw() for _ in range(200)]
    assert 0.1 <= min(drawn) < 0.3
    assert 1.3 < max(drawn) <= 1.5
    assert parsed_lag("2").most_seconds == 2


@pytest.mark.parametrize("text", ["-1", "2-1", "nan", "inf", "9999", "", "a"])
def test_what_is_no_lag(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parsed_lag(text)
