"""Distributions: exact where they say so, within two percent elsewhere, whichever way values come in."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.metering.distribution import Distribution

VALUES = st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=1, max_size=200)


def _of(values: list[float]) -> Distribution:
    found = Distribution()
    for value in values:
        found.add(value)
    return found


@given(VALUES)
def test_in_bulk_is_as_one_by_one(values: list[float]) -> None:
    one_by_one, bulk = _of(values), Distribution()
    bulk.add_sorted(sorted(values))
    assert bulk.buckets == one_by_one.buckets
    assert (bulk.count, bulk.minimum, bulk.maximum) == (len(values), min(values), max(values))
    assert math.isclose(bulk.total, sum(values), abs_tol=1e-3)


@given(VALUES, VALUES)
def test_parts_add_up(some: list[float], more: list[float]) -> None:
    merged = _of(some)
    merged.merge(_of(more))
    assert merged.buckets == _of(some + more).buckets


@given(VALUES, st.floats(min_value=0.1, max_value=100))
def test_a_percentile_is_two_percent_off_at_most(values: list[float], percent: float) -> None:
    ranked = sorted(values)
    exact = ranked[max(0, math.ceil(len(ranked) * percent / 100 - 1e-9) - 1)]
    found = _of(values).percentile(percent)
    assert abs(found - exact) <= abs(exact) * 0.0201 + 1e-9


def test_of_nothing() -> None:
    assert Distribution().average == 0
    assert list(Distribution().spread()) == []


@pytest.mark.parametrize("limit", [0.5, 5, 50])
def test_at_most(limit: float) -> None:
    assert _of([0.1, 1, 10, 100]).at_most(limit) == {0.5: 1, 5: 2, 50: 3}[limit]
