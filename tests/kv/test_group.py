"""How long a group waits for others: while rounds of the loop bring some, but neither for many rounds nor for long."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable

from trine.clock import ManualClock
from trine.kv.group import GATHER_NS_LIMIT, GATHER_ROUNDS_LIMIT, LOOK_AFTER_NS, OVERDUE_NS, Group, GroupCommit
from trine.kv.store import Change


class Desk:
    """A group commit whose commits are counted and done at once."""

    def __init__(self, clock: ManualClock) -> None:
        self.sizes: list[int] = []
        self.commit = GroupCommit(lambda key: None, self._commit, lambda group: None, 0, clock.monotonic_ns)

    def _commit(self, group: Group, done: Callable[[Exception | None], None]) -> None:
        self.sizes.append(len(group.outcomes))
        asyncio.get_running_loop().call_soon(done, None)

    def put(self, number: int) -> Future[None]:
        return self.commit.transact((), lambda current: Change(None, {b"%d" % number: b""}))


def test_a_lone_transaction_waits_for_one_empty_round() -> None:
    async def scenario() -> None:
        desk = Desk(ManualClock())
        done = desk.put(1)
        for _ in range(2):
            assert not desk.sizes
            await asyncio.sleep(0)
        await done
        assert desk.sizes == [1]

    asyncio.run(scenario())


def test_rounds_that_bring_more_are_waited_for_up_to_a_limit() -> None:
    async def scenario() -> None:
        desk = Desk(ManualClock())
        futures = []
        for number in range(3 * GATHER_ROUNDS_LIMIT):
            futures.append(desk.put(number))
            await asyncio.sleep(0)
        await asyncio.gather(*futures)
        assert GATHER_ROUNDS_LIMIT <= desk.sizes[0] <= GATHER_ROUNDS_LIMIT + 2

    asyncio.run(scenario())


def test_slow_rounds_are_not_waited_for() -> None:
    async def scenario() -> None:
        clock = ManualClock()
        desk = Desk(clock)
        futures = []
        for number in range(6):
            futures.append(desk.put(number))
            clock.advance(GATHER_NS_LIMIT / 1e9)
            await asyncio.sleep(0)
        await asyncio.gather(*futures)
        assert desk.sizes[0] <= 3

    asyncio.run(scenario())


async def rounds(count: int) -> None:
    """So many rounds of the loop."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_what_came_meanwhile_begins_in_the_call_that_ends_the_group_before() -> None:
    async def scenario(waited_ns: int) -> int:
        clock = ManualClock()
        sizes: list[int] = []
        ends: list[Callable[[Exception | None], None]] = []

        def keep(group: Group, done: Callable[[Exception | None], None]) -> None:
            sizes.append(len(group.outcomes))
            ends.append(done)

        commit = GroupCommit(lambda key: None, keep, lambda group: None, 0, clock.monotonic_ns)
        futures = [commit.transact((), lambda current: Change(None, {b"a": b""}))]
        await rounds(3)
        futures += [commit.transact((), lambda current: Change(None, {b"b": b""})) for _ in range(3)]
        clock.advance(waited_ns / 1e9)
        ends[0](None)
        begun = len(sizes)
        await rounds(3)
        ends[1](None)
        await asyncio.gather(*futures)
        assert sizes == [1, 3]
        return begun

    assert asyncio.run(scenario(OVERDUE_NS)) == 2
    assert asyncio.run(scenario(OVERDUE_NS // 2)) == 1


def test_in_a_long_round_who_comes_later_looks_for_those_before() -> None:
    async def scenario() -> None:
        clock, ends, looks = ManualClock(), list[Callable[[Exception | None], None]](), list[int]()

        def look() -> None:
            looks.append(len(ends))
            ends[-1](None)

        commit = GroupCommit(
            lambda key: None,
            lambda group, done: ends.append(done),
            lambda group: None,
            0,
            clock.monotonic_ns,
            look=look,
        )

        def put() -> Future[None]:
            return commit.transact((), lambda current: Change(None, {b"k": b""}))

        first = put()
        await rounds(3)
        clock.advance(LOOK_AFTER_NS / 2e9)
        second = put()
        assert (looks, first.done()) == ([], False)  # a sync takes about as long
        clock.advance(LOOK_AFTER_NS / 2e9)
        third = put()
        assert (looks, first.done(), second.done()) == ([1], True, False)
        await rounds(3)
        assert len(ends) == 2
        ends[1](None)
        await asyncio.wait_for(asyncio.gather(second, third), 30)

    asyncio.run(scenario())


def test_the_owner_may_choose_the_futures() -> None:
    class Own(Future[None]):
        pass

    async def scenario() -> None:
        commit = GroupCommit(
            lambda key: None,
            lambda group, done: done(None),
            lambda group: None,
            0,
            ManualClock().monotonic_ns,
            lambda loop: Own(loop=loop),
        )
        future = commit.transact((), lambda current: Change(None, {b"k": b""}))
        assert type(future) is Own
        await future

    asyncio.run(scenario())
