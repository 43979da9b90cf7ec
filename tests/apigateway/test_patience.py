"""One timer for all that wait equally long."""

from __future__ import annotations

import asyncio
from asyncio import Future

from trine.apigateway.patience import Patience
from trine.clock import ManualClock
from trine.http.message import Response


def _future() -> Future[Response]:
    return asyncio.get_running_loop().create_future()


def test_each_is_overdue_at_its_own_time() -> None:
    async def scene() -> None:
        clock, overdue = ManualClock(), list[str]()
        patience: Patience[str] = Patience(29.0, clock, lambda waiting, _: overdue.append(waiting))
        patience.begin(_future(), "first")
        clock.advance(10)
        patience.begin(_future(), "second")
        clock.advance(18.999)
        assert overdue == []
        clock.advance(0.001)
        assert overdue == ["first"]
        clock.advance(9.999)
        assert overdue == ["first"]
        clock.advance(0.001)
        assert overdue == ["first", "second"]

    asyncio.run(scene())


def test_who_is_answered_is_never_overdue() -> None:
    async def scene() -> None:
        clock, overdue = ManualClock(), list[str]()
        patience: Patience[str] = Patience(1.0, clock, lambda waiting, _: overdue.append(waiting))
        answer, other = _future(), _future()
        patience.begin(answer, "answered")
        patience.begin(other, "left")
        patience.end(answer)
        clock.advance(1)
        assert overdue == ["left"]
        patience.end(other)

    asyncio.run(scene())


def test_it_rests_while_nobody_waits_and_wakes_again() -> None:
    async def scene() -> None:
        clock, overdue = ManualClock(), list[str]()
        patience: Patience[str] = Patience(1.0, clock, lambda waiting, _: overdue.append(waiting))
        answer = _future()
        patience.begin(answer, "answered")
        patience.end(answer)
        clock.advance(100)
        patience.begin(_future(), "later")
        clock.advance(0.9)
        assert overdue == []
        clock.advance(0.1)
        assert overdue == ["later"]

    asyncio.run(scene())
