"""How queries are kept: several at a time, stopped, timed out, forgotten when there are too many or too large ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.waiting import until
from trine.aws.charges import uncharged
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.logs.errors import LimitExceeded, ResourceNotFound
from trine.logs.group import LogGroup
from trine.logs.insights import queries as kept
from trine.logs.insights.breath import QUERY_SECONDS
from trine.logs.insights.parser import parse_query
from trine.logs.insights.queries import Queries, Query, document

EVER = 1 << 62


class Scene:
    """A group with some lines, and queries over it."""

    def __init__(self, lines: int = 3, text: str = "line") -> None:
        self.clock = ManualClock(1_800_000_000)
        self.group = LogGroup("g", None, self.clock)
        self.group.put("s", [(1_800_000_000_000 + at, f"{text} {at}") for at in range(lines)])
        self.charged: list[dict[str, float]] = []
        self.queries = Queries(self.clock, SeededIds(1), "1", lambda service, counts: self.charged.append(counts))

    def ask(self, text: str = "fields @message") -> Query:
        return self.queries.start([self.group], text, parse_query(text, 0), 0, EVER, 10_000)

    async def end(self, query: Query) -> Query:
        await until(lambda: query.status != "Running")
        return query


def played(scenario: Callable[[Scene], Awaitable[None]], scene: Scene) -> None:
    async def play() -> None:
        await scenario(scene)

    asyncio.run(play())


def test_a_query_runs_beside_everything_else_and_is_charged_once() -> None:
    async def scenario(scene: Scene) -> None:
        query = scene.ask()
        assert document(query)["status"] == "Running"
        await scene.end(query)
        assert (document(query)["status"], len(document(query)["results"])) == ("Complete", 3)
        assert scene.charged == [{"requests": 1, "scannedBytes": 18}]

    played(scenario, Scene())


def test_a_long_query_lets_others_run_and_can_be_stopped() -> None:
    async def scenario(scene: Scene) -> None:
        query = scene.ask("stats count(*) by @message")
        for _ in range(4):
            await asyncio.sleep(0)
        assert query.status == "Running"
        assert scene.queries.stop(query.id)
        assert query.task is not None
        await asyncio.gather(query.task, return_exceptions=True)
        assert document(query)["status"] == "Cancelled"
        assert not scene.queries.stop(query.id)

    played(scenario, Scene(lines=5_000))


def test_a_query_that_takes_an_hour_is_over() -> None:
    async def scenario(scene: Scene) -> None:
        query = scene.ask("stats count(*)")
        for _ in range(4):
            await asyncio.sleep(0)
        scene.clock.advance(QUERY_SECONDS + 1)
        assert (await scene.end(query)).status == "Timeout"

    played(scenario, Scene(lines=5_000))


def test_too_many_groups_end_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trine.logs.insights.run.GROUPS_MAX_COUNT", 2)

    async def scenario(scene: Scene) -> None:
        assert (await scene.end(scene.ask("stats count(*) by @message"))).status == "Failed"

    played(scenario, Scene())


def test_so_many_at_a_time_and_so_many_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "RUNNING_MAX_COUNT", 3)
    monkeypatch.setattr(kept, "KEPT_MAX_COUNT", 4)

    async def scenario(scene: Scene) -> None:
        first = [scene.ask() for _ in range(3)]
        with pytest.raises(LimitExceeded, match=r"\[3\]"):
            scene.ask()
        for query in first:
            await scene.end(query)
        for _ in range(2):
            await scene.end(scene.ask())
        assert len(scene.queries.all()) == 4
        with pytest.raises(ResourceNotFound):
            scene.queries.find(first[0].id)
        assert scene.queries.find(first[1].id) is first[1]

    played(scenario, Scene())


def test_large_results_are_forgotten_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "RESULTS_MAX_BYTES", 250)

    async def scenario(scene: Scene) -> None:
        first, second = await scene.end(scene.ask()), await scene.end(scene.ask())
        assert first.size_bytes > 125
        assert scene.queries.all() == [second], "the newest stays, however large"

    played(scenario, Scene())


def test_nobody_has_to_count() -> None:
    async def scenario(scene: Scene) -> None:
        scene.queries = Queries(scene.clock, SeededIds(1), "1", uncharged)
        assert (await scene.end(scene.ask())).status == "Complete"

    played(scenario, Scene())
