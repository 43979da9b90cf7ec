"""The clock that tests move: due callbacks run in order, each at its own time."""

from __future__ import annotations

import asyncio

from tests.waiting import PATIENCE_SECONDS
from trine.clock import ManualClock, SystemClock


def test_advance_fires_what_falls_due_in_order_of_time() -> None:
    clock = ManualClock(start=100.0)
    begun_ns = clock.monotonic_ns()
    fired: list[tuple[str, float]] = []
    clock.call_later(2, lambda: fired.append(("late", clock.now())))
    clock.call_later(1, lambda: fired.append(("early", clock.now())))
    clock.call_later(9, lambda: fired.append(("never", clock.now())))
    clock.advance(5)
    assert fired == [("early", 101.0), ("late", 102.0)]
    assert clock.now() == 105.0
    assert clock.monotonic_ns() - begun_ns == 5_000_000_000


def test_a_cancelled_timer_stays_silent_and_a_timer_may_set_the_next() -> None:
    clock = ManualClock(start=0.0)
    fired: list[float] = []

    def again() -> None:
        fired.append(clock.now())
        clock.call_later(10, again)

    clock.call_later(10, again)
    clock.call_later(5, fired.append, -1.0).cancel()
    clock.advance(35)
    assert fired == [10.0, 20.0, 30.0]


def test_a_sleeper_wakes_only_when_the_clock_is_moved() -> None:
    async def scenario() -> list[str]:
        clock, seen = ManualClock(), []

        async def sleeper() -> None:
            await clock.sleep(3600)
            seen.append("woke")

        task = asyncio.create_task(sleeper())
        await asyncio.sleep(0)
        clock.advance(3599)
        await asyncio.sleep(0)
        seen.append("still asleep")
        clock.advance(1)
        await task
        return seen

    assert asyncio.run(scenario()) == ["still asleep", "woke"]


def test_the_system_clock_runs_forward() -> None:
    clock = SystemClock()
    before = clock.monotonic_ns()
    assert clock.now() > 1_700_000_000
    assert clock.monotonic_ns() >= before


def test_a_period_that_was_missed_often_is_made_up_by_one_tick_at_its_last_time() -> None:
    clock = ManualClock(0.0)
    ticks: list[float] = []
    timer = clock.every(10.0, lambda: ticks.append(clock.now()))
    clock.advance(9.0)
    assert ticks == []
    clock.advance(2.0)
    clock.advance(86_400.0)
    clock.advance(9.0)
    assert ticks == [10.0, 86_410.0, 86_420.0]
    timer.cancel()
    clock.advance(100.0)
    assert ticks == [10.0, 86_410.0, 86_420.0]


def test_the_systems_clock_ticks_until_it_is_cancelled() -> None:
    async def three() -> int:
        count = 0
        done = asyncio.get_running_loop().create_future()

        def tick() -> None:
            nonlocal count
            count += 1
            if count == 3:
                timer.cancel()
                done.set_result(None)

        timer = SystemClock().every(0.001, tick)
        await asyncio.wait_for(done, PATIENCE_SECONDS)
        return count

    assert asyncio.run(three()) == 3
