"""Limits of how much runs at once: the account's, the reserved shares, and their reasons."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.awslambda.concurrency import Allowance, Concurrency
from trine.awslambda.errors import TooManyRequests
from trine.awslambda.function import Function
from trine.clock import ManualClock


def function(name: str) -> Function:
    """A function that only has a name."""
    return Function(name, name, "", "python3.11", "a.b", Path("/"))


def test_the_accounts_limit() -> None:
    concurrency = Concurrency(2)
    concurrency.take(function("a"))
    concurrency.take(function("b"))
    with pytest.raises(TooManyRequests) as refused:
        concurrency.take(function("a"))
    assert refused.value.members == {"Reason": "ConcurrentInvocationLimitExceeded", "Type": "User"}
    concurrency.give_back("b")
    concurrency.take(function("a"))
    assert concurrency.running("a") == 2


def test_a_reserved_share_is_its_functions_alone() -> None:
    concurrency = Concurrency(3)
    concurrency.reserve("mine", 2)
    concurrency.take(function("other"))
    with pytest.raises(TooManyRequests, match="Rate Exceeded"):
        concurrency.take(function("other"))
    concurrency.take(function("mine"))
    concurrency.take(function("mine"))
    with pytest.raises(TooManyRequests) as refused:
        concurrency.take(function("mine"))
    assert refused.value.reason == "ReservedFunctionConcurrentInvocationLimitExceeded"


@given(st.lists(st.tuples(st.sampled_from("tgr"), st.sampled_from("abc"), st.integers(0, 4)), max_size=60))
def test_counts_come_out_even_whatever_happens(steps: list[tuple[str, str, int]]) -> None:
    concurrency = Concurrency(6)
    running: dict[str, int] = {"a": 0, "b": 0, "c": 0}
    for step, name, number in steps:
        if step == "t":
            try:
                concurrency.take(function(name))
            except TooManyRequests:
                continue
            running[name] += 1
        elif step == "g" and running[name]:
            concurrency.give_back(name)
            running[name] -= 1
        elif step == "r":
            concurrency.reserve(name, number or None)
        assert {name: concurrency.running(name) for name in running} == running
    for name, count in running.items():
        for _ in range(count):
            concurrency.give_back(name)
        concurrency.reserve(name, None)
    for _ in range(6):
        concurrency.take(function("a"))
    with pytest.raises(TooManyRequests):
        concurrency.take(function("b"))


def test_requests_per_second_follow_the_share() -> None:
    clock = ManualClock()
    counters = Concurrency(1_000, clock)
    rated = function("rated")
    counters.reserve("rated", 2)

    def call() -> str:
        try:
            counters.take(rated)
        except TooManyRequests as error:
            return error.reason
        counters.give_back("rated")
        return "taken"

    assert [call() for _ in range(20)] == ["taken"] * 20
    assert call() == "ReservedFunctionInvocationRateLimitExceeded"
    clock.advance(0.11)
    assert [call(), call(), call()] == ["taken", "taken", "ReservedFunctionInvocationRateLimitExceeded"]
    counters.take(rated, asynchronous=True)
    counters.give_back("rated")
    counters.reserve("rated", None)
    assert call() == "taken"
    free = Concurrency(1_000, clock, throttling=False)
    free.reserve("rated", 1)
    for _ in range(50):
        free.take(rated)
        free.give_back("rated")


def test_an_allowance_fills_again_and_never_above_its_measure() -> None:
    allowance = Allowance(0.0)
    assert [allowance.take(0.0, 100.0, 3.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(1_000.0, 100.0, 3.0) for _ in range(4)] == [True, True, True, False]
