"""A bucket that is one number behaves as one that counts its units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.dynamodb.throughput.bucket import Bucket

SECOND = 1_000_000_000
steps = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 40)), max_size=40)


@given(st.integers(1, 50), st.integers(1, 100), steps)
def test_as_a_bucket_that_counts(rate: int, depth: int, taken: list[tuple[int, int]]) -> None:
    bucket, units, now = Bucket(rate, depth, 0), float(depth), 0
    for seconds, amount in taken:
        now += seconds * SECOND
        units = min(depth, units + seconds * rate)
        assert bucket.level(now) == pytest.approx(units)
        bucket.take(amount, now)
        units -= amount
        assert bucket.level(now) == pytest.approx(units)


def test_more_than_it_holds_is_had_when_it_is_full() -> None:
    bucket = Bucket(1, 10, 0)
    assert bucket.has(400, 0)
    bucket.take(400, 0)
    assert not bucket.has(1, 0)
    assert not bucket.has(1, 390 * SECOND)
    assert bucket.has(1, 392 * SECOND)


def test_a_new_rate_keeps_what_is_there_and_is_felt_at_once() -> None:
    bucket = Bucket(10, 100, 0)
    bucket.take(100, 0)
    bucket.change(50, 500, 0)
    assert bucket.level(0) == pytest.approx(40)
    assert bucket.level(SECOND) == pytest.approx(90)
    bucket.change(1, 10, SECOND)
    assert bucket.level(SECOND) == pytest.approx(10)
